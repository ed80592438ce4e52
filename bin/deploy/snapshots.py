"""The snapshots of a workspace: taking one, listing, bounding and comparing them.

Who calls holds the lock of the workspace.
"""

import base64
import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import halt, stored_references
from jailoc.bin.deploy.backup_progress import READ_MOST, Progress, TooLargeError
from jailoc.bin.deploy.made import below
from jailoc.bin.deploy.restic import READ, SHORT, Restic, complained, used
from jailoc.bin.engine import tools
from jailoc.bin.engine.tools import ToolMount
from jailoc.bin.host import files
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime import left_out, moved_references
from jailoc.generators.runtime.left_out import LeftOut
from jailoc.generators.runtime.snapshots import (
    UndoDifference,
    expired,
    line,
    listed,
    literal,
    oldest,
    passed_over,
    unchanged,
)
from jailoc.model.deployed import Deployed
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.host import Host
from jailoc.model.palette import Meaning
from jailoc.model.path import outermost
from jailoc.model.plan import Plan
from jailoc.model.quantity import size_text
from jailoc.model.sandbox import AGENT
from jailoc.model.snapshots import StoredSnapshot, Why
from jailoc.model.text import number_of
from jailoc.model.workspace import Workspace

INCOMPLETE = 3
"""restic's status where some files cannot be read."""
ANSWER = 16 << 20
"""Bytes of a list of snapshots: some 600 each."""
_DUMPED = (
    "while IFS=' ' read -r snapshot place; do "
    '"$@" dump --no-lock "$snapshot" "$place" </dev/null 2>/dev/null | '
    f"head -c {stored_references.MOST} | base64 -w 0; echo; done"
)
"""Answers each line with what lies at a place, a directory as a tar file; with nothing where
nothing is."""
_COVERED = "/tmp/covered"  # noqa: S108 -- in the container


class Taken(NamedTuple):
    """A snapshot that was asked for."""

    snapshot: StoredSnapshot
    new: bool
    """Whether anything differs from the one before; if not, it is that one."""
    unreadable: str
    """One of the files that could not be read and are not in it; empty if there are none."""
    lacks: LeftOut | None
    """What else is not in it, though nothing names it."""
    gone: int = 0
    """Earlier ones that went, because all together were too large."""


