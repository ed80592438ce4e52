"""What a change of many workspaces does: the same change of several is one line, renames are none.

What is new is compared with a workspace of which nothing is said; what `[defaults]` gave every
workspace before, and give it still, is not told again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from jailoc.generators.powers.difference import changes, order
from jailoc.model.base import Model
from jailoc.model.compose import Bind
from jailoc.model.egress import Egress
from jailoc.model.mount import Mode
from jailoc.model.path import within
from jailoc.model.power import Direction, PowerChange, Rank, Sides
from jailoc.model.sandbox import AGENT, FIRST_PORT

Place = Callable[[str, PowerChange], str | None]
"""Where the entry behind a change of a workspace stands."""
States = Mapping[str, Sides]
MOST_ALIKE = 40
"""Workspaces that a new one is compared with, to see what every workspace has."""


class Fate(StrEnum):
    """What became of a workspace."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"


class Reviewed(Model):
    """One workspace."""

    name: str
    fate: Fate
    once: str | None = None
    """What it was called."""
    egress: Egress | None = None
    """What one that is added may reach of the internet; None for all others."""
    changes: tuple[PowerChange, ...] = ()

    def of(self, way: Direction) -> tuple[PowerChange, ...]:
        """Return the changes that go one way."""
        return tuple(each for each in self.changes if each.way is way)


class Finding(Model):
    """One change, and every workspace that it happens to."""

    change: PowerChange
    workspaces: tuple[str, ...]


class Review(Model):
    """All that a change does."""

    workspaces: tuple[Reviewed, ...]
    total: int
    """Workspaces that there are now."""
    findings: tuple[Finding, ...] = ()
    """The gravest first."""
    warnings: tuple[str, ...] = ()
    """What is accepted but worth a word, and was not there before."""
    reason: str | None = None
    """Why nothing changes, where that is known from the texts."""

    def of(self, way: Direction) -> tuple[Finding, ...]:
        """Return the findings that go one way."""
        return tuple(each for each in self.findings if each.change.way is way)

    def counts(self) -> dict[Rank, int]:
        """Return how many widenings there are of each rank."""
        found = Counter(each.change.rank for each in self.of(Direction.WIDENS))
        return {rank: found[rank] for rank in Rank if found[rank]}

    @property
    def worst(self) -> Rank | None:
        """Return the rank of the gravest widening."""
        return next(iter(self.counts()), None)


def review(
    before: States,
    after: States,
    bare: Sides,
    home: str,
    place: Place = lambda _name, _change: None,
    inherited: Sequence[Sides] = (),
) -> Review:
    """Compare all workspaces of two configurations.

    Args:
        before: The workspaces as they were, by name.
        after: As they will be.
        bare: A workspace of which a configuration says nothing.
        home: The home directory of both.
        place: Where the entry behind a change stands.
        inherited: What each workspace has without a word of its own table, before and after; where
            that is not known, of a new one all is told.
    """
    renamed = dict(_renamed(before, after, home))
    usual = _usual(before, after, renamed, bare, home, inherited)
    found: list[Reviewed] = []
    for name in sorted({*before, *after}):
        if name in renamed.values() and name not in after:
            continue
        found.append(_reviewed(name, before, after, bare, home, renamed, usual, inherited))
    found = _moved(found, before, after, renamed)
    found = _shared(found, before, after, renamed)
    found = [
        each.model_copy(
            update={
                "changes": tuple(
                    change.model_copy(update={"place": place(each.name, change)})
                    for change in each.changes
                )
            }
        )
        for each in found
    ]
    return gathered(found, len(after))


def gathered(found: Sequence[Reviewed], total: int) -> Review:
    """Return the review of workspaces that are compared already."""
    return Review(workspaces=tuple(found), total=total, findings=_findings(found))


def _reviewed(
    name: str,
    before: States,
    after: States,
    bare: Sides,
    home: str,
    renamed: Mapping[str, str],
    usual: frozenset[str],
    inherited: Sequence[Sides],
) -> Reviewed:
    if name in renamed:
        made = changes(before[renamed[name]], after[name], home)
        return Reviewed(name=name, fate=Fate.RENAMED, once=renamed[name], changes=made)
    if name not in after:
        return Reviewed(name=name, fate=Fate.REMOVED)
    if name not in before:
        egress = after[name].firewall.egress
        more = _new(after[name], bare, home, usual, inherited)
        return Reviewed(name=name, fate=Fate.ADDED, egress=egress, changes=more)
    made = changes(before[name], after[name], home)
    return Reviewed(name=name, fate=Fate.CHANGED if made else Fate.SAME, changes=made)


def _new(
    side: Sides, bare: Sides, home: str, usual: frozenset[str], inherited: Sequence[Sides]
) -> tuple[PowerChange, ...]:
    """Return what a new workspace may do; it had nothing before, so it has less of nothing.

    What every workspace has is left out, but not where this one says something else, or takes
    back what `[defaults]` kept from all.
    """
    found = [each for each in changes(bare, side, home) if each.widens and each.text not in usual]
    told = {(each.rule, each.subject) for each in found}
    for usually in inherited[:1]:
        found += [
            each
            for each in changes(usually, side, home)
            if each.widens and (each.rule, each.subject) not in told
        ]
    return tuple(sorted(found, key=order))


def _renamed(before: States, after: States, home: str) -> list[tuple[str, str]]:
    """Return the new and the old name of workspaces that are the same under another one."""
    gone = [name for name in before if name not in after]
    fresh = [name for name in after if name not in before]
    found: list[tuple[str, str]] = []

    def pair(alike: Callable[[Sides, Sides], bool]) -> None:
        for name in [*fresh]:
            old = next((each for each in gone if alike(before[each], after[name])), None)
            if old is not None:
                found.append((name, old))
                fresh.remove(name)
                gone.remove(old)

    pair(lambda old, new: all(each.way is Direction.SAME for each in changes(old, new, home)))
    # What works in the same places is the same one, too, with something changed.
    pair(lambda old, new: bool(_writes(old)) and _writes(old) == _writes(new))
    return found


