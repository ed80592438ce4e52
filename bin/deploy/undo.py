"""Return a workspace's files to a snapshot: journalled, so that a kill at any moment can be mended.

A directory that is mounted cannot be swapped in one step. What has begun goes on with `resume`,
from any state, and ends in the same one.
"""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.deploy import elsewhere, halt, journal
from jailoc.bin.deploy.restore import restore, turned
from jailoc.bin.deploy.snapshots import Store
from jailoc.bin.engine import containers, halting, tools
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import refuse
from jailoc.model.path import first_within, upwards, within
from jailoc.model.sandbox import AGENT, typed
from jailoc.model.snapshots import StoredSnapshot, UndoJournal, Why


class Undone(NamedTuple):
    """An undo that is finished."""

    note: UndoJournal
    """Its journal as it was last."""
    in_the_way: tuple[str, ...]
    """What stays in the place of what the snapshot has: too large, or closed."""


def alone(store: Store) -> None:
    """Make sure that no other agent can write what an undo returns.

    It would go on while files are restored, and what is mounted over files that are replaced would
    lapse in its container.

    Raises:
        DockerError: the engine did not answer.
        Refused: one runs.
    """
    name = store.restic.workspace.name
    elsewhere.check(name)
    for other, shared in halt.sharing(name, store.roots).items():
        elsewhere.check(other)
        if halt.agents(other):
            raise refuse(
                "undo-shared",
                f"`{typed(other)}` runs and can write in `{shared}`, too: its agent would go on "
                "while files are restored",
                hint=f"stop it first: `jailoc down {typed(other)}`",
            )


def make_roots(store: Store, to: StoredSnapshot) -> None:
    """Make the workspace paths that are gone; a snapshot can be restored to them then.

    Raises:
        Refused: one cannot be made.
    """
    for root in store.roots:
        if root in to.paths and not Path(root).exists():
            try:
                Path(root).mkdir()
            except OSError as error:
                raise refuse(
                    "snapshot-path",
                    f"`{root}` is gone and cannot be made: {error.strerror}",
                    hint="make the directory, then try again",
                ) from None


def begin(
    terminal: Terminal,
    store: Store,
    to: StoredSnapshot,
    before: StoredSnapshot,
    targets: tuple[str, ...],
) -> Undone:
    """Return targets to a snapshot.

    Raises:
        DockerError: the engine failed.
        Refused: something could not be restored; the journal stays.
    """
    note = UndoJournal(
        snapshot=to.id, before=before.id, targets=targets,
        started=any(each.service == AGENT for each in halt.agents(store.restic.workspace.name)),
    )  # fmt: skip
    journal.write(store.restic.workspace.name, note)
    return finish(terminal, store, note, to)


def finish(terminal: Terminal, store: Store, note: UndoJournal, to: StoredSnapshot) -> Undone:
    """Restore all that a journal names, from whatever state, and remove the journal.

    The agent's containers go: what is mounted in them may be files that are no more.

    Raises:
        DockerError: the engine failed.
        Refused: something could not be restored, or another workspace's agent can write there; the
            journal stays, unless nothing is changed yet.
    """
    name = store.restic.workspace.name
    agents = halt.agents(name)
    try:
        alone(store)
        # A run that was killed may have left one that still writes.
        tools.remove_left(name)
        for each in agents:
            _pause(each)
        make_roots(store, to)
        if not note.restoring:
            # What the agent wrote while somebody was asked is not lost either.
            last = store.take(Why.BEFORE_UNDO, {to.id, note.before}).snapshot.id if agents else None
            note = note.model_copy(update={"before": last or note.before, "restoring": True})
            journal.write(name, note)
    except BaseException:
        if not note.restoring:
            for each in agents:
                halting.resume(each.id)
            journal.remove(name)
        raise
    for each in agents:
        # A halted one runs on for a moment when it is ended: before anything is restored.
        containers.remove(each.id)
    directories, in_the_way = turned(store.restic, to, note.before), list[str]()
    for target in note.targets:
        root = first_within(target, store.roots)
        if root is None:
            raise refuse(
                "undo-failed",
                f"`{target}` was to be restored and is in no path of `{name}` any more",
                hint="put it back into `paths`, then run `jailoc undo --continue` again",
            )
        with step(terminal, f"restoring {target}"):
            in_the_way += restore(store.restic, to, root, target, directories)
    journal.remove(name)
    return Undone(note, tuple(in_the_way))


def _pause(container: Container) -> None:
    """Halt a container; stop it where the engine cannot halt one."""
    if halting.halted(container):
        return
    try:
        halting.pause(container.id)
    except DockerError:
        containers.stop(container.id)


def targets_of(store: Store, to: StoredSnapshot, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return what is restored: the wanted paths, or every workspace path that the snapshot has.

    Raises:
        Refused: a wanted one is in no workspace path, or the snapshot has none of them.
    """
    known = tuple(each for each in store.roots if each in to.paths)
    for each in wanted:
        if not any(within(each, root) for root in known):
            raise refuse(
                "snapshot-path",
                f"`{each}` is in no path of `{store.restic.workspace.name}` that snapshot "
                f"{to.short} has",
                allowed=", ".join(known) or "none",
            )
        link = next((place for place in reversed([*upwards(each)])
                     if place != each and first_within(place, known) and place not in known
                     and Path(place).is_symlink()), None)  # fmt: skip
        if link is not None:
            raise refuse(
                "snapshot-path",
                f"a symbolic link is on the way to `{each}`: `{link}`",
                hint=f"return what is in its place: `jailoc undo {store.restic.workspace.name} "
                f"{shlex.quote(link)}`",
            )
    found = tuple(dict.fromkeys(wanted)) or known
    if not found:
        raise refuse(
            "snapshot-path",
            f"snapshot {to.short} has none of the paths that "
            f"`{store.restic.workspace.name}` has now",
            allowed=", ".join(to.paths),
        )
    return found
