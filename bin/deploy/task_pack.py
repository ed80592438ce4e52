"""A pack of a task's commits: it is received into a quarantine, checked there, and taken in."""

import errno
import mmap
import os
import re
import secrets
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.engine import git, git_objects
from jailoc.bin.host import files, folders, regular
from jailoc.generators.runtime.obeyed import LINK, Changed, changes
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.task import OBJECT, Task
from jailoc.model.text import last_words

PACK_BYTES = 512 << 20
"""Bytes of a pack."""
MOST_OBJECTS = 200_000
MOST_COMMITS = 2_000
"""Commits that are looked at one by one."""
MOST_UNDER = 50
"""Commits that new ones stand on, which are looked at, too."""
OBJECT_BYTES = 100 << 20
"""Bytes of one object."""
MOST_ENTRIES = 1_000_000
"""Files and directories of a commit."""
_LISTING = 256 << 20
"""Bytes of what Git lists."""
_LINK_BYTES = 4096
"""Bytes that the target of a link may have (PATH_MAX, limits.h)."""
_SHALLOW = 16 << 20
"""Bytes of the list of where a repository's history ends: 41 a commit."""
_PATIENCE = 300.0


class Commits(NamedTuple):
    """What came of a task, as it was checked."""

    tip: str
    new: int
    """Commits since the base."""
    changed: tuple[Changed, ...]
    tree: tuple[str, ...]
    """All paths at the tip."""
    links: tuple[Changed, ...]
    """Those of them that are symbolic links."""
    targets: dict[str, str | None]
    """Where these and changed ones lead, by their object."""
    passing: tuple[Changed, ...] | None = ()
    """What commits on the way make of any path; None where they are too many to be looked at."""
    before: tuple[Changed, ...] = ()
    """What is in those that they stand on."""


class Receiver:
    """What a container sends: the name of a commit on a line, then a pack, which goes to a file."""

    def __init__(self, place: Path) -> None:
        """Prepare to write a pack."""
        self._head, self.tip = b"", ""
        self._file = place.open("wb")

    def take(self, piece: bytes) -> None:
        """Take one piece.

        Raises:
            Refused: it does not begin with the name of a commit.
        """
        if self.tip:
            self._file.write(piece)
            return
        self._head += piece
        line, end, rest = self._head.partition(b"\n")
        if end or len(self._head) > 100:
            if re.fullmatch(OBJECT, line.decode("ascii", errors="replace")) is None:
                raise wrong("it names no commit", line)
            self.tip = line.decode("ascii")
            self._file.write(rest)

    def close(self) -> None:
        """Write what is left to the disk."""
        self._file.close()


def wrong(what: str, told: bytes = b"") -> Refused:
    """Return the refusal of what a task sent; the words are its agent's."""
    said = last_words(told)
    return refuse(
        "task-fetch",
        f"what the task sent is refused: {what}{f' ({said})' if said else ''}",
        hint="nothing of it is in your repository; look inside: `jailoc shell WORKSPACE/TASK`",
    )


