"""`down`: remove the containers and the network of a workspace; its volumes stay unless named."""

from jailoc.bin.commands import every
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import elsewhere, existence, made, observe, working_tasks
from jailoc.bin.engine import containers, disk, docker
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names
from jailoc.model import sandbox
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.text import number_of


def run(session: Session, volumes: bool = False) -> int:
    """Remove a workspace's containers and network, and with `volumes` its volumes.

    A name that the configuration does not have (any more) works too: the engine knows its labels.
    """
    name = session.workspace or _named(session)
    project = sandbox.project(name)
    there = False
    if volumes and sandbox.task_of(name):
        raise refuse("usage", "the clone of a task is on its volumes",
                     hint=f"remove the task: `jailoc task rm {sandbox.typed(name)}`")  # fmt: skip
    if volumes or not existence.never(session, name):
        existence.answered(session, name, docker.check)
        there = containers.project_objects(project)
    if volumes:
        existence.own(name)
    kept = containers.owned("volume", project) if volumes else {}
    elsewhere.check(name)
    if not there and not kept:
        if session.workspace and not existence.configured(session, name):
            raise existence.unknown(session, name)
        session.terminal.say(f"{sandbox.typed(name)} is not running", Meaning.WARNS)
        working_tasks.tell(session.terminal, name, "down", "stops it", "stop them")
        return 0
    stop(session.terminal, name, volumes=volumes)
    if kept:
        session.terminal.say(
            f"{sandbox.typed(name)}: {number_of(len(kept), 'volume')} removed", Meaning.DONE
        )
    working_tasks.tell(session.terminal, name, "down", "stops it", "stop them")
    return 0


def _named(session: Session) -> str:
    """Return the workspace of the current directory.

    Raises:
        Refused: the configuration cannot be used; with a name it would not be needed.
    """
    try:
        origin = session.source()
    except Refused:
        session.terminal.say("`jailoc down NAME` goes on without the configuration", Meaning.WARNS)
        raise
    return session.chosen(origin)


def run_all(session: Session, volumes: bool = False) -> int:
    """Do so for every workspace: those of the configuration, and what is left of others."""
    every.alone(session.workspace)
    origin = session.source()
    known = names(origin.config)
    ask = volumes or any(existence.started(each) for each in origin.config.workspaces)
    left = observe.leftovers(known, origin.path, ask=ask)
    return every.workspace(
        session,
        (*origin.config.tasks, *known, *left),
        # What a task has is on its volumes.
        lambda each: run(each, volumes and sandbox.task_of(each.workspace or "") is None),
    )


def stop(terminal: Terminal, name: str, *, volumes: bool = False) -> None:
    """Remove the containers and the network of a workspace, with nobody else working on it."""
    project = sandbox.project(name)
    with (
        files.locked(cache_directory() / f"{name}.lock"),
        step(terminal, f"stopping {sandbox.typed(name)}"),
    ):
        containers.down(project, terminal.detail, volumes=volumes)
        for each in containers.owned("volume", project) if volumes else ():
            disk.remove_volume(each)
        made.take_away(terminal, name)
    terminal.say(f"{sandbox.typed(name)} stopped", Meaning.DONE)
