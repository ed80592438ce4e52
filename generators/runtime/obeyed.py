"""What of a change the host would execute or obey, once somebody has checked it out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice, zip_longest
from typing import NamedTuple, TypeVar

from jailoc.generators.runtime.tree_links import (
    MOST_CALLED,
    OUTSIDE,
    by_target,
    by_way,
    called,
    led,
)
from jailoc.model.host import Host
from jailoc.model.path import within
from jailoc.model.protect_entry import ANYWHERE, EVERYWHERE, INSTALLED, plain
from jailoc.model.repository import fold

_Row = TypeVar("_Row")
OBEYED = (".gitattributes", ".gitmodules", ".lfsconfig")
"""What Git itself reads in a tree: filters and merge drivers that it runs, and where it fetches."""
OBEYS, REPOSITORY = "Git obeys it", "Git takes it for a repository"
INSIDE = f"{OBEYS}: it is a commit of a repository inside (`git submodule update`)"
LINK, SUBMODULE = "120000", "160000"
"""The modes of a symbolic link and of a submodule in a tree (gitformat-index)."""


class Changed(NamedTuple):
    """One path of a change, as diff-tree tells it."""

    path: str
    mode: str
    """In octal, as it becomes; zeros where it goes."""
    object: str
    """What it becomes."""


class Committed(NamedTuple):
    """What is there after a change."""

    paths: Collection[str]
    """All of them, directories too."""
    targets: Mapping[str, str | None]
    """Where links lead, changed ones too, by their object; None where that cannot be told."""
    links: Collection[Changed] = ()
    """What of it is a symbolic link."""


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
    changed: Iterable[Changed], there: Committed, protected: Iterable[str]
) -> tuple[Obeyed, ...]:
    """Return what of a change somebody should look at before it is checked out, by path.

    Args:
        changed: What the change touches.
        there: What is there afterwards.
        protected: What `protect` covers, as the configuration has it.
    """
    return _obeyed_of(tuple(changed), there, there.paths, _obeyed(tuple(protected)))


def on_the_way(
    passing: Iterable[Changed],
    there: Committed,
    before: Iterable[Changed],
    protected: Iterable[str],
    told: Collection[Obeyed],
) -> tuple[Obeyed, ...]:
    """Return the same of what commits before the last one have, but for what is told of that.

    Args:
        passing: What they make of any path.
        there: What is there after the last one.
        before: What is in those that they stand on.
        protected: What `protect` covers, as the configuration has it.
        told: What is told of the last one.
    """
    every, stood = tuple(passing), tuple(before)
    paths = {*there.paths, *_with_above(each.path for each in every)}
    links = dict.fromkeys(each for each in (*there.links, *stood, *every) if each.mode == LINK)
    around = there._replace(paths=paths, links=tuple(links))
    reached = {*paths, *(each.path for each in stood)}
    found = _obeyed_of(every, around, reached, _obeyed(tuple(protected)))
    return tuple(
        each._replace(why=f"{each.why}, in a commit before the last")
        for each in found
        if each not in told
    )


def named(host: Host, tops: Iterable[str]) -> Iterator[str]:
    """Yield what the user's configuration of Git names in a working tree, as `protect` would.

    Args:
        host: The machine; trees are those of the paths that its agents write.
        tops: What the working tree is called.
    """
    every = [*host.named]
    for tree in host.trees.values():
        every += tree.named
        every += (each for repository in tree.repositories for each in repository.named)
    for top in tops:
        for each in every:
            for path in (each.path, each.real):
                if path != top and within(path, top):
                    yield path[len(top.rstrip("/")) + 1 :]


_RANKS = (
    "the host may execute it", REPOSITORY, "a symbolic link", OBEYS,
    "some file systems take it for another",
)  # fmt: skip
"""How the reasons begin, the gravest first; the last one is for all others."""


def chosen(
    found: Iterable[Obeyed], most: int
) -> tuple[tuple[Obeyed, ...], tuple[tuple[str, int], ...]]:
    """Return what is told one by one, and how many more there are of what.

    No crowd hides another: ranks take turns, and in a rank the kinds do.
    """
    ranks: list[dict[str, list[Obeyed]]] = [defaultdict(list) for _ in _RANKS]
    for each in found:
        ranks[_rank(each.why)][each.why.partition(",")[0]].append(each)
    lines = [[each for _, kind in sorted(kinds.items()) for each in kind] for kinds in ranks]
    ordered = turns([[*turns([kinds[kind] for kind in sorted(kinds)])] for kinds in ranks])
    shown = set(islice(ordered, most))
    rest = ((what, sum(each not in shown for each in line))
            for what, line in zip(_RANKS, lines, strict=True))  # fmt: skip
    return (
        tuple(each for line in lines for each in line if each in shown),
        tuple((what, count) for what, count in rest if count),
    )


def turns(rows: Iterable[Iterable[_Row]]) -> Iterator[_Row]:
    """Yield the first of each row, then the second of each, and so on."""
    return (each for turn in zip_longest(*rows) for each in turn if each is not None)


def _rank(why: str) -> int:
    return next((at for at, each in enumerate(_RANKS) if why.startswith(each)), len(_RANKS) - 1)


def executed(path: str, protected: Iterable[str]) -> str | None:
    """Return why somebody should look at a path of a tree before the host has it, if so.

    Args:
        path: Relative to the tree.
        protected: What `protect` covers, as the configuration has it.
    """
    return _why(path, _obeyed(tuple(protected)))


def protected_name(path: str) -> str | None:
    """Return the built-in name by which this machine executes or obeys a path by itself, if any.

    Nobody opens a project in what a package manager has installed.

    >>> protected_name("/home/alice/api/.Devcontainer/x.json")
    '.devcontainer'
    """
    parts = _folded(path)
    end = next((at for at, part in enumerate(parts) if part in INSTALLED), len(parts))
    first = _first(parts[:end], _obeyed(()))
    return first.name if first else None


def covered(path: str, entries: tuple[str, ...]) -> bool:
    """Tell whether one of some entries of `protect` is about a path, or about what it lies in.

    Args:
        path: Relative to the workspace path.
        entries: Those alone.
    """
    return _first(_folded(path), _entries(entries)) is not None


def beginnings(entries: tuple[str, ...]) -> frozenset[str]:
    """Return the folded first parts of entries: what has none of them is covered by none."""
    return frozenset(_entries(entries))


class _Entry(NamedTuple):
    at: int
    """Which one it is: of several the first counts."""
    parts: tuple[str, ...]
    anywhere: bool
    name: str


def _obeyed(protected: tuple[str, ...]) -> dict[str, list[_Entry]]:
    return _entries((*EVERYWHERE, *protected))


def _obeyed_of(
    every: tuple[Changed, ...],
    there: Committed,
    reached: Collection[str],
    entries: Mapping[str, Iterable[_Entry]],
) -> tuple[Obeyed, ...]:
    """Return it, where links and repositories may reach more paths than are there at once."""
    whys = ((each.path, _why(each.path, entries)) for each in every)
    found = [
        *(Obeyed(path, why) for path, why in whys if why is not None),
        *(Obeyed(each.path, INSIDE) for each in every if each.mode == SUBMODULE),
        *_behind_links(every, there._replace(paths=reached), entries),
        *_repositories({each.path for each in every}, reached),
        *_links(every, there),
        *_alike({each.path for each in every}, there.paths),
    ]
    return tuple(sorted(dict.fromkeys(found)))


@cache
def _entries(every: tuple[str, ...]) -> dict[str, list[_Entry]]:
    """Return what is executed, by the first part: a path may have very many parts."""
    found: dict[str, list[_Entry]] = defaultdict(list)
    for at, each in enumerate(dict.fromkeys(every)):
        parts = _folded(plain(each))
        found[parts[0]].append(_Entry(at, parts, each.startswith(ANYWHERE), plain(each)))
    return dict(found)


def _why(path: str, entries: Mapping[str, Iterable[_Entry]]) -> str | None:
    parts = _folded(path)
    if parts[-1] in OBEYED or ".git" in parts:
        return OBEYS
    first = _first(parts, entries)
    return f"the host may execute it ({first.name})" if first else None


def _first(parts: tuple[str, ...], entries: Mapping[str, Iterable[_Entry]]) -> _Entry | None:
    hits = (
        each
        for start, part in enumerate(parts)
        for each in entries.get(part, ())
        if (each.anywhere or start == 0) and parts[start : start + len(each.parts)] == each.parts
    )
    return min(hits, default=None)


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
    touched = _with_above(changed) if found else set()
    for each in sorted(found):
        if each in touched:
            yield Obeyed(each, f"{REPOSITORY}, and executes what its configuration says")


def _with_above(paths: Iterable[str]) -> set[str]:
    """Return paths with the directories that they lie in, each looked at once."""
    found: set[str] = set()
    for each in paths:
        place = each
        while place and place not in found:
            found.add(place)
            place = place.rpartition("/")[0]
    return found


def _behind_links(
    changed: Iterable[Changed], there: Committed, entries: Mapping[str, Iterable[_Entry]]
) -> Iterator[Obeyed]:
    """Yield what the host executes or obeys by another name, that of a link to it.

    What was there before counts, too, where the link is new.
    """
    every = tuple(changed)
    touched = dict.fromkeys(each.path for each in every)
    fresh = {each.path for each in every if each.mode == LINK}
    pairs = [(each.path, there.targets.get(each.object)) for each in there.links]
    names = by_target(pairs)
    before = by_target(pair for pair in pairs if pair[0] not in fresh)
    stayed = (path for path in there.paths if path not in touched) if fresh else ()
    left, cut = MOST_CALLED, ""
    for path in (*touched, *stayed) if names else ():
        found, whole = called(path, names)
        left -= len(found)
        if left < 0:
            cut = path
            break
        whys = ((name, why) for name in found if (why := _why(name, entries)) is not None)
        known, as_before = called(path, before) if found and path not in touched else ((), True)
        told = next(
            # What Git obeys it reads by no link.
            (f"{why}, as {name}, by a symbolic link" for name, why in whys
             if path in touched or (why != OBEYS and name not in known)),
            None,
        )  # fmt: skip
        if told is not None:
            yield Obeyed(path, told)
        elif not whole and as_before:
            cut = path
    if cut:
        yield Obeyed(cut, "a symbolic link leads to it, and no more are followed")


def _links(changed: Iterable[Changed], there: Committed) -> Iterator[Obeyed]:
    """Yield links that lead elsewhere, or may: also older ones, over what is a link now."""
    links = [each for each in changed if each.mode == LINK]
    if not links:
        return
    above = _with_above(each.rpartition("/")[0] for each in there.paths)
    # What is a link in one of several commits is a directory in none.
    folders = above - {each.path for each in (*links, *there.links)}
    fresh = {each.path for each in links}
    every = dict.fromkeys((*links, *there.links))
    ways, cut = by_way((each.path, there.targets.get(each.object)) for each in every)
    if cut is not None:
        yield Obeyed(cut, "a symbolic link that others may lead by, and no more are followed")
    for each in links:
        target = there.targets.get(each.object)
        if target is None:
            yield Obeyed(each.path, "a symbolic link that leads nobody knows where")
        elif (how := led(each.path, target, folders)[1]) is not None:
            yield Obeyed(each.path, f"a symbolic link {how}, to {target}")
        elif (way := ways.get(each.path)) is not None:
            yield Obeyed(each.path, f"a symbolic link {OUTSIDE} by way of {way}, to {target}")
    for each in there.links:
        target = there.targets.get(each.object)
        if target is None or each.path in fresh or ".." not in target:
            continue
        how = led(each.path, target, folders)[1]
        if how is not None and led(each.path, target, folders | fresh)[1] is None:
            yield Obeyed(each.path, f"a symbolic link {how}, to {target}")


def _alike(changed: set[str], tree: Iterable[str]) -> Iterator[Obeyed]:
    """Yield names of one directory that some file systems take for one."""
    touched = _with_above("/".join(_folded(each)) for each in changed)
    seen: dict[str, str] = {}
    several: dict[str, set[str]] = {}
    for path in tree:
        if (key := "/".join(_folded(path))) in touched and seen.setdefault(key, path) != path:
            several.setdefault(key, {seen[key]}).add(path)
    for paths in several.values():
        first, *others = sorted(paths)
        for each in others:
            yield Obeyed(each, f"some file systems take it for {first}")