@contextmanager
def quarantine(place: Path, repository: str, length: int) -> Iterator[Path]:
    """Make a repository of its own, with the objects of another beside its own; yield it.

    Args:
        place: Where; what an interrupted run has left there goes.
        repository: The other's Git directory.
        length: Of the names of its objects, in hexadecimal digits.

    Raises:
        Refused: it cannot be made.
    """
    shutil.rmtree(place, ignore_errors=True)
    files.make_private(place)
    try:
        kind = "sha256" if length == 64 else "sha1"
        made = git.forced(place, "init", "--quiet", "--bare", "--template=",
                          f"--object-format={kind}", timeout=_PATIENCE)  # fmt: skip
        if made.status != 0:
            raise wrong("there is no place to look at it", made.stderr)
        (place / "objects/info").mkdir(exist_ok=True)
        (place / "objects/info/alternates").write_bytes(os.fsencode(f"{repository}/objects\n"))
        # Where its history ends, that of a task may end, too.
        try:
            (place / "shallow").write_bytes(regular.read(f"{repository}/shallow", _SHALLOW))
        except FileNotFoundError:
            pass
        except regular.NotRegular as error:
            raise refuse(
                "task-fetch", f"`{repository}/shallow` cannot be read: it {error}",
                hint="look at what lies there: an agent may have made it",
            ) from None  # fmt: skip
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def unpack(place: Path, pack: Path) -> None:
    """Let Git read a pack in the quarantine: every object, and what each names.

    It is not completed with objects of the repository: an agent may have led those elsewhere.
    One without objects, where nothing is new, leaves none.

    Raises:
        Refused: it is no pack, too large a one, or holds what Git takes for an attack.
        OSError: the disk is full.
    """
    with pack.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"PACK":
            raise wrong("it is no pack", head[:12])
        (count,) = struct.unpack(">I", head[8:])
        if count > MOST_OBJECTS:
            raise wrong(f"it has {count:,} objects, and may have {MOST_OBJECTS:,}")
        if count == 0:
            return
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            reply = git.forced(
                place, "index-pack", "--stdin", "--strict", "--threads=1",
                stdin=mapped, timeout=_PATIENCE,
            )  # fmt: skip
    if reply.status != 0:
        if os.strerror(errno.ENOSPC).encode() in reply.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise wrong(reply.cut or "Git does not take it", reply.stderr)


def check(place: Path, task: Task, tip: str, *, unrelated: bool) -> Commits:
    """Look at what a tip brings, in the quarantine.

    Args:
        place: The quarantine.
        task: The task.
        tip: The commit that it names.
        unrelated: Whether it may have another history than the task began with.

    Raises:
        Refused: something is missing, or too large.
    """
    if _ask(place, "cat-file", "-t", tip) != b"commit\n":
        raise wrong(f"{tip} is no commit")
    related = git.forced(place, "merge-base", "--is-ancestor", task.base, tip, timeout=_PATIENCE)
    if related.status not in {0, 1}:
        raise wrong("its history cannot be read", related.stderr)
    if related.status == 1 and not unrelated:
        raise wrong(
            f"it does not descend from {task.base[:12]}, where the task began; --unrelated takes it"
        )
    new = _ask(place, "rev-list", "--objects", "--no-object-names", tip, f"^{task.base}",
               "--").split()  # fmt: skip
    if len(new) > MOST_OBJECTS:
        raise wrong(f"it has {len(new):,} new objects, and may have {MOST_OBJECTS:,}")
    for name, size in _sizes(place, new).items():
        if size is None or size > OBJECT_BYTES:
            what = "is missing" if size is None else f"has more than {OBJECT_BYTES >> 20} MiB"
            raise wrong(f"object {name} {what}")
    listed = _ask(place, "ls-tree", "-r", "-t", "-z", "--full-tree", tip)
    if listed.count(b"\0") > MOST_ENTRIES:
        raise wrong(f"it has more than {MOST_ENTRIES:,} files")
    entries = tuple(map(_entry, filter(None, listed.split(b"\0"))))
    tree = tuple(each.path for each in entries)
    links = tuple(each for each in entries if each.mode == LINK)
    changed = changes(_ask(place, "diff-tree", "-r", "-z", "--no-renames", "--raw", task.base, tip))
    told = _ask(place, "rev-list", "--boundary", tip, f"^{task.base}", "--").splitlines()
    commits = b"".join(each + b"\n" for each in told if not each.startswith(b"-"))
    under = [each[1:].decode("ascii") for each in told if each.startswith(b"-")]
    before = _before(place, under)
    passing = None if before is None else _passing(place, commits)
    targets = _targets(place, (*changed, *links, *(passing or ()), *(before or ())))
    return Commits(tip, commits.count(b"\n"), changed, tree, links, targets, passing, before or ())


