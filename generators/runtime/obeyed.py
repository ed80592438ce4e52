"""What of a change the host would execute or obey, once somebody has checked it out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice, zip_longest
from typing import NamedTuple

from jailoc.model.host import Host
from jailoc.model.path import within
from jailoc.model.protect_entry import ANYWHERE, EVERYWHERE, INSTALLED, plain
from jailoc.model.repository import fold

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
    every = tuple(changed)
    entries = _obeyed(tuple(protected))
    whys = ((each.path, _why(each.path, entries)) for each in every)
    found = [
        *(Obeyed(path, why) for path, why in whys if why is not None),
        *(Obeyed(each.path, INSIDE) for each in every if each.mode == SUBMODULE),
        *_behind_links(every, there, entries),
        *_repositories({each.path for each in every}, there.paths),
        *_links(every, there.targets, there.paths),
        *_alike({each.path for each in every}, there.paths),
    ]
    return tuple(sorted(dict.fromkeys(found)))


def on_the_way(
    passing: Iterable[Changed],
    there: Committed,
    protected: Iterable[str],
    told: Collection[Obeyed],
) -> tuple[Obeyed, ...]:
    """Return the same of what commits before the last one have, but for what is told of that."""
    every = tuple(passing)
    paths = {*there.paths, *(each.path for each in every)}
    found = obeyed(every, there._replace(paths=paths), protected)
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
    turns = _turns([[*_turns([kinds[kind] for kind in sorted(kinds)])] for kinds in ranks])
    shown = set(islice(turns, most))
    rest = ((what, sum(each not in shown for each in line))
            for what, line in zip(_RANKS, lines, strict=True))  # fmt: skip
    return (
        tuple(each for line in lines for each in line if each in shown),
        tuple((what, count) for what, count in rest if count),
    )


def _turns(rows: Iterable[Iterable[Obeyed]]) -> Iterator[Obeyed]:
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


MOST_NAMES, MOST_CALLED = 100, 100_000
"""Names by links that are looked at, of one path and of all."""
LONGEST = 4096
"""Characters of a path (PATH_MAX, limits.h)."""


def _behind_links(
    changed: Iterable[Changed], there: Committed, entries: Mapping[str, Iterable[_Entry]]
) -> Iterator[Obeyed]:
    """Yield what the host executes or obeys by another name, that of a link to it."""
    names: dict[str, list[str]] = defaultdict(list)
    for each in there.links:
        target = there.targets.get(each.object)
        place = _led(each.path, target)[0] if target is not None else ""
        if place:
            names[fold(place)].append(each.path)
    left = MOST_CALLED
    for each in changed if names else ():
        for name in _called(each.path, names):
            left -= 1
            if left < 0:
                yield Obeyed(each.path, "a symbolic link leads to it, and no more are followed")
                return
            if (why := _why(name, entries)) is not None:
                yield Obeyed(each.path, f"{why}, as {name}, by a symbolic link")
                break


def _called(path: str, names: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield what a path is called by links: to it, to what it lies in, and to these links."""
    waiting, seen = [path], {path}
    while waiting and len(seen) < MOST_NAMES:
        here = place = waiting.pop()
        while place and len(seen) < MOST_NAMES:
            for link in names.get(fold(place), ())[:MOST_NAMES]:
                name = f"{link}{here[len(place) :]}"
                if name not in seen and len(name) <= LONGEST:
                    seen.add(name)
                    waiting.append(name)
                    yield name
            place = place.rpartition("/")[0]


OUTSIDE = "out of the tree"


def _led(path: str, target: str, folders: Collection[str] | None = None) -> tuple[str, str | None]:
    """Return where in the tree a link leads by its text, and how it leads elsewhere, or may.

    Only from a directory of the tree, if these are given, `..` leads where the text says; what is
    another link there, or becomes one, leads elsewhere (path_resolution(7)).
    """
    if target.startswith("/"):
        return "", OUTSIDE
    place = path.split("/")[:-1]
    for part in target.split("/"):
        if part == ".." and not place:
            return "", OUTSIDE
        if part == "..":
            if folders is not None and "/".join(place) not in folders:
                return "", "back from what is no directory of the tree"
            place.pop()
        elif part not in {"", "."}:
            place.append(part)
    return "/".join(place), OUTSIDE if ".git" in map(fold, place) else None


def _links(
    changed: Iterable[Changed], targets: Mapping[str, str | None], tree: Iterable[str]
) -> Iterator[Obeyed]:
    links = [each for each in changed if each.mode == LINK]
    folders = _with_above(each.rpartition("/")[0] for each in tree) if links else set()
    for each in links:
        target = targets.get(each.object)
        if target is None:
            yield Obeyed(each.path, "a symbolic link that leads nobody knows where")
        elif (how := _led(each.path, target, folders)[1]) is not None:
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
