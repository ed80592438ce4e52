"""`up`: make a workspace run as the configuration says, and wait until its server answers."""

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import apply, execute
from jailoc.model.sandbox import WALL


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
        session.terminal.say(f"{name} started {where(each)}", "green")
    else:
        session.terminal.say(f"{name} already running {where(each)}", "yellow")
    return 0


def where(each: apply.Item) -> str:
    """Say where the server of a workspace can be found."""
    ports = each.bundle.compose.services[WALL].ports if each.bundle else ()
    return f"on port {ports[0].published}" if ports else "exec-only, port not exposed"
