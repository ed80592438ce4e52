"""An agent's container begins: made anew, its mounts at their own places.

The engine follows links on the way to where it mounts. Agents that run and could put one there are
halted from the look until it has mounted; that is rare, and takes less than a second.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from jailoc.bin.config import facts
from jailoc.bin.deploy import halt, provenance, ways
from jailoc.bin.engine import containers, docker, startup
from jailoc.bin.engine.containers import Container
from jailoc.bin.host import files
from jailoc.model.diagnostic import Refused
from jailoc.model.sandbox import AGENT, PROXY, SIDECAR, WALL

PATIENCE = 60.0
"""Seconds to wait for another jailoc that works on an agent which has to be halted."""
_NEEDED = (WALL, PROXY, SIDECAR)
"""What an agent waits for."""


def agent(
    project: str, compose: Path, services: Sequence[str], line: Callable[[str], None], limit: int
) -> None:
    """Make an agent's container anew, and start it and services beside it.

    Args:
        project: The Compose project.
        compose: Its file.
        services: Those to start, the agent among them.
        line: Called with each line of progress.
        limit: Seconds until what the agent waits for counts as failed.

    Raises:
        DockerError: the engine refused, or another agent could not be halted.
        Refused: a mount would land elsewhere, or another jailoc works on an agent that has to be
            halted; the container is gone again.
    """
    there = _made(project, compose, line)
    mine, image = there[AGENT].id, there[WALL].image_id
    try:
        found = ways.of(mine)
        movers = ways.movers(found, project)
        if movers:
            needed = (each for each in _NEEDED if each in there)
            beside = dict.fromkeys((*needed, *(each for each in services if each != AGENT)))
            containers.up(project, compose, [*beside], line, limit)
            _alone(project, mine, found, image, movers)
            return
        ways.check(found, image)
    except (docker.DockerError, Refused):
        containers.remove(mine)
        raise
    containers.up(project, compose, list(services), line, None)


def _alone(
    project: str, mine: str, found: Sequence[ways.MountWay], image: str, movers: dict[str, str]
) -> None:
    """Look at the ways, and start the container, while nobody can change them."""

    def work(_: Callable[[int], None]) -> halt.Done:
        ways.check(found, image)
        startup.begin(mine)
        return halt.Done()

    with ExitStack() as stack:
        for each in sorted({*movers.values()}):
            lock = facts.cache_directory() / f"{each}.lock"
            stack.enter_context(files.locked(lock, PATIENCE))
        # Whoever had one may have let it go on, or made it anew.
        halt.during(lambda: ways.movers(found, project).values(), work, patience=PATIENCE)


def _made(project: str, compose: Path, line: Callable[[str], None]) -> dict[str, Container]:
    """Make an agent's container anew, without starting it; return those of its project.

    Raises:
        DockerError: the engine refused.
        Refused: something has taken the tag of an image meanwhile.
    """
    for each in containers.containers(project):
        if each.service == AGENT:
            # What it has left in its own files would lead its mounts.
            containers.remove(each.id)
    startup.make(project, compose, AGENT, line)
    there = {each.service: each for each in containers.containers(project)}
    provenance.check(there.values())
    return there