def _writes(side: Sides) -> frozenset[str]:
    """Return the paths of the host that the configuration lets the agent of a workspace change."""
    agent = side.compose.services.get(AGENT)
    return frozenset(
        each.source.text
        for each in (agent.mounts if agent else ())
        if isinstance(each, Bind) and each.mode is Mode.READ_WRITE and each.source.origin
    )


def _usual(
    before: States,
    after: States,
    renamed: Mapping[str, str],
    bare: Sides,
    home: str,
    inherited: Sequence[Sides],
) -> frozenset[str]:
    """Return what `[defaults]` give beside what one has of which nothing is said.

    It is what they gave every workspace before: what one of them does without was not agreed to
    for all.
    """
    if not before or not inherited or all(name in before or name in renamed for name in after):
        return frozenset()
    found: frozenset[str] | None = None
    for side in (*inherited, *list(before.values())[:MOST_ALIKE]):
        mine = frozenset(each.text for each in changes(bare, side, home) if each.widens)
        found = mine if found is None else found & mine
        if not found:
            break
    return found or frozenset()


def _shared(
    found: list[Reviewed], before: States, after: States, renamed: Mapping[str, str]
) -> list[Reviewed]:
    """Say of what an agent may newly change whose it is, or was, beside."""
    now = {name: _writes(side) for name, side in after.items()}
    names = {old: new for new, old in renamed.items()}
    was = {names.get(name, name): _writes(side) for name, side in before.items()}
    made = []
    for each in found:
        changed = tuple(
            _of_others(each.name, change, now, was)
            if change.widens and change.rule == "write.path"
            else change
            for change in each.changes
        )
        made.append(each.model_copy(update={"changes": tuple(sorted(changed, key=order))}))
    return made


def _of_others(
    name: str,
    change: PowerChange,
    now: Mapping[str, frozenset[str]],
    was: Mapping[str, frozenset[str]],
) -> PowerChange:
    def owners(sides: Mapping[str, frozenset[str]]) -> list[str]:
        return sorted(
            other
            for other, paths in sides.items()
            if other != name
            and any(within(one, two) or within(two, one) for one in change.paths for two in paths)
        )

    others, former = owners(now), owners(was)
    if others and former:
        note = f"what the agent of {few(others)} changes, too"
    elif former:
        note = f"it was what the agent of {few(former)} works on"
    else:
        return change
    rank = min(change.rank, Rank.MEDIUM, key=lambda each: each.order)
    joint = "; " if ": " in change.text else ": "
    return change.model_copy(update={"rank": rank, "text": f"{change.text}{joint}{note}"})


def few(names: Sequence[str]) -> str:
    """Name three, or two and how many more there are."""
    more = f"{', '.join(names[:2])} and {len(names) - 2} more"
    return ", ".join(names) if len(names) <= 3 else more


def _port(side: Sides) -> int | None:
    server = side.compose.server
    return server.published if server else None


def _moved(
    found: list[Reviewed], before: States, after: States, renamed: Mapping[str, str]
) -> list[Reviewed]:
    """Say which ports lead to another workspace than before."""
    owners = {port: name for name, side in before.items() if (port := _port(side))}
    new_names = {old: new for new, old in renamed.items()}
    shifted = len(after) != len(before) or bool(renamed)
    made = []
    for each in found:
        port = _port(after[each.name]) if each.name in after else None
        owner = owners.get(port) if port is not None else None
        current = new_names.get(owner, owner) if owner is not None else None
        if owner is None or current == each.name or current not in after:
            made.append(each)
            continue
        # Where workspaces come or go, the ports of the others follow the order of the names.
        follows = shifted and port == FIRST_PORT + sorted(after).index(each.name)
        rank, way = (Rank.NOTE, Direction.SAME) if follows else (Rank.MEDIUM, Direction.WIDENS)
        what = f"port {port} leads to {each.name}, it was {owner}'s"
        change = PowerChange(
            rule="be-reached.moved",
            way=way,
            rank=rank,
            subject=str(port),
            text=f"{what} (ports follow the order of the names)"
            if follows
            else f"{what}: clients, bookmarks and scripts that go there meet another agent",
            before=owner,
            after=each.name,
            origin=f"workspaces.{each.name}.port",
        )
        fate = Fate.CHANGED if each.fate is Fate.SAME else each.fate
        both = tuple(sorted((*each.changes, change), key=order))
        made.append(each.model_copy(update={"changes": both, "fate": fate}))
    return made


def _findings(found: Sequence[Reviewed]) -> tuple[Finding, ...]:
    grouped: dict[tuple[object, ...], list[tuple[str, PowerChange]]] = {}
    for each in found:
        for change in each.changes:
            # Two values of one variable are two things, whatever is said of them.
            value = change.after if change.rule in {"run.variable", "hold.variable"} else None
            key = (change.rule, change.way, change.rank, change.text, value)
            grouped.setdefault(key, []).append((each.name, change))
    findings = [
        Finding(change=group[0][1], workspaces=tuple(name for name, _ in group))
        for group in grouped.values()
    ]
    # Of one rank, what happens to many comes first.
    return tuple(
        sorted(
            findings,
            key=lambda each: (
                *order(each.change)[:2],
                -len(each.workspaces),
                order(each.change)[2],
                each.workspaces,
            ),
        )
    )
