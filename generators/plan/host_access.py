"""What of the host a service can read and write, and how that changes.

The innermost mount of a place in the container decides there, so a path of the host may be
read-only inside of one that is writable.
"""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum

from jailoc.model.compose import Bind, Service
from jailoc.model.effect import Effect, Kind, Sign
from jailoc.model.mount import Mode
from jailoc.model.sandbox import AGENT, EMPTY, GENERATED

OWN = (GENERATED, "/etc/resolv.conf")
"""Where jailoc's own generated files are in every service; a user's mount may not be there."""
EACH = 8
"""Up to so many paths in one that itself does not change have a line of their own."""
SHOWN = 5


class Access(IntEnum):
    """What a service may do with a path of the host."""

    NOTHING = 0
    READ = 1
    WRITE = 2


class _Side:
    """The mounts of one service, with what holds for every path of the host."""

    def __init__(self, service: Service | None) -> None:
        mounts = service.mounts if service else ()
        self.targets = {
            each.target.text if isinstance(each, Bind) else each.target: each for each in mounts
        }
        self.sources: dict[str, list[Bind]] = {}
        folder = self.targets.get(GENERATED)
        empty = (
            f"{folder.source.text.rpartition('/')[0]}/{EMPTY}" if isinstance(folder, Bind) else ""
        )
        for each in mounts:
            own = isinstance(each, Bind) and each.mode is Mode.READ_ONLY
            if isinstance(each, Bind) and not (
                own and (each.target.text in OWN or each.source.text == empty)
            ):
                self.sources.setdefault(each.source.text, []).append(each)

    def places(self, path: str) -> tuple[tuple[str, Access], ...]:
        """Return where in the container a path of the host is, and what may be done there."""
        found: list[tuple[str, Access]] = []
        for above in _upwards(path):
            for bind in self.sources.get(above, ()):
                below = path[len(above) :].lstrip("/")
                place = posixpath.join(bind.target.text, below) if below else bind.target.text
                inner = next(
                    (self.targets[each] for each in _upwards(place) if each in self.targets), bind
                )
                if inner is bind:
                    writable = bind.mode is Mode.READ_WRITE
                    found.append((place, Access.WRITE if writable else Access.READ))
        return tuple(sorted(found))

    def access(self, path: str) -> Access:
        return max((each for _, each in self.places(path)), default=Access.NOTHING)


def _upwards(path: str) -> Iterator[str]:
    yield path
    while path != "/":
        path = posixpath.dirname(path)
        yield path


def _above(path: str, known: Mapping[str, object]) -> str | None:
    """Return the innermost known path that holds this one."""
    return next((each for each in _upwards(path) if each != path and each in known), None)


Turn = tuple[Access, Access]


def access(
    name: str, before: Service | None, after: Service | None, spell: Callable[[str], str]
) -> Iterator[Effect]:
    """Yield what becomes writable or readable, or stops being, and what is seen elsewhere.

    Args:
        name: The service.
        before: It as it was, if it was there.
        after: It as it will be.
        spell: How a path of the host is told.
    """
    old, new = _Side(before), _Side(after)
    prefix = "" if name == AGENT else f"{name}: "
    paths = sorted(old.sources.keys() | new.sources.keys())
    turns = {path: (old.access(path), new.access(path)) for path in paths}
    # Who speaks for a path: the outermost one that holds it and changes alike.
    speaker: dict[str, str] = {}
    inner: dict[str, list[str]] = {}
    for path in paths:
        above = _above(path, turns)
        same = above is not None and turns[above] == turns[path]
        speaker[path] = speaker[above] if above is not None and same else path
        if above is not None and not same and _stays_closed(turns[path], turns[above]):
            inner.setdefault(speaker[above], []).append(path)
    silent = {path for found in inner.values() for path in found}
    alike: dict[tuple[Turn, str], list[str]] = {}
    for path in paths:
        if turns[path][0] != turns[path][1] and speaker[path] == path and path not in silent:
            above = speaker[_above(path, turns) or path]
            alike.setdefault((turns[path], above), []).append(path)
    for (turn, above), found in alike.items():
        if len(found) > EACH and not {above, *inner} & {*found}:
            yield _effect(turn, f"{prefix}in {spell(above)}: {_few(above, found)}", found)
            continue
        for path in found:
            side = new if turn[1] > turn[0] else old
            inside = inner.get(path, [])
            but = f", read-only in it: {_few(path, inside)}" if inside else ""
            subject = prefix + spell(path) + _elsewhere(path, side) + but
            yield _effect(turn, subject, [path])
    for path in paths:
        if turns[path][0] == turns[path][1] and old.places(path) != new.places(path):
            yield Effect(
                kind=Kind.MOUNT,
                sign=Sign.CHANGED,
                subject=prefix + spell(path),
                before=_at(old, path),
                after=_at(new, path),
                paths=(path,),
            )


def _stays_closed(mine: Turn, above: Turn) -> bool:
    """Tell whether a path only stays read-only where what holds it comes or goes as writable."""
    return (above, mine) in {
        ((Access.NOTHING, Access.WRITE), (Access.NOTHING, Access.READ)),
        ((Access.WRITE, Access.NOTHING), (Access.READ, Access.NOTHING)),
    }


def _effect(turn: Turn, subject: str, paths: list[str]) -> Effect:
    less, more = sorted(turn)
    kind = Kind.WRITABLE if more is Access.WRITE else Kind.READABLE
    note = " (readable either way)" if less is Access.READ else ""
    sign = Sign.MORE if turn[1] > turn[0] else Sign.LESS
    return Effect(kind=kind, sign=sign, subject=subject + note, paths=tuple(paths))


def _elsewhere(path: str, side: _Side) -> str:
    """Say where it is in the container, unless it is at the same path."""
    places = [place for place, _ in side.places(path)]
    return "" if places == [path] else f" at {', '.join(places)}"


def _at(side: _Side, path: str) -> str:
    return "at " + ", ".join(place for place, _ in side.places(path))


def _few(above: str, paths: list[str]) -> str:
    """Name the first of many paths below another."""
    names = [each[len(above) :].lstrip("/") for each in paths]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
