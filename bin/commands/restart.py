"""`restart`: stop a workspace and start it again."""

from jailoc.bin.commands import every
from jailoc.bin.commands.down import stop
from jailoc.bin.commands.up import tell
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import apply, execute, existence, host_ports, projects
from jailoc.generators.config.resolve import names
from jailoc.model.diagnostic import Refused
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import typed, workspace_of


def run(session: Session) -> int:
    """Stop a workspace and start it again; whatever could fail beforehand does so before that."""
    name, terminal = session.chosen(session.source()), session.terminal
    first = existence.never(session, name)
    if first:
        terminal.say(f"{typed(name)} is not running", Meaning.WARNS)
    origin = apply.read(session, lambda each: (session.chosen(each),))
    each = apply.item(session, origin, name, complete=True)
    if each.bundle is not None:
        host_ports.possible(each.bundle)
        execute.build(terminal, each.bundle)
    over = first
    try:
        if not first:
            stop(terminal, name)
            over = True
            # Until then its agent could decide what was seen of its files.
            session.reread()
            origin = apply.read(session, lambda each: (session.chosen(each),))
            each = apply.item(session, origin, name, complete=True)
        apply.carry_out(session, each)
    except (KeyboardInterrupt, Refused) as error:
        # Where another jailoc is at work on it, nothing was stopped.
        if over or isinstance(error, KeyboardInterrupt):
            terminal.steady().say(
                f"{typed(name)} was stopped for its restart: `jailoc up {typed(name)}` starts it",
                Meaning.WARNS,
            )
        raise
    tell(session, each, "started", new=True)
    return 0


def run_all(session: Session) -> int:
    """Do so for every workspace that the configuration has and that runs, and every such task."""
    every.alone(session.workspace)
    config = session.source().config
    known = (*names(config), *config.tasks)
    if not any(existence.started(each) for each in known):
        session.terminal.say("nothing runs", Meaning.WARNS)
        return 0
    there = {
        workspace_of(each.project) for each in projects.containers() if each.state == "running"
    }
    return every.workspace(session, [each for each in known if each in there], run)
