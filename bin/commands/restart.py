"""`restart`: stop a workspace and start it again."""

from jailoc.bin.commands.down import stop
from jailoc.bin.commands.up import where
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import apply, execute


def run(session: Session) -> int:
    """Stop a workspace and start it again; whatever could fail beforehand does so before that."""
    origin = apply.read(session, lambda each: (each.chosen(session.workspace),))
    each = apply.item(session, origin, origin.chosen(session.workspace), complete=True)
    if each.bundle is not None:
        execute.build(session.terminal, each.bundle)
    stop(session.terminal, each.name)
    apply.carry_out(session, each)
    session.terminal.say(f"{each.name} started {where(each)}", "green")
    return 0
