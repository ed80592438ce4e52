"""What of a change the host would execute or obey, once somebody has checked it out."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from jailoc.model.protect import ANYWHERE, plain
from jailoc.model.protected_names import DEFAULT
from jailoc.model.repository import fold

OBEYED = (".gitattributes", ".gitmodules", ".lfsconfig")
"""What Git itself reads in a tree: filters and merge drivers that it runs, and where it fetches."""
LINK = "120000"
"""The mode of a symbolic link in a tree (gitformat-index)."""


class Changed(NamedTuple):
    """One path of a change, as diff-tree tells it."""

    path: str
    mode: str
    """In octal, as it becomes; zeros where it goes."""
    object: str
    """What it becomes."""


class Obeyed(NamedTuple):
    """One path, and why it is told."""

    path: str
    why: str


def changes(text: bytes) -> tuple[Changed, ...]:
    """Read the answer of `git diff-tree -r -z --no-renames`.

    Raises:
        ValueError: it is none.
    """
    fields = text.split(b"\0")
    if fields.pop():
        raise ValueError("it has no end")
    found = []
    for head, path in zip(fields[::2], fields[1::2], strict=True):
        words = head.decode("ascii").split(" ")
        if len(words) != 5 or not words[0].startswith(":"):
            raise ValueError("no line of diff-tree")
        found.append(Changed(path.decode(errors="surrogateescape"), words[1], words[3]))
    return tuple(found)


def obeyed(
    changed: Iterable[Changed],
    targets: Mapping[str, str | None],
    tree: Iterable[str],
    protected: Iterable[str],
) -> tuple[Obeyed, ...]:
    """Return what of a change somebody should look at before it is checked out, by path.

    Args:
        changed: What the change touches.
        targets: Where symbolic links lead, by their object; None where that cannot be told.
        tree: All paths that are there afterwards, directories too.
        protected: What `protect` covers, as the configuration has it.
    """
    every = tuple(changed)
    entries = _entries(tuple(protected))
    whys = ((each.path, _why(each.path, entries)) for each in every)
    found = [
        *(Obeyed(path, why) for path, why in whys if why is not None),
        *_links(every, targets),
        *_alike({each.path for each in every}, tree),
    ]
    return tuple(sorted(dict.fromkeys(found)))


def executed(path: str, protected: Iterable[str]) -> str | None:
    """Return why somebody should look at a path of a tree before the host has it, if so.

    Args:
        path: Relative to the tree.
        protected: What `protect` covers, as the configuration has it.
    """
    return _why(path, _entries(tuple(protected)))


@cache
def _entries(protected: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], bool, str], ...]:
    every = dict.fromkeys((*(f"{ANYWHERE}{each}" for each in DEFAULT), *protected))
    return tuple((_folded(plain(each)), each.startswith(ANYWHERE), plain(each)) for each in every)


def _why(path: str, entries: Iterable[tuple[tuple[str, ...], bool, str]]) -> str | None:
    parts = _folded(path)
    if parts[-1] in OBEYED or ".git" in parts:
        return "Git obeys it"
    for entry, anywhere, name in entries:
        starts = range(len(parts) - len(entry) + 1) if anywhere else (0,)
        if any(parts[at : at + len(entry)] == entry for at in starts):
            return f"the host may execute it ({name})"
    return None


def _folded(path: str) -> tuple[str, ...]:
    return tuple(map(fold, path.split("/")))


def _links(changed: Iterable[Changed], targets: Mapping[str, str | None]) -> Iterator[Obeyed]:
    for each in changed:
        if each.mode == LINK:
            target = targets.get(each.object)
            if target is None:
                yield Obeyed(each.path, "a symbolic link that leads nobody knows where")
            elif _outside(each.path, target):
                yield Obeyed(each.path, f"a symbolic link out of the tree, to {target}")


def _outside(path: str, target: str) -> bool:
    if target.startswith("/"):
        return True
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return place == ".." or place.startswith("../") or ".git" in _folded(place)


def _alike(changed: set[str], tree: Iterable[str]) -> Iterator[Obeyed]:
    """Yield names of one directory that some file systems take for one."""
    touched = {key[:end] for key in map(_folded, changed) for end in range(1, len(key) + 1)}
    groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for path in tree:
        if (key := _folded(path)) in touched:
            groups[key].add(path)
    for paths in groups.values():
        first, *others = sorted(paths)
        for each in others:
            yield Obeyed(each, f"some file systems take it for {first}")
