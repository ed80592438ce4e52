"""What of the host a service can read and write, and how that changes.

The innermost mount of a place in the container decides there, so a path of the host may be
read-only inside of one that is writable.
"""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum

from jailoc.generators.powers.path_words import executed_tail, path_words
from jailoc.model import protect_entry
from jailoc.model.compose import Bind, Service
from jailoc.model.mount import Mode
from jailoc.model.path import upwards, within
from jailoc.model.power import Direction, PowerChange, Rank
from jailoc.model.sandbox import AGENT, AGENT_HOME, EMPTY, GENERATED, SSH_SOCKET

OWN = (GENERATED, "/etc/resolv.conf", f"{AGENT_HOME}/.gitconfig", f"{AGENT_HOME}/.ssh/known_hosts")
"""Where jailoc's own files are, and what has a rule of its own."""
PROTECT = "protect: "
"""What the origin of a mount begins with that only keeps something from being changed."""
EACH = 8
"""Up to so many paths in one that itself does not change have a line of their own."""
SHOWN = 5


class Access(IntEnum):
    """What a service may do with a path of the host."""

    NOTHING = 0
    READ = 1
    WRITE = 2


class Mounts:
    """The mounts of one service, with what holds for every path of the host."""

    def __init__(self, service: Service | None) -> None:
        mounts = service.mounts if service else ()
        self.targets = {
            each.target.text if isinstance(each, Bind) else each.target: each for each in mounts
        }
        self.sources: dict[str, list[Bind]] = {}
        folder = self.targets.get(GENERATED)
        generated = folder.source.text.rpartition("/")[0] if isinstance(folder, Bind) else None
        for each in mounts:
            if not isinstance(each, Bind) or each.target.text == SSH_SOCKET:
                continue
            if each.mode is Mode.READ_ONLY and each.target.text in OWN and not each.source.origin:
                continue
            if each.source.text == f"{generated}/{EMPTY}" and each.mode is Mode.READ_ONLY:
                continue  # in the place of what the agent is not to have
            self.sources.setdefault(each.source.text, []).append(each)

    def hidden(self) -> frozenset[str]:
        """Return the places of the host that are not seen, for something else is mounted there."""
        return frozenset(
            posixpath.join(bind.source.text, below[len(bind.target.text) :].lstrip("/"))
            for binds in self.sources.values()
            for bind in binds
            for below in self.targets
            if below != bind.target.text and within(below, bind.target.text)
        )

    def places(self, path: str) -> tuple[tuple[str, Access], ...]:
        """Return where in the container a path of the host is, and what may be done there."""
        found: list[tuple[str, Access]] = []
        for above in upwards(path):
            for bind in self.sources.get(above, ()):
                below = path[len(above) :].lstrip("/")
                place = posixpath.join(bind.target.text, below) if below else bind.target.text
                inner = next(
                    (self.targets[each] for each in upwards(place) if each in self.targets), bind
                )
                if inner is bind:
                    writable = bind.mode is Mode.READ_WRITE
                    found.append((place, Access.WRITE if writable else Access.READ))
        return tuple(sorted(found))

    def access(self, path: str) -> Access:
        """Return the most that may be done with a path of the host, wherever it is seen."""
        return max((each for _, each in self.places(path)), default=Access.NOTHING)

    def origin(self, path: str) -> str | None:
        """Return the entry behind what may be done with a path: that of what holds it."""
        for above in upwards(path):
            for bind in self.sources.get(above, ()):
                origin = bind.source.origin
                if origin and not (origin.startswith(PROTECT) and bind.mode is Mode.READ_WRITE):
                    return origin
        return None

    def covered(self, path: str) -> bool:
        """Tell whether a path is there only to be kept from being changed."""
        return any(
            each.mode is Mode.READ_ONLY and (each.source.origin or "").startswith(PROTECT)
            for each in self.sources.get(path, ())
        )

    def guarded(self, path: str) -> bool:
        """Tell whether a path is kept from being changed, or lies in what is."""
        return any(self.covered(each) for each in upwards(path))

    def mounted(self, path: str) -> bool:
        """Tell whether an entry has just this path written to, wherever it is."""
        return any(
            each.mode is Mode.READ_WRITE and not (each.source.origin or "").startswith(PROTECT)
            for each in self.sources.get(path, ())
        )


def _above(path: str, known: Mapping[str, object]) -> str | None:
    """Return the innermost known path that holds this one."""
    return next((each for each in upwards(path) if each != path and each in known), None)


Turn = tuple[Access, Access]
Entries = tuple[str, ...]
"""What is protected, as `protect` has it."""