def _before(place: Path, under: list[str]) -> tuple[Changed, ...] | None:
    """Return what is in the commits that new ones stand on; None of too many.

    Those that stand on an earlier one than the task began at have what was there.
    """
    found: dict[Changed, None] = {}
    for each in under[:MOST_UNDER]:
        listed = _ask(place, "ls-tree", "-r", "-t", "-z", "--full-tree", each)
        found |= dict.fromkeys(map(_entry, filter(None, listed.split(b"\0"))))
    return None if len(under) > MOST_UNDER else tuple(found)


def _entry(line: bytes) -> Changed:
    """Read a line of `git ls-tree`."""
    words, _, path = line.partition(b"\t")
    mode, _, name = words.decode("ascii").split(" ")
    return Changed(path.decode(errors="surrogateescape"), mode, name)


def _passing(place: Path, commits: bytes) -> tuple[Changed, ...] | None:
    """Return all that commits, one a line, make of any path, each once; None of too many.

    Whoever rebases or picks them checks out each.
    """
    if commits.count(b"\n") > MOST_COMMITS:
        return None
    reply = git.forced(
        place, "diff-tree", "--stdin", "-r", "-z", "-m", "--root", "--no-commit-id",
        "--no-renames", "--raw", stdin=commits, timeout=_PATIENCE, limit=_LISTING,
    )  # fmt: skip
    if reply.cut:
        return None
    if reply.status != 0:
        raise wrong("Git cannot read it", reply.stderr)
    return tuple(dict.fromkeys(each for each in changes(reply.stdout) if each.mode.strip("0")))


def _ask(place: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    reply = git.forced(place, *arguments, stdin=stdin, timeout=_PATIENCE, limit=_LISTING)
    if reply.status != 0:
        raise wrong(reply.cut or "Git cannot read it", reply.stderr)
    return reply.stdout


def _sizes(place: Path, names: list[bytes]) -> dict[str, int | None]:
    """Return the bytes of objects; None of those that are not there."""
    if not names:
        return {}
    told = _ask(place, "cat-file", "--batch-check=%(objectname) %(objectsize)",
                stdin=b"\n".join(names) + b"\n")  # fmt: skip
    rows = (line.split(" ") for line in told.decode("ascii").splitlines())
    return {row[0]: int(row[1]) if row[1].isdecimal() else None for row in rows}


def _targets(place: Path, changed: tuple[Changed, ...]) -> dict[str, str | None]:
    links = sorted({each.object for each in changed if each.mode == LINK})
    sizes = _sizes(place, [each.encode() for each in links])
    found: dict[str, str | None] = dict.fromkeys(links)
    short = [name for name, size in sizes.items() if size is not None and size <= _LINK_BYTES]
    try:
        texts = git_objects.contents(place, short, timeout=_PATIENCE, limit=_LISTING)
    except git_objects.Unreadable as error:
        raise wrong("Git cannot read it", str(error).encode()) from None
    for name, data in texts.items():
        found[name] = None if data is None else data.decode(errors="surrogateescape")
    return found


def take_in(place: Path, repository: str) -> None:
    """Put the packs of a quarantine into a repository: nothing names them yet.

    Raises:
        Refused: a link is on the way.
        OSError: the disk is full.
    """
    top = folders.resolved(Path(repository))
    with folders.opened(top, Path("objects/pack"), shared=True) as there:
        # A pack counts once it has an index, so that comes last.
        for end in (".pack", ".idx"):
            for file in sorted((place / "objects/pack").glob(f"pack-*{end}")):
                _copied(file, there)
        os.fsync(there)


def _copied(file: Path, folder: int) -> None:
    temporary = f"tmp_pack_{secrets.token_hex(8)}"  # `git gc` removes what a kill leaves
    kind = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with (
            file.open("rb") as data,
            os.fdopen(os.open(temporary, kind, 0o600, dir_fd=folder), "wb") as copy,
        ):
            shutil.copyfileobj(data, copy, 1 << 20)
            copy.flush()
            os.fchmod(copy.fileno(), 0o444)
            os.fsync(copy.fileno())
        os.rename(temporary, file.name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