class Store:
    """The snapshots of one workspace."""

    def __init__(self, terminal: Terminal, workspace: Workspace, host: Host) -> None:
        """Prepare to use it; nothing is made yet.

        Args:
            terminal: Where it is told.
            workspace: The workspace.
            host: The machine.
        """
        self.restic = Restic(terminal, workspace, host)
        self._workspace, self._bounds = workspace, workspace.snapshots

    @property
    def roots(self) -> tuple[str, ...]:
        """Return the workspace paths, without those that lie in another, and without clones."""
        return outermost(each.path for each in self._workspace.paths if not each.cloned)

    def take(self, why: Why, spared: Collection[str] = ()) -> Taken:
        """Take a snapshot, and let those go that are too many, too old or too large together.

        Args:
            why: Why it is taken.
            spared: Ids of those that stay, however many there are.

        Raises:
            DockerError: the engine failed, or it took too long.
            Refused: a path is missing, the store cannot be used, or it is too small.
        """
        missing = [each for each in self.roots if not os.path.isdir(each)]  # noqa: PTH112 -- text
        if missing or not self.roots:
            raise refuse(
                "snapshot-path",
                f"`{missing[0]}` is no directory, so no snapshot is taken"
                if missing
                else f"workspace `{self._workspace.name}` has no path to take a snapshot of",
                hint="`jailoc undo` makes it anew from an earlier snapshot, if there is one"
                if missing
                else "give it `paths`",
            )
        self._made()
        told = Progress(self.restic.place, self._bounds)
        search = left_out.search(
            self.roots, passed_over(self._bounds.exclude), self._bounds.larger_than
        )
        # What writes through memory (mmap(2)) need not move a file's time: undo reads all anew.
        whole = ["--force"] if why is Why.BEFORE_UNDO else ["--skip-if-unchanged"]
        words = ["backup", "--json", "--host", "jailoc", *whole, "--tag", why.value,
             f"--exclude-larger-than={self._bounds.larger_than}",
             *(f"--exclude={literal(root)}/**/{each}" for root in self.roots
               for each in self._bounds.exclude),
             f"--exclude-file={_COVERED}", "--", *self.roots]  # fmt: skip
        # What a start made to be covered is none of the user's files, and goes with the sandbox.
        # restic notes nothing of the lines of a file: no undo leaves alone what they name.
        covered = "".join(f"{line(each)}\n" for each in below(self.roots))

        # restic follows what an agent puts in the place of a directory that it has listed.
        name = self._workspace.name

        def writers() -> tuple[str, ...]:
            return (name, *halt.joined(name, self.roots))

        try:
            reply = halt.during(writers, lambda _: self.restic.run(
                words,
                *(ToolMount(each, each) for each in self.roots),
                what="taking a snapshot",
                take=told.line,
                stdin=covered.encode(errors="surrogateescape"),
                script=f'cat >{_COVERED} || exit 1\n{search}exec "$@"',
                capabilities=READ,
            ), by=tools.label(name), patience=halt.LONG)  # fmt: skip
        except TooLargeError:
            # What was ended leaves files that no snapshot needs.
            self._unlocked()
            self.restic.run(["prune", "--max-unused=0"], what="removing what is left of a snapshot")
            raise self._too_large() from None
        if reply.status not in {0, INCOMPLETE} or not told.summary:
            raise self.restic.failed(reply)
        unreadable = (complained(reply) or "a file") if reply.status == INCOMPLETE else ""
        made, every = str(told.summary.get("snapshot_id") or ""), self.every()
        earlier = [each for each in every if {*each.paths} == {*self.roots} and each.id != made]
        if earlier and self._same(made, earlier[-1], every, told.summary):
            self._forgotten((), (made,) if made else ())
            return Taken(earlier[-1], False, unreadable, told.lacks)
        timely = self._timely(every, spared)
        left = self._fitting(timely, spared)
        found = next((each for each in left if each.id == made), None)
        if found is None:
            raise self._too_large()
        return Taken(found, True, unreadable, told.lacks, len(timely) - len(left))

    def _same(
        self,
        made: str,
        last: StoredSnapshot,
        every: Iterable[StoredSnapshot],
        summary: Mapping[str, object],
    ) -> bool:
        """Tell whether what was just taken is what the last snapshot is."""
        if not made or unchanged(summary, self.roots):
            return True
        # One for which all was read has no other to be measured by.
        forced = [each for each in every
                  if each.id == made and Why.BEFORE_UNDO.value in each.tags]  # fmt: skip
        return bool(forced) and self.difference(last, forced[0], self.roots).nothing

    def every(self) -> tuple[StoredSnapshot, ...]:
        """Return the snapshots, the oldest first.

        Raises:
            DockerError: the engine failed.
            Refused: the store cannot be read.
        """
        if not self.restic.exists:
            return ()
        reply = self.restic.run(
            ["snapshots", "--json", "--no-lock"], what="listing snapshots",
            timeout=SHORT, limit=ANSWER, changes=False,
        )  # fmt: skip
        if reply.status:
            raise self.restic.failed(reply)
        try:
            return listed(reply.stdout.decode(errors="replace"))
        except ValueError:
            raise self.restic.failed(reply) from None

    def difference(
        self,
        old: StoredSnapshot,
        new: StoredSnapshot,
        targets: Iterable[str],
        stays: Iterable[str] = (),
    ) -> UndoDifference:
        """Return what returning to a snapshot does to what is in a newer one.

        Args:
            old: What is returned to.
            new: What it is compared with.
            targets: The places that count.
            stays: Files that are left alone.

        Raises:
            DockerError: the engine failed.
            Refused: the store cannot be read.
        """
        found = UndoDifference(targets, stays)
        reply = self.restic.run(
            ["diff", "--json", "--metadata", "--no-lock", old.id, new.id],
            what="comparing snapshots",
            take=found.take,
            changes=False,
        )
        if reply.status:
            raise self.restic.failed(reply)
        return found

    def moves(
        self, old: StoredSnapshot, new: StoredSnapshot, repositories: Iterable[str]
    ) -> Iterator[str]:
        """Yield in words which branches returning to a snapshot moves.

        Args:
            old: What is returned to.
            new: What it is compared with.
            repositories: Git directories in which references differ, as restic tells them.

        Raises:
            DockerError: the engine failed.
        """
        for each in repositories:
            places = (f"{each}/refs", f"{each}/packed-refs")
            asked = [f"{one.id} {place}\n" for one in (old, new) for place in places]
            reply = self.restic.run(
                [],
                what="looking which branches move",
                limit=8 * stored_references.MOST,
                stdin="".join(asked).encode(errors="surrogateescape"),
                script=_DUMPED,
                changes=False,
            )
            parts = reply.stdout.split(b"\n")[:-1]
            if reply.status or len(parts) != len(asked):
                continue
            data = [base64.b64decode(part) for part in parts]
            before = stored_references.references(data[0], data[1], places[0])
            after = stored_references.references(data[2], data[3], places[0])
            told: Iterable[str] = ("its branches cannot be told",)
            if before is not None and after is not None:
                told = moved_references.moves(before, after)
            yield from (f"{each}: {line}" for line in told)

    def _made(self) -> None:
        """Make the store if there is none, and remove the locks of who was killed."""
        files.make_private(self.restic.place.parent)
        files.make_private(self.restic.place)
        tools.remove_left(self._workspace.name)
        if not self.restic.exists:
            if any(self.restic.place.glob("snapshots/*")):
                raise self.restic.damaged("its file `config` is missing", code="snapshot-store")
            # What a killed run has begun has keys of its own.
            for each in self.restic.place.iterdir():
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
            reply = self.restic.run(["init"], what="making the store of snapshots", timeout=SHORT)
            if reply.status:
                raise self.restic.failed(reply)
        self._unlocked()

    def _unlocked(self) -> None:
        locks = self.restic.place / "locks"
        if locks.is_dir() and any(locks.iterdir()):
            reply = self.restic.run(["unlock", "--remove-all"], what="unlocking", timeout=SHORT)
            if reply.status:
                raise self.restic.failed(reply)

    def _timely(
        self, every: tuple[StoredSnapshot, ...], spared: Collection[str]
    ) -> tuple[StoredSnapshot, ...]:
        """Let go those that are too many or too old; return what stays."""
        return self._forgotten(every, expired(every, self._bounds, time.time(), spared))

    def _fitting(
        self, every: tuple[StoredSnapshot, ...], spared: Collection[str]
    ) -> tuple[StoredSnapshot, ...]:
        """Let go what is too large; return what stays, nothing if even the newest is too large."""
        while used(self.restic.place) > self._bounds.size and every:
            gone = oldest(every, spared) or (every[-1].id,)
            if gone[0] in spared:
                break
            every = self._forgotten(every, gone, "--max-unused=0")
        return every

    def _forgotten(
        self, every: tuple[StoredSnapshot, ...], gone: tuple[str, ...], *options: str
    ) -> tuple[StoredSnapshot, ...]:
        if not gone:
            return every
        reply = self.restic.run(
            ["forget", "--prune", *options, *gone], what="removing old snapshots"
        )
        if reply.status:
            raise self.restic.failed(reply)
        return tuple(each for each in every if each.id not in gone)

    def _too_large(self) -> Refused:
        return refuse(
            "snapshot-size",
            f"a snapshot of `{self._workspace.name}` takes more than "
            f"{size_text(self._bounds.size)}, or reads more than {READ_MOST} times as much",
            hint="raise `size` in [workspaces.NAME.snapshots], or leave something out with "
            "`exclude` or `larger_than`",
        )


