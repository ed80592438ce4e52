"""Where symbolic links in a tree of Git's lead by their text, and what paths are called by them.

Nothing is checked out for it: the file system that it would be on is not asked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from jailoc.model.repository import fold

MOST_NAMES = 100
"""Names by links that are looked at, of one path."""
MOST_CALLED = 100_000
"""Names by links that are looked at, of all paths."""
LONGEST = 4096
"""Characters of a path (PATH_MAX, limits.h)."""
OUTSIDE = "out of the tree"


def led(path: str, target: str, folders: Collection[str] | None = None) -> tuple[str, str | None]:
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


def by_target(links: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    """Return links by the folded place in the tree that each leads to.

    Args:
        links: Each with its text; None where that cannot be told.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for link, target in links:
        place, how = led(link, target) if target is not None else ("", OUTSIDE)
        if how is None:
            found[fold(place)].append(link)
    return found


def by_way(links: Iterable[tuple[str, str | None]]) -> tuple[dict[str, str], str | None]:
    """Return links that lead elsewhere, or may, by way of another one, each with that one.

    Also say where no more were followed, if not all were: `MOST_CALLED` names of links are.

    Args:
        links: As for `by_target`.
    """
    every = [*links]
    names, below, waiting = by_target(every), defaultdict[str, list[str]](list), list[str]()
    for link, target in every:
        place, how = led(link, target) if target is not None else ("", OUTSIDE)
        if how is not None:
            waiting.append(link)
            continue
        for above in _upwards(place):
            below[fold(above)].append(link)
    out, found, left = {*waiting}, dict[str, str](), MOST_CALLED
    while waiting:
        link = waiting.pop()
        more, whole = called(link, names)
        left -= len(more)
        if left < 0 or not whole:
            return found, link
        for name in (link, *more):
            for each in below.get(fold(name), ()):
                if each not in out:
                    out.add(each)
                    found[each] = link
                    waiting.append(each)
    return found, None


def called(path: str, names: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], bool]:
    """Return what a path is called by links: to it, to what it lies in, and to these links.

    Also say whether that is all. A link that leads to where it lies itself is followed once.
    """
    waiting, seen = [(path, frozenset[str]())], {path: None}
    while waiting:
        here, taken = waiting.pop()
        for place in _upwards(here):
            for link in names.get(fold(place), ()):
                name = f"{link}/{here[len(place) :].lstrip('/')}".rstrip("/")
                if name in seen or link in taken or len(name) > LONGEST:
                    continue
                if len(seen) > MOST_NAMES:
                    return (*seen,)[1:], False
                seen[name] = None
                waiting.append((name, taken | {link}))
    return (*seen,)[1:], True


def _upwards(path: str) -> Iterator[str]:
    """Yield a path of a tree, and what it lies in; the top is nothing."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""
