"""What of a change the host would execute or obey, once somebody has checked it out."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice, zip_longest
from typing import NamedTuple

from jailoc.model.path import upwards
from jailoc.model.protect_entry import ANYWHERE, plain
from jailoc.model.protected_names import DEFAULT
from jailoc.model.repository import fold

OBEYED = (".gitattributes", ".gitmodules", ".lfsconfig")
"""What Git itself reads in a tree: filters and merge drivers that it runs, and where it fetches."""
OBEYS, REPOSITORY = "Git obeys it", "Git takes it for a repository"
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
        *_repositories({each.path for each in every}, tree),
        *_links(every, targets),
        *_alike({each.path for each in every}, tree),
    ]
    return tuple(sorted(dict.fromkeys(found)))


def chosen(
    found: Iterable[Obeyed], most: int
) -> tuple[tuple[Obeyed, ...], tuple[tuple[str, int], ...]]:
    """Return what is told one by one, of every kind some, and how many more there are of which.

    What the host executes comes first, and no crowd of one kind hides another.
    """
    kinds: dict[str, list[Obeyed]] = defaultdict(list)
    for each in found:
        kinds[each.why.partition(",")[0]].append(each)
    order = sorted(kinds, key=lambda kind: (_rank(kind), kind))
    turns = (each for turn in zip_longest(*(kinds[kind] for kind in order)) for each in turn)
    shown = set(islice((each for each in turns if each is not None), most))
    rest = ((kind, sum(each not in shown for each in kinds[kind])) for kind in order)
    return (
        tuple(each for kind in order for each in kinds[kind] if each in shown),
        tuple((kind, count) for kind, count in rest if count),
    )


_RANKS = ("the host may execute it", REPOSITORY, "a symbolic link", OBEYS)


def _rank(kind: str) -> int:
    return next((at for at, each in enumerate(_RANKS) if kind.startswith(each)), len(_RANKS))


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
        return OBEYS
    for entry, anywhere, name in entries:
        starts = range(len(parts) - len(entry) + 1) if anywhere else (0,)
        if any(parts[at : at + len(entry)] == entry for at in starts):
            return f"the host may execute it ({name})"
    return None


def _folded(path: str) -> tuple[str, ...]:
    return tuple(map(fold, path.split("/")))


def _repositories(changed: Iterable[str], tree: Iterable[str]) -> Iterator[Obeyed]:
    """Yield directories that Git on the host takes for repositories once somebody is in them.

    Git looks for `HEAD`, `objects` and `refs` (setup.c, is_git_directory), or for a file that says
    where these are.
    """
    holds: dict[str, set[str]] = defaultdict(set)
    for path in tree:
        folder, _, name = path.rpartition("/")
        if folder and (folded := fold(name)) in {"head", "objects", "refs", "commondir"}:
            holds[folder].add(folded)
    found = {
        folder
        for folder, names in holds.items()
        if "head" in names and ({"objects", "refs"} <= names or "commondir" in names)
    }
    touched = {above for path in changed for above in upwards(f"/{path}")} if found else set()
    for each in sorted(found):
        if f"/{each}" in touched:
            yield Obeyed(each, f"{REPOSITORY}, and executes what its configuration says")


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
