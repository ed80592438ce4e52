"""`up`: make a workspace run as the configuration says, and wait until its server answers."""

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import apply, execute
from jailoc.model.palette import Meaning


def run(session: Session, pull: bool = False) -> int:
    """Make a workspace run as the configuration says, and wait until its server answers.

    With `pull`, the images that others are built on are fetched anew.
    """
    origin = apply.read(session, lambda each: (each.chosen(session.workspace),))
    name = origin.chosen(session.workspace)
    each = apply.item(session, origin, name, complete=True, pull=pull)
    if each.bundle is not None:
        execute.build_unknown(session.terminal, each.bundle)
    if apply.carry_out(session, each):
        session.terminal.say(f"{name} started {where(each)}", Meaning.DONE)
    else:
        session.terminal.say(f"{name} already running {where(each)}", Meaning.WARNS)
    return 0


def where(each: apply.Item) -> str:
    """Say where the server of a workspace can be found."""
    server = each.bundle.compose.server if each.bundle else None
    return f"on port {server.published}" if server else "exec-only, port not exposed"
