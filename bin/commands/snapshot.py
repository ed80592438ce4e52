"""`snapshot`: keep what a workspace's paths hold now, and list what was kept."""

from jailoc.bin.config import facts
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import existence, halt, journal, sharing, snapshots
from jailoc.bin.deploy.snapshots import Store
from jailoc.bin.engine import docker
from jailoc.bin.host import files
from jailoc.bin.terminal.step import step
from jailoc.generators.config.resolve import resolve
from jailoc.generators.views.snapshots import data, described, table
from jailoc.model.palette import Meaning
from jailoc.model.snapshots import Why


def take(session: Session) -> int:
    """Take a snapshot of a workspace's paths.

    Raises:
        Refused: a path is missing, the store cannot be used, or an undo is not finished.
    """
    name, store = opened(session, makes=True)
    terminal = session.terminal
    with files.locked(facts.cache_directory() / f"{name}.lock"):
        journal.check(name)
        origin, others = session.source(expectations=False), halt.joined(name, store.roots)
        with (
            sharing.kept_out(origin, store.roots, others, but=name),
            step(terminal, f"taking a snapshot of {name}"),
        ):
            taken = store.take(Why.ASKED)
    snapshots.tell(terminal, taken)
    if not taken.new:
        terminal.say("nothing has changed since the last one", Meaning.WARNS)
    terminal.colored(described(taken.snapshot), None)
    return 0


def show(session: Session, as_json: bool) -> int:
    """List the snapshots of a workspace, the newest last.

    Raises:
        Refused: the store cannot be used.
    """
    name, store = opened(session)
    every = store.every()
    if as_json:
        session.terminal.data({"workspace": name, "snapshots": [data(each) for each in every]})
        return 0
    if not every:
        session.terminal.say(f"{name} has no snapshots", Meaning.WARNS)
    for line in table(every, session.clock()):
        session.terminal.colored(line, None)
    return 0


def opened(session: Session, *, makes: bool = False) -> tuple[str, Store]:
    """Return the workspace that is meant, and its snapshots.

    Args:
        session: The run.
        makes: Whether an engine is needed also where there are none yet.

    Raises:
        Refused: there is no such workspace, it is another user's, or no engine answers.
    """
    origin = session.source(expectations=False)
    name = session.chosen(origin)
    store = Store(session.terminal, resolve(origin.config, name, origin.host), origin.host)
    if store.restic.exists or makes:
        docker.check_engine()
        existence.own(name)
    return name, store
