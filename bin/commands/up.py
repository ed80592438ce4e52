"""`up`: make a workspace run as the configuration says, and wait until its server answers."""

import sys

from jailoc.bin.commands import every, offer
from jailoc.bin.config import append
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import DEFAULT, LoadedConfig, current_directory
from jailoc.bin.deploy import apply, execute, existence, preflight
from jailoc.bin.terminal import prompt
from jailoc.generators.config.resolve import names, resolve
from jailoc.generators.config.select import select
from jailoc.generators.views.started import place, started
from jailoc.model.diagnostic import Refused
from jailoc.model.palette import Meaning
from jailoc.model.path import tilde, within
from jailoc.model.plan import Plan
from jailoc.model.plan_address import ServiceAddress
from jailoc.model.sandbox import AGENT, typed
from jailoc.model.text import telling


def run(session: Session, pull: bool = False, *, brief: bool = False, snapshot: bool = True) -> int:
    """Make a workspace run as the configuration says, and wait until its server answers.

    Args:
        session: The run.
        pull: Whether the images that others are built on are fetched anew.
        brief: Whether it goes without saying how to go on.
        snapshot: Whether one is taken first, where the configuration says so.
    """
    if _asks(session):
        return _asked(session, pull, brief=brief, snapshot=snapshot)
    origin = apply.read(session, lambda each: (session.chosen(each),))
    name = session.chosen(origin)
    _tell_empty(session, origin, name)
    if session.workspace is None:
        _tell_elsewhere(session, origin, name)
    each = apply.item(session, origin, name, complete=True, pull=pull)
    if each.bundle is not None:
        if (
            sys.stdin.isatty()
            and preflight.certificates(session.terminal, each.bundle)
            and not prompt.ask(session.terminal, "Build all the same?")
        ):
            session.terminal.say("nothing is built, and nothing started", Meaning.WARNS)
            return 1
        execute.build_unknown(session.terminal, each.bundle)
    done = apply.carry_out(session, each, snapshot=snapshot)
    what = "already running" if done is None else "started" if _starts(done) else "changed"
    tell(session, each, what, new=done is not None, brief=brief)
    return 0


def _starts(done: Plan) -> bool:
    """Tell whether a plan has started the agent."""
    return any(
        isinstance(each.address, ServiceAddress) and each.address.name == AGENT
        for each in done.changes
    )


def _asks(session: Session) -> bool:
    """Tell whether somebody is there to be asked for a configuration, and there is none."""
    nameless = session.workspace is None and sys.stdin.isatty()
    return nameless and session.starter and not existence.started(DEFAULT)


def _asked(session: Session, pull: bool, *, brief: bool, snapshot: bool) -> int:
    """Start the workspace of the current directory, once there is one."""
    origin, here = session.source(), current_directory()
    name = session.chosen(origin)
    workspace = resolve(origin.config, name, origin.host)
    offer.addable(session, workspace, here)
    if not offer.taken(session, workspace, here):
        return 0
    with append.kept_if_done(session):
        return run(session.of(name), pull, brief=brief, snapshot=snapshot)


def _tell_empty(session: Session, origin: LoadedConfig, name: str) -> None:
    """Say before a first start, which builds for minutes, that a workspace holds no directory."""
    workspace = resolve(origin.config, name, origin.host)
    own = (each for each in workspace.mounts if not each.origin.startswith("built-in"))
    if workspace.paths or any(own) or existence.started(name):
        return
    how = f"`jailoc add DIRECTORY -w {typed(name)}`"
    if origin.starter:
        how = "`jailoc init --here` in a project, or `jailoc add DIRECTORY`,"
    session.terminal.say(
        f"workspace {typed(name)} holds no directory, so its agent will see none of your files: "
        f"{how} gives it one",
        Meaning.WARNS,
    )


def _tell_elsewhere(session: Session, origin: LoadedConfig, name: str) -> None:
    """Say whose directory the current one is not, where nobody has named a workspace."""
    here, paths = current_directory(), origin.config.workspaces[name].paths
    if not paths or here == origin.host.home or select(origin.config, here):
        return
    if any(within(each, here) for each in paths):
        return
    adds = "; `jailoc add` adds it"
    try:
        append.check_path(session, name, here)
    except Refused:  # such as a system's directory
        adds = ""
    session.terminal.say(
        f"{telling(tilde(here, origin.host.home))} is in no workspace, so this is about "
        f"{typed(name)}{adds}",
        Meaning.WARNS,
    )


def run_all(session: Session, pull: bool = False) -> int:
    """Do so for every workspace, and every task that runs, one after the other."""
    every.alone(session.workspace)
    config = session.source().config
    wanted = (*names(config), *every.running_tasks(config))
    return every.workspace(session, wanted, lambda each: run(each, pull))


def tell(session: Session, each: apply.Item, what: str, *, new: bool, brief: bool = False) -> None:
    """Say that a workspace runs, where, how to go on, and what is open."""
    workspace = resolve(each.origin.config, each.name, each.origin.host)
    style = Meaning.DONE if new else Meaning.WARNS
    session.terminal.say(f"{typed(each.name)} {what} {place(workspace)}", style)
    for line in () if brief else started(workspace, each.origin.host.home):
        session.terminal.say(f"  {line}")


def where(each: apply.Item) -> str:
    """Say where the server of a workspace can be found."""
    server = each.bundle.compose.server if each.bundle else None
    return f"on port {server.published}" if server else "exec-only, port not exposed"
