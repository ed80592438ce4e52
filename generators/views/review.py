"""The reviewer's first screen, and the same as Markdown: what a change newly makes possible."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, zip_longest

from jailoc.generators.powers.entries import nearby
from jailoc.generators.powers.review import Fate, Finding, Review, Reviewed, few
from jailoc.model.egress import Egress
from jailoc.model.palette import Meaning
from jailoc.model.power import Direction, PowerChange, Rank
from jailoc.model.text import cut, number_of, telling

LINES = 40
"""Of the first screen."""
WIDTH = 240
"""Characters of a line at most."""
WORD = 80
"""Characters of a name or path at most."""
_LONG = rf"\S{{{WORD + 1},}}"
WHOLE = {"run.command"}
"""What is told in full, however long it is: what is left out would run, too."""
_SUMS, _LESS, _NOTED, _WARNED = 8, 3, 4, 3
"""Lines for the sums of workspaces; texts of what is less, of what is no power, and warnings."""
RANKS = {Rank.CRITICAL: Meaning.FAILS, Rank.HIGH: Meaning.OPENS, Rank.MEDIUM: Meaning.WARNS}
_FIRST = 8
"""Lines of what comes before all else."""
_MOST = {Rank.MEDIUM: 12, Rank.LOW: 5}
"""Lines of what is not grave."""
_EACH = 3
"""Plain names and ports that are told; of more, these and how many more."""
_PORTS_NOTE = ": by the user's browser and programs"
_FOLDED: dict[str, Callable[[PowerChange], str]] = {
    "reach.name": lambda change: change.subject.partition(" ")[0],
    "be-reached.port": lambda change: f"127.0.0.1:{change.after}",
}
"""What is told of each where many are put together."""
REACH = {
    Egress.PUBLIC: "every public address is open",
    Egress.ALLOWLIST: "only what it names is open",
    Egress.NONE: "nothing is open",
}
"""What is said of one that is added, the widest first."""
Line = tuple[str, Meaning | None]
"""A text, and what its colour means."""


def plainly(text: str) -> str:
    """Write a text so that nothing in it deceives, and cut what is long in its middle."""
    shown = re.sub(_LONG, lambda match: cut(match[0], WORD), telling(text))
    return shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 1]}…"


def told(change: PowerChange) -> str:
    """Write what changes: short, but for what must not be."""
    return telling(change.text) if change.rule in WHOLE else plainly(change.text)


def quiet(review: Review) -> bool:
    """Tell whether nothing is newly possible, but for plain new workspaces that one line tells."""
    new = any(review.of(Direction.WIDENS))
    return _plain(review) and not (new and len(telling(_new(review))) > WIDTH)


def _plain(review: Review) -> bool:
    return all(
        finding.change.rank is Rank.LOW and set(finding.workspaces) <= _added(review)
        for finding in review.of(Direction.WIDENS)
    )


def _added(review: Review) -> set[str]:
    return {each.name for each in review.workspaces if each.fate is Fate.ADDED}


def headline(review: Review) -> str:
    """Return the whole in one line."""
    if not quiet(review):
        wider = {name for each in review.of(Direction.WIDENS) for name in each.workspaces}
        told = ", ".join(f"{count} {rank}" for rank, count in review.counts().items())
        less = len(review.of(Direction.NARROWS))
        more = f"; {number_of(less, 'thing')} less" if less else ""
        who = f"{len(wider)} of {number_of(review.total, 'workspace')}"
        return f"{who} may do more: {told}{more}"
    why = _why(review)
    if review.of(Direction.WIDENS):
        return _new(review)
    fewer = any(review.of(Direction.NARROWS)) or Fate.REMOVED in {
        each.fate for each in review.workspaces
    }
    return f"no power {'is added' if fewer else 'changes'}: {why}"


def _new(review: Review) -> str:
    return f"{_why(review)}; no other power changes"


def _why(review: Review) -> str:
    """Say why a change is safe."""
    reasons = []
    added = sorted(_added(review))
    if added:
        own = [each.change.text for each in review.of(Direction.WIDENS)]
        what = f", and {'; '.join(own)}" if own else ""
        fresh = {each.egress for each in review.workspaces if each.fate is Fate.ADDED}
        reach = next((f" ({words})" for way, words in REACH.items() if way in fresh), "")
        reasons.append(f"new is {few(added)}, with what every workspace has{reach}{what}")
    gone = [each.name for each in review.workspaces if each.fate is Fate.REMOVED]
    if gone:
        reasons.append(f"{few(gone)} {'is' if len(gone) == 1 else 'are'} gone")
    if less := len(review.of(Direction.NARROWS)):
        reasons.append(f"less than before ({number_of(less, 'thing')})")
    renamed = [each for each in review.workspaces if each.fate is Fate.RENAMED]
    if renamed:
        told = ", ".join(f"{each.once} is now {each.name}" for each in renamed[:3])
        more = f" and {len(renamed) - 3} more" if len(renamed) > 3 else ""
        reasons.append(f"only another name: {told}{more}")
    notes = _notes(review)
    if notes and not reasons:
        reasons.append(f"only {'; '.join(notes[:_NOTED])}")
    if not reasons:
        reasons.append(review.reason or "what each workspace may do is the same")
    return "; ".join(reasons)


_LISTED = {"note.limits": "limits", "note.variable": "plain variables"}
_NAMED = 8
"""Notes of one kind that are named."""


def _notes(review: Review) -> list[str]:
    """Return what changes without being a power, limits first; what follows by itself is left."""
    words: dict[str, str] = {}
    listed: dict[str, list[str]] = {}
    for each in review.of(Direction.SAME):
        if each.change.rule == "be-reached.moved" and _plain(review):
            continue
        if each.change.rule == "note.other" and not each.change.before:
            words.setdefault("other", "what follows in the containers")
            continue
        if (kind := _LISTED.get(each.change.rule)) is not None:
            mine = listed.setdefault(kind, [])
            mine += [each.change.text] if each.change.text not in mine else []
            more = f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
            words[kind] = f"{kind}: {', '.join(mine[:_NAMED])}{more}"
        else:
            words.setdefault(each.change.text, each.change.text)
    if len(words) > 1:
        words.pop("other", None)
    return list(words.values())


def _names(names: Sequence[str], review: Review) -> str:
    """Name workspaces, or say that it is all of them."""
    if len(names) == review.total and len(names) > 1:
        return f"all {len(names)}"
    return few(names)


def screen(review: Review, files: Sequence[str] = (), first: Sequence[str] = ()) -> Iterator[Line]:
    """Yield the first screen.

    Args:
        review: What changes.
        files: What is said of files, folded.
        first: What has to be known before all else.
    """
    for text in first[:_FIRST]:
        yield plainly(text), Meaning.WARNS
    if len(first) > _FIRST:
        yield f"and {len(first) - _FIRST} more like these; --json has all", Meaning.WARNS
    first = first[: _FIRST + 1]
    if quiet(review):
        yield plainly(headline(review)), Meaning.DONE
    else:
        yield plainly(headline(review)), Meaning.TITLE
        yield from _sums(review)
        taken = len(first) + len(files) + 2 + _SUMS + _LESS + _WARNED + len(review.counts())
        yield from _widenings(review, LINES - taken)
    yield from _rest(review)
    yield from ((plainly(text), Meaning.MUTED) for text in files)


def _sums(review: Review) -> Iterator[Line]:
    """Yield one line for each workspace, or for those whose sums are the same."""
    alike: dict[str, list[Reviewed]] = {}
    for each in review.workspaces:
        ranks = [change.rank for change in each.of(Direction.WIDENS)]
        told = ", ".join(f"{ranks.count(rank)} {rank}" for rank in Rank if rank in ranks)
        less = len(each.of(Direction.NARROWS))
        parts = [told] if told else []
        parts += [f"{less} less"] if less else []
        reach = f", and {REACH[each.egress]}" if each.egress else ""
        parts += [f"{each.fate}{reach}"] if each.fate in {Fate.ADDED, Fate.REMOVED} else []
        parts += [f"was {each.once}"] if each.once else []
        if parts:
            alike.setdefault("; ".join(parts), []).append(each)
    grave = sorted(
        alike.items(),
        key=lambda item: min(
            (change.rank.order for change in item[1][0].of(Direction.WIDENS)), default=len(Rank)
        ),
    )
    for told, group in grave[: _SUMS - 1]:
        yield plainly(f"  {_names([each.name for each in group], review)}: {told}"), None
    if rest := [each for _, group in grave[_SUMS - 1 :] for each in group]:
        yield f"  {number_of(len(rest), 'more workspace')}: what follows tells all of them", None


def _widenings(review: Review, room: int) -> Iterator[Line]:
    """Yield what widens by rank; each rank keeps a share of the room."""
    groups = [
        (rank, [each for each in review.of(Direction.WIDENS) if each.change.rank is rank])
        for rank in review.counts()
    ]
    left = room
    for index, (rank, found) in enumerate(groups):
        # Every rank after this one keeps at least two lines.
        mine = max(2, left - 2 * (len(groups) - index - 1))
        mine = min(mine, _MOST.get(rank, mine))
        folds = folded(found)
        shown = folds if len(folds) <= mine else _some_of_each(folds, mine - 1)
        left -= min(mine, len(folds))
        yield rank.value.upper(), RANKS.get(rank)
        for each, _ in shown:
            yield finding(each, review), RANKS.get(rank)
        if more := len(found) - sum(count for _, count in shown):
            rest = [each for each, _ in folds if each not in [one for one, _ in shown]]
            kinds = sorted({each.change.kind.value for each in rest})
            yield f"  and {more} more {rank} ({', '.join(kinds)}); --json has all", None


def folded(found: Sequence[Finding]) -> list[tuple[Finding, int]]:
    """Put plain names and ports of the same workspaces into one finding each, with how many."""
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for each in found:
        change = each.change
        plain = change.rule in _FOLDED and ": " not in change.text.replace(_PORTS_NOTE, "")
        subject = None if plain else change.text
        alike.setdefault((change.rule, each.workspaces, change.doors, subject), []).append(each)
    made: list[tuple[Finding, int]] = []
    for group in alike.values():
        if len(group) <= _EACH:
            made += [(each, 1) for each in group]
            continue
        first = group[0].change
        words = [_FOLDED[first.rule](each.change) for each in group]
        told = f"{', '.join(words[:_EACH])} and {len(words) - _EACH} more"
        text = first.text.replace(words[0], told, 1)
        change = first.model_copy(update={"text": text})
        made.append((group[0].model_copy(update={"change": change}), len(group)))
    return made


def _some_of_each(found: list[tuple[Finding, int]], room: int) -> list[tuple[Finding, int]]:
    """Choose what is shown: of every rule the first, then the second of each, and so on.

    So the one that is not like the many others is among them; of one rule, that with a remark.
    """
    by_rule: dict[str, list[int]] = {}
    for index, (each, _) in enumerate(found):
        by_rule.setdefault(each.change.rule, []).append(index)
    for places in by_rule.values():
        places.sort(key=lambda index: ": " not in found[index][0].change.text)
    turns = (
        place for turn in zip_longest(*by_rule.values()) for place in turn if place is not None
    )
    places = sorted(islice(turns, room))
    return sorted(
        (found[place] for place in places), key=lambda each: ": " not in each[0].change.text
    )


def finding(each: Finding, review: Review) -> str:
    """Write one finding as a line: who, what, and the line behind it."""
    place = f"  [{nearby(each.change.place)}]" if each.change.place else ""
    names = _names(each.workspaces, review)
    room = WIDTH - len(place) - len(names) - 4
    if each.change.rule in WHOLE:
        return f"  {names}: {telling(each.change.text)}{telling(place)}"
    shown = re.sub(_LONG, lambda match: cut(match[0], WORD), telling(each.change.text))
    if len(shown) > room:
        shown = f"{shown[: room - 1]}…"
    return f"  {names}: {shown}{telling(place)}"


def _rest(review: Review) -> Iterator[Line]:
    less = review.of(Direction.NARROWS)
    for each in less[:_LESS]:
        yield plainly(f"less: {_names(each.workspaces, review)}: {each.change.text}"), None
    if len(less) > _LESS:
        yield f"less: {len(less) - _LESS} more; --json has all", None
    if quiet(review):
        moved = [
            each for each in review.of(Direction.SAME) if each.change.rule == "be-reached.moved"
        ]
        yield from ((plainly(f"also: {each.change.text}"), Meaning.MUTED) for each in moved[:3])
    if (notes := _notes(review)) and not quiet(review):
        yield plainly(f"also: {'; '.join(notes[:_NOTED])}"), Meaning.MUTED
    if quiet(review):
        if count := len(review.warnings):
            yield f"note: {number_of(count, 'new remark')} of jailoc validate", Meaning.MUTED
        return
    for text in review.warnings[:_WARNED]:
        yield plainly(f"new warning: {text}"), Meaning.WARNS
    if len(review.warnings) > _WARNED:
        yield f"{number_of(len(review.warnings) - _WARNED, 'more new warning')}", Meaning.WARNS
