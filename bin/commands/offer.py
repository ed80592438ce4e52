"""The question before a directory comes into a workspace, and the first configuration with it."""

from contextlib import suppress

from jailoc.bin.attach import readiness
from jailoc.bin.config import append
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import existence
from jailoc.bin.engine import docker
from jailoc.bin.terminal import prompt
from jailoc.generators.config.starter import name_of
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.workspace import Workspace


def addable(session: Session, workspace: Workspace, target: str) -> None:
    """Make sure that a directory could be added to a workspace.

    Raises:
        Refused: it cannot.
    """
    name = workspace.name
    try:
        append.check_path(session, name, target)
    except Refused as error:
        first = error.diagnostics[0]
        other = next((each.path for each in workspace.paths), None)
        raise refuse(
            first.code,
            f"`{target}` is not in workspace `{name}` and cannot be added to it: {first.message}",
            allowed=first.allowed,
            hint=f"run `jailoc {other}` to work there"
            if other
            else "go to a project, and run `jailoc init --here` there",
        ) from None


def taken(session: Session, workspace: Workspace, target: str) -> bool:
    """Offer to add a directory to a workspace; tell whether it is in the file now."""
    name = workspace.name
    own = f"`jailoc init --here` makes a workspace of its own for this directory: {name_of(target)}"
    if session.starter:
        session.terminal.say(f"there is no configuration; {own}", Meaning.WARNS)
        question = f"Make one with {target} in a workspace called {name}?"
    else:
        session.terminal.say(own)
        restart = ", and start its agent anew" if _runs(name) else ""
        question = f"{target} is not in workspace {name}. Add it{restart}?"
    if not prompt.ask(session.terminal, question):
        session.terminal.say("nothing was changed", Meaning.WARNS)
        return False
    append.path(session, name, target)
    return True


def _runs(name: str) -> bool:
    with suppress(docker.DockerError, Refused):
        return existence.started(name) and readiness.services(name).running
    return False
