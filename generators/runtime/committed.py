"""What the user's own Git would write over a cover: content that an agent has staged or committed.

A cover holds a file against the agent, not against Git on the host, and an agent writes commits and
the index. What both had of the protected names when a sandbox was started is known; what came since
and is not in the working tree is told before somebody has Git write it.
"""

import hashlib
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Flag, auto
from typing import NamedTuple

from jailoc.generators.runtime.obeyed import LINK, beginnings, covered
from jailoc.model.path import within
from jailoc.model.repository import fold

Accepted = dict[str, tuple[str, ...]]
"""What Git may write at each path: modes and names of objects, as an index or a tree has them."""
_EXECUTABLE, _MODULE = "100755", "160000"


WORDS = "your own Git may write over what is covered"
"""How what is told of begins."""


class Where(Flag):
    """Where Git would take content from."""

    INDEX = auto()
    COMMIT = auto()
    MERGE = auto()
    """A side of a merge that is not finished."""
    STASH = auto()
    """The last of the stashed changes (git-stash(1))."""
    END = auto()
    """What Git goes back to when somebody ends what was begun (git-rebase(1), `--abort`)."""


COMMANDS = {
    Where.STASH: ("stashed", "`git stash pop`"),
    Where.END: (
        "in what a rebase, cherry-pick or bisection goes back to",
        "`git rebase --abort`, `git cherry-pick --abort` or `git bisect reset`",
    ),
    Where.MERGE: ("a side of a merge", "`git checkout --ours .` or `--theirs .`"),
    Where.INDEX: ("staged", "`git checkout .`"),
    Where.COMMIT: ("committed", "`git reset --hard`"),
    Where.INDEX | Where.COMMIT: ("staged and committed", "`git stash` and `git checkout .`"),
}
"""How content came there, and what writes it."""


_USUAL = Where.INDEX | Where.COMMIT


class TrackedLine(NamedTuple):
    """A line of a listing."""

    tracked: "Tracked"
    merge: bool
    """Whether it is a side of a merge."""


class Tracked(NamedTuple):
    """A protected path as an index or a tree has it."""

    path: str
    """Relative to the working tree."""
    mode: str
    """In octal."""
    object: str

    @property
    def entry(self) -> str:
        """Return what it is there."""
        return f"{self.mode} {self.object}"


class WorkingFile(NamedTuple):
    """What is in the working tree."""

    link: bool
    executable: bool
    data: bytes


def tracked(
    listing: bytes, top: str, root: str, entries: tuple[str, ...], shut: Collection[str] = ()
) -> Iterator[TrackedLine]:
    """Yield what a listing has of the names that are protected, and of what else is covered.

    Args:
        listing: The answer of `git ls-files --stage -z` or `git ls-tree -r -z`.
        top: The working tree.
        root: The path of the workspace that it is in, or that is in it.
        entries: What is protected there.
        shut: What is covered there, by whatever names it: absolute paths.

    Raises:
        ValueError: it is none.
    """
    first = beginnings(entries)
    held = _Shut(posixpath.relpath(each, top) for each in shut if within(each, top))
    inside = {b"": False}
    below = f"{posixpath.relpath(top, root)}/" if within(top, root) and top != root else ""
    above = f"{posixpath.relpath(root, top)}/" if within(root, top) and top != root else ""
    for record in listing.split(b"\0"):
        head, tab, path = record.partition(b"\t")
        if not tab:
            if record:
                raise ValueError("no line of a listing")
            continue
        folder, _, name = path.rpartition(b"/")
        if (there := inside.get(folder)) is None:
            there = inside[folder] = any(fold(each) in first for each in _text(folder).split("/"))
        named, inner = there or fold(_text(name)) in first, held.holds(folder, name)
        if not named and not inner:
            continue
        mode, *rest = head.decode("ascii").split(" ")
        if len(rest) != 2:
            raise ValueError("no line of a listing")
        of_tree = rest[0] in {"blob", "commit"}
        if mode == _MODULE:
            continue  # another repository's
        text = _text(path)
        place = text.removeprefix(above) if text.startswith(above) else None
        if inner or (named and place is not None and covered(below + place, entries)):
            object_ = rest[1] if of_tree else rest[0]
            yield TrackedLine(Tracked(text, mode, object_), not of_tree and rest[1] != "0")


