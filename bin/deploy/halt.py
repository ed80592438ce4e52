"""Halt what may write in the files of a sandbox: its agent, and the agent's own Docker."""

from collections.abc import Iterable

from jailoc.bin.engine import containers
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.docker import DockerError
from jailoc.model.sandbox import AGENT, SIDECAR, project


def writers(name: str) -> tuple[Container, ...]:
    """Return what may write in the files of a sandbox, running or halted.

    Raises:
        DockerError: the engine did not answer.
    """
    return tuple(
        each
        for each in containers.containers(project(name))
        if each.service in {AGENT, SIDECAR} and each.state in {"running", "paused", "restarting"}
    )


def halt(every: Iterable[Container]) -> None:
    """Halt containers; stop those that the engine cannot halt.

    Raises:
        DockerError: one cannot be stopped either.
    """
    for each in every:
        if each.state == "paused":
            continue
        try:
            containers.pause(each.id)
        except DockerError:
            containers.stop(each.id)


def resume(every: Iterable[Container]) -> None:
    """Let halted containers go on, also those that a killed run had halted."""
    for each in every:
        containers.resume(each.id)