def access(
    name: str,
    before: Service | None,
    after: Service | None,
    spell: Callable[[str], str],
    entries: tuple[Entries, Entries] = ((), ()),
) -> Iterator[PowerChange]:
    """Yield what becomes writable or readable, or stops being, and what is seen elsewhere.

    Args:
        name: The service.
        before: It as it was, if it was there.
        after: It as it will be.
        spell: How a path of the host is told.
        entries: What is protected, before and after; what changes in that is told by itself.
    """
    old, new = Mounts(before), Mounts(after)
    prefix = "" if name == AGENT else f"{name}: "
    sources = old.sources.keys() | new.sources.keys()
    paths = sorted(sources | old.hidden() | new.hidden())
    turns = {path: _turn(path, old, new, entries) for path in paths}
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
            words = f"{prefix}in {spell(above)}: {_few(above, found)}"
            yield _change(turn, words, found, spell, old, new, "")
            continue
        for path in found:
            side = new if turn[1] > turn[0] else old
            inside = inner.get(path, [])
            subject = prefix + spell(path) + _elsewhere(path, side)
            note = f"read-only in it: {_few(path, inside)}" if inside else ""
            if len(inside) > SHOWN:
                note = f"up to {len(inside)} places in it stay read-only"
            yield _change(turn, subject, [path], spell, old, new, note)
    for path in sorted(sources):
        if turns[path][0] == turns[path][1] and _sites(old, path) != _sites(new, path):
            yield PowerChange(
                rule="note.place",
                way=Direction.SAME,
                rank=Rank.NOTE,
                subject=prefix + spell(path),
                text=f"{prefix}{spell(path)} is at {_sites(new, path)}, it was at "
                f"{_sites(old, path)}",
                before=_sites(old, path),
                after=_sites(new, path),
                origin=new.origin(path),
                paths=(path,),
            )


def _turn(path: str, old: Mounts, new: Mounts, entries: tuple[Entries, Entries]) -> Turn:
    """Return what may be done before and after.

    Where a change of `protect` tells it, or what is found on the machine still protects a place,
    it is the same; not where an entry of its own mounts it.
    """
    before, after = old.access(path), new.access(path)
    if before is Access.READ and after is Access.WRITE and old.guarded(path):
        quiet = not new.mounted(path) and _told(path, *entries)
        return (before, before) if quiet else (before, after)
    if before is Access.WRITE and after is Access.READ and new.guarded(path):
        quiet = not old.mounted(path) and _told(path, *reversed(entries))
        return (after, after) if quiet else (before, after)
    return before, after


def _told(path: str, before: Entries, after: Entries) -> bool:
    if any(protect_entry.finds(each, path.lstrip("/")) for each in after):
        return True
    lost = [each for each in before if each not in after]
    return any(_ends(above, each) for above in upwards(path) for each in lost)


def _ends(path: str, entry: str) -> bool:
    return path.endswith(f"/{protect_entry.plain(entry)}")


def _stays_closed(mine: Turn, above: Turn) -> bool:
    """Tell whether a path only stays read-only where what holds it comes or goes as writable."""
    return (above, mine) in {
        ((Access.NOTHING, Access.WRITE), (Access.NOTHING, Access.READ)),
        ((Access.WRITE, Access.NOTHING), (Access.READ, Access.NOTHING)),
    }


def _change(
    turn: Turn,
    subject: str,
    paths: list[str],
    spell: Callable[[str], str],
    old: Mounts,
    new: Mounts,
    note: str,
) -> PowerChange:
    less, more = sorted(turn)
    writes, widens = more is Access.WRITE, turn[1] > turn[0]
    side, other = (new, old) if widens else (old, new)
    graded = [path_words(spell(each), writes=writes) for each in paths]
    rank, what = min(graded, key=lambda each: each[0].order)
    origin = side.origin(paths[0])
    if less is Access.READ:
        rank = min(rank, Rank.MEDIUM, key=lambda each: each.order)
    held = [each for each in other.sources if each != paths[0] and within(each, paths[0])
            and other.access(each) is more]  # fmt: skip
    if held and len(paths) == 1:
        top = min(held, key=len)
        what = "; ".join(filter(None, (what, f"more than {spell(top)}, which it holds")))
        rank = min(rank, Rank.HIGH, key=lambda each: each.order)
    protected = all(other.covered(each) for each in paths) and writes
    if protected and not what:
        what = next((f"the host obeys `{tail}`" for each in paths if (tail := executed_tail(each))),
                    "")  # fmt: skip
    either = " (it may read it either way)" if less is Access.READ else ""
    verbs = ("may change", "may no longer change") if writes else ("may read", "may no longer read")
    was = ", which was protected" if protected and widens else ""
    told = "; ".join(filter(None, (what if widens else "", note)))
    colon = f": {told}" if told else ""
    return PowerChange(
        rule="guard.protect" if protected else "write.path" if writes else "read.path",
        way=Direction.WIDENS if widens else Direction.NARROWS,
        rank=rank,
        subject=subject,
        text=f"{verbs[not widens]} {subject}{was}{either}{colon}",
        before=turn[0].name.lower(),
        after=turn[1].name.lower(),
        origin=None if origin is None else origin.removeprefix(PROTECT),
        paths=tuple(paths),
    )


def _elsewhere(path: str, side: Mounts) -> str:
    """Say where it is in the container, unless it is at the same path."""
    sites = _sites(side, path)
    return "" if sites == path else f" at {sites}"


def _sites(side: Mounts, path: str) -> str:
    return ", ".join(dict.fromkeys(place for place, _ in side.places(path)))


def _few(above: str, paths: list[str]) -> str:
    """Name the first of many paths below another."""
    names = [each[len(above) :].lstrip("/") for each in paths]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