def before_start(terminal: Terminal, origin: LoadedConfig, found: Deployed, made: Plan) -> None:
    """Take a snapshot if the agent is about to start and the configuration says so.

    Raises:
        DockerError: the engine failed, or it took too long.
        Refused: it cannot be taken; then nothing starts.
    """
    workspace = resolve(origin.config, made.workspace, origin.host)
    agent = found.containers.get(AGENT)
    goes_on = agent is not None and agent.state == "running" and not made.agent_restarts
    here = [each for each in workspace.paths if not each.cloned]
    if goes_on or not (workspace.snapshots.before_up and here):
        return
    store = Store(terminal, workspace, origin.host)
    with step(terminal, f"taking a snapshot of {workspace.name}"):
        taken = store.take(Why.BEFORE_START)
    tell(terminal, taken)


def tell(terminal: Terminal, taken: Taken) -> None:
    """Say what a snapshot lacks, if it lacks anything."""
    for what in taken.lacks.told() if taken.lacks else ():
        terminal.say(f"snapshot {taken.snapshot.short} lacks {what}", Meaning.WARNS)
    if taken.unreadable:
        terminal.say(
            f"snapshot {taken.snapshot.short} lacks what cannot be read, such as "
            f"{taken.unreadable}: where an undo puts something in its place, it is gone for good",
            Meaning.WARNS,
        )
    if taken.gone:
        terminal.say(
            f"{number_of(taken.gone, 'earlier snapshot')} made room for it: together they are "
            "larger than `size`",
            Meaning.WARNS,
        )
