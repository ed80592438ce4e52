"""`undo`: return a workspace's files to a snapshot, after showing what that does."""

import difflib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jailoc.bin.commands import snapshot as snapshot_command
from jailoc.bin.commands import up
from jailoc.bin.config import facts
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import halt, journal, sharing, snapshots, undo
from jailoc.bin.deploy.snapshots import Store
from jailoc.bin.deploy.undo import Undone
from jailoc.bin.engine import tools
from jailoc.bin.host import files
from jailoc.bin.terminal import prompt
from jailoc.bin.terminal.step import step
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import unknown_workspace
from jailoc.generators.runtime.snapshots import SHOWN, as_told
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.path import clean
from jailoc.model.sandbox import WORKSPACE
from jailoc.model.snapshots import StoredSnapshot, Why
from jailoc.model.text import telling


@dataclass(frozen=True)
class Undo:
    """What was asked for."""

    to: str | None
    """The beginning of a snapshot's id."""
    goes_on: bool
    """Whether one that has begun is finished."""
    yes: bool


def run(session: Session, words: Sequence[str], asked: Undo) -> int:
    """Return a workspace's files to a snapshot, after showing what that does and asking.

    Args:
        session: The run.
        words: The workspace first, if it is named, and paths.
        asked: What was asked for.

    Raises:
        Refused: there is no such snapshot or path, nobody agreed, an undo is not finished, or
            something could not be restored.
    """
    origin = session.source(expectations=False)
    known = names(origin.config)
    if words and words[0] in known:
        session, words = session.of(words[0]), words[1:]
    # Where no workspace holds this directory, a word can be no path of one.
    elif (
        words
        and not os.path.lexists(words[0])
        and (_meant(words, known) or origin.chosen(session.workspace) not in known)
    ):
        raise unknown_workspace(words[0], known)
    if asked.goes_on and (words or asked.to):
        raise refuse(
            "usage",
            "--continue goes on with what has begun: it takes no snapshot and no path",
            allowed="jailoc undo [WORKSPACE] --continue",
        )
    name, store = snapshot_command.opened(session)
    with files.locked(facts.cache_directory() / f"{name}.lock"):
        done = _continued(session, name, store) if asked.goes_on else \
            _begun(session, name, store, words, asked)  # fmt: skip
    if done is None:
        return 0
    note = done.note
    again = f"`jailoc undo {name} --to {note.before[:8]}` takes this back"
    whole = not asked.goes_on and not words
    what = name if whole else telling(", ".join(note.targets))
    one = whole or len(note.targets) == 1
    as_before = "is as it was" if one else "are as they were"
    if done.in_the_way:
        shown = telling(", ".join(done.in_the_way[:SHOWN]))
        more = ", ..." if len(done.in_the_way) > SHOWN else ""
        as_before += f", but for what is too large or closed and stays in the way: {shown}{more}"
    style = Meaning.WARNS if done.in_the_way else Meaning.DONE
    session.terminal.say(f"{what} {as_before}; {again}", style)
    if note.started:
        _start(session.of(name))
    return 0


def _meant(words: Sequence[str], known: Sequence[str]) -> bool:
    """Tell whether a first word that is neither was to be a workspace: paths follow, or a slip."""
    near = difflib.get_close_matches(words[0], known, 1)
    return bool(re.fullmatch(WORKSPACE, words[0]) and (near or len(words) > 1))


def _continued(session: Session, name: str, store: Store) -> Undone:
    note = journal.read(name)
    if note is None:
        raise refuse("undo-nothing", f"no undo of `{name}` has begun",
                     hint=f"`jailoc undo {name}` begins one")  # fmt: skip
    tools.remove_left(name)
    to = _found(name, store.every(), note.snapshot)
    return _mending(session, name, store, lambda: undo.finish(session.terminal, store, note, to))