class _Shut:
    """Tells whether a path of a working tree is or lies in what is covered there, or is above it.

    What a listing has above it is no directory: Git would put a link, say, in the place of one.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = {_folded(each) for each in paths}
        self._named = {each[:end] for each in self._paths for end in range(1, len(each) + 1)}
        self._folders = {each[:-1] for each in self._named}
        self._known: dict[bytes, tuple[bool, tuple[str, ...] | None]] = {}
        """Of a folder, whether it is or lies in one, and its name where one is just below it."""

    def holds(self, folder: bytes, name: bytes) -> bool:
        """Tell it of a name in a folder, relative to the working tree."""
        if not self._paths:
            return False
        if (found := self._known.get(folder)) is None:
            parts = _folded(_text(folder))
            lies = any(parts[:length] in self._paths for length in range(1, len(parts) + 1))
            found = self._known[folder] = (lies, parts if parts in self._folders else None)
        lies, parts_of = found
        return lies or (parts_of is not None and (*parts_of, fold(_text(name))) in self._named)


def _folded(path: str) -> tuple[str, ...]:
    return tuple(fold(each) for each in path.split("/") if each)


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def is_accepted(each: Tracked, accepted: Mapping[str, Collection[str]]) -> bool:
    """Tell whether what would be written at a path is known."""
    return each.entry in accepted.get(each.path, ())


def forged(name: str, data: bytes) -> bool:
    """Tell whether an object is not what it is called by (gitformat-pack(5), git-hash-object(1)).

    Git compares that when it receives objects and in `git fsck`, not when it checks out.
    """
    kind = "sha256" if len(name) == 64 else "sha1"
    made = hashlib.new(kind, b"blob %d\0" % len(data), usedforsecurity=False)
    made.update(data)
    return made.hexdigest() != name


def same(each: Tracked, data: bytes, held: WorkingFile | None) -> bool:
    """Tell whether Git would write what is in the working tree already.

    Lines may end as they do elsewhere (`core.autocrlf`), and a file may be executable where no file
    system tells (`core.fileMode`).
    """
    if held is None or held.link != (each.mode == LINK):
        return False
    if each.mode == _EXECUTABLE and not held.executable:
        return False
    return data in {held.data, held.data.replace(b"\r\n", b"\n")}


def merged(
    every: Iterable[Tracked], unlike: Collection[Tracked], accepted: Mapping[str, Collection[str]]
) -> Accepted:
    """Return what may be written from a start on.

    Args:
        every: What an index and a commit have.
        unlike: What of it came by an agent's hand and is not in the working tree.
        accepted: What was known before; it stays known where something is told of the path.
    """
    found: dict[str, dict[str, None]] = {}
    apart = {*unlike}
    for each in every:
        # A record is text (RFC 8259): another name is looked at each time.
        if each not in apart and each.path.isprintable():
            found.setdefault(each.path, {})[each.entry] = None
    for each in unlike:
        for entry in accepted.get(each.path, ()):
            found.setdefault(each.path, {})[entry] = None
    return {path: tuple(sorted(entries)) for path, entries in sorted(found.items())}


def line(place: str, where: Where, *, false: bool) -> str:
    """Say what Git would write at a place.

    Args:
        place: The path, absolute.
        where: Where it would take it from.
        false: Whether the object has not the content that it is called by.
    """
    how, commands = COMMANDS[
        where & _USUAL or where & Where.MERGE or where & Where.STASH or Where.END
    ]
    if false:
        return f"{place}: its object in Git is forged, and {commands} writes that"
    return f"{place}: {how} since the start, and {commands} writes it"
