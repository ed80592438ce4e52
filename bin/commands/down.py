"""`down`: remove the containers and the network of a workspace; its volumes stay."""

from jailoc.bin.config.session import Session
from jailoc.bin.engine import containers, docker
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model import sandbox
from jailoc.model.diagnostic import refuse


def run(session: Session) -> int:
    """Remove a workspace's containers and network; its volumes stay.

    A name that the configuration does not have (any more) works too: the engine knows its labels.
    """
    wanted = session.workspace
    name = wanted or session.source().chosen(None)
    docker.check()
    if not containers.project_objects(sandbox.project(name)):
        if wanted:
            known = session.source().config.workspaces
            if name not in known:
                raise refuse(
                    "workspace-unknown",
                    f"workspace `{name}` not found, and the engine has nothing of that name",
                    allowed=", ".join(sorted(known)) or "none is configured",
                )
        session.terminal.say(f"{name} is not running", "yellow")
        return 0
    stop(session.terminal, name)
    return 0


def stop(terminal: Terminal, name: str) -> None:
    """Remove the containers and the network of a workspace, with nobody else working on it."""
    with files.locked(cache_directory() / f"{name}.lock"):
        terminal.say(f"stopping {name}")
        containers.down(sandbox.project(name), terminal.quote)
    terminal.say(f"{name} stopped", "green")