def _begun(
    session: Session, name: str, store: Store, words: Sequence[str], asked: Undo
) -> Undone | None:
    terminal = session.terminal
    journal.check(name)
    every = store.every()
    if not every:
        raise refuse(
            "undo-nothing",
            f"`{name}` has no snapshot to return to",
            hint=f"`jailoc snapshot {name}` takes one; `before_up = true` in "
            f"[workspaces.{name}.snapshots] one each time before the agent starts",
        )
    to = _found(name, every, asked.to) if asked.to else _last(name, every)
    undo.alone(store)
    targets = undo.targets_of(store, to, [clean(os.path.abspath(each)) for each in words])  # noqa: PTH100 -- no link is followed
    undo.make_roots(store, to)
    with step(terminal, f"taking a snapshot of {name} as it is now"):
        taken = store.take(Why.BEFORE_UNDO, {to.id})
    snapshots.tell(terminal, taken)
    now = taken.snapshot
    difference = store.difference(to, now, targets, taken.lacks.large if taken.lacks else ())
    for each in targets if words else ():
        if not os.path.lexists(each) and as_told(each) not in difference.met:
            raise refuse(
                "snapshot-path",
                f"`{telling(each)}` is neither there nor in snapshot {to.short}",
                hint=f"`jailoc undo {name}` without a path shows what differs",
            )
    if now.id == to.id or difference.nothing:
        what = f" in {telling(', '.join(targets))}" if words else ""
        for line in difference.lines():
            terminal.colored(telling(line), None)
        more = " else" if difference.stays.count else ""
        terminal.say(f"nothing{more} has changed{what} since snapshot {to.short}: "
                     f"`jailoc snapshot list {name}` shows others, for --to",
                     Meaning.WARNS)  # fmt: skip
        return None
    when = datetime.fromtimestamp(to.time, UTC)
    terminal.told(
        f"this undo returns {name} to snapshot {to.short} ({to.why}, {when:%Y-%m-%d %H:%M} UTC)"
    )
    for line in difference.lines():
        terminal.colored(telling(line), None)
    for line in store.moves(to, now, difference.repositories):
        terminal.colored(telling(line), None)
    if not difference.empty:
        terminal.result("permissions, times and links become those of the snapshot, too")
    if not asked.yes:
        question = f"do this{', and start the agent anew' if halt.agents(name) else ''}?"
        if not prompt.agreed(terminal, question, "this undo", "give --yes"):
            return None
    return _mending(session, name, store, lambda: undo.begin(terminal, store, to, now, targets))


def _mending(session: Session, name: str, store: Store, finish: Callable[[], Undone]) -> Undone:
    """Do it while no other agent that may write there can start; say what mends a half done one.

    Who may have been handed a directory there by what it has in common with another is halted.
    """
    origin, roots = session.source(expectations=False), store.roots
    others, done = halt.joined(name, roots), list[Undone]()

    def work(_: object) -> halt.Done:
        done.append(finish())
        return halt.Done()

    try:
        # First of all, as whoever takes a snapshot does: nobody waits for each other.
        with (
            sharing.kept_out(origin, roots, others, but=name) as locks,
            halt.alone((name, *others)),
        ):
            halt.during(lambda: halt.joined(name, roots), work, locks, by=tools.label(name))
        return done[0]
    except BaseException:
        if journal.place(name).exists():
            session.terminal.steady().say(
                f"the undo of {name} is not finished: `jailoc undo {name} --continue` goes on",
                Meaning.WARNS,
            )
        raise


def _found(name: str, every: Sequence[StoredSnapshot], wanted: str) -> StoredSnapshot:
    """Return the snapshot that is named by the beginning of its id.

    Raises:
        Refused: there is none, or more than one.
    """
    found = [each for each in every if each.id.startswith(wanted)]
    if not re.fullmatch("[0-9a-f]{4,64}", wanted) or len(found) != 1:
        raise refuse(
            "undo-nothing",
            f"`{name}` has {'more than one' if found else 'no'} snapshot `{wanted}`",
            allowed=", ".join(each.short for each in every[-8:]),
            hint=f"`jailoc snapshot list {name}` shows all",
        )
    return found[0]


def _last(name: str, every: Sequence[StoredSnapshot]) -> StoredSnapshot:
    """Return the last snapshot that was not taken for an undo.

    Raises:
        Refused: there is none.
    """
    found = [each for each in every if Why.BEFORE_UNDO.value not in each.tags]
    if not found:
        raise refuse(
            "undo-nothing",
            f"all snapshots of `{name}` were taken before an undo",
            allowed=", ".join(each.short for each in every[-8:]),
            hint="name one with --to",
        )
    return found[-1]


def _start(session: Session) -> None:
    """Make the agent's containers anew, as `up` does; there is a snapshot already."""
    try:
        # What has to be covered is told by the files as they are now.
        session.reread()
        up.run(session, brief=True, snapshot=False)
    except BaseException:
        again = f"its agent does not run: `jailoc up {session.workspace}` starts it"
        session.terminal.steady().say(again, Meaning.WARNS)
        raise
