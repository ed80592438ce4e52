"""A review as Markdown for a comment on a pull request, and as data for programs."""

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from jailoc.generators.powers.entries import nearby
from jailoc.generators.powers.review import Finding, Review
from jailoc.generators.views.markdown import code, folded
from jailoc.generators.views.review import REACH, headline, plainly, quiet, told
from jailoc.model.power import Direction, Rank
from jailoc.model.text import number_of

SHOWN = 200
"""Findings that a comment holds."""
TITLE = "### jailoc: "
MARKS = {Rank.CRITICAL: "🔴", Rank.HIGH: "🟠", Rank.MEDIUM: "🟡", Rank.LOW: "⚪"}


def data(
    found: Review,
    base: str,
    head: str,
    first: Sequence[str] = (),
    asks: Sequence[str] = (),
) -> dict[str, JsonValue]:
    """Return a review for programs."""
    return {
        "base": base,
        "head": head,
        "summary": headline(found),
        "quiet": quiet(found) and not first,
        "worst": None if found.worst is None else found.worst.value,
        "counts": {rank.value: count for rank, count in found.counts().items()},
        "refused": [*first],
        "asks": [*asks],
        "workspaces": [
            {"name": each.name, "fate": each.fate.value, "once": each.once}
            for each in found.workspaces
        ],
        "findings": [finding_data(each) for each in found.findings],
        "warnings": [*found.warnings],
    }


def finding_data(each: Finding) -> dict[str, JsonValue]:
    """Return a finding for programs."""
    workspaces: list[JsonValue] = [*each.workspaces]
    return {**each.change.data, "workspaces": workspaces}


def markdown(found: Review, first: Sequence[str] = (), rest: Sequence[str] = ()) -> str:
    """Write a review (GitHub Flavored Markdown): what its first screen has, the rest folded.

    Args:
        found: What changes.
        first: What has to be known before all else.
        rest: Sections, each written already, that follow.
    """
    parts = [TITLE + _plain(headline(found))]
    parts += [f"> {code(plainly(each))}" for each in first[:SHOWN]]
    if not quiet(found):
        parts += [
            code(plainly(f"{each.name} was {each.once}")) for each in found.workspaces if each.once
        ][:SHOWN]
        parts += [
            code(plainly(f"{each.name} is new, and {REACH[each.egress]}"))
            for each in found.workspaces if each.egress
        ][:SHOWN]  # fmt: skip
    for rank in found.counts():
        mine = [each for each in found.of(Direction.WIDENS) if each.change.rank is rank]
        if quiet(found):
            break
        rows = "\n".join(_row(each, found.total) for each in mine[:SHOWN])
        more = f"\n- and {len(mine) - SHOWN} more" if len(mine) > SHOWN else ""
        body = f"**{MARKS[rank]} {rank}**\n\n{rows}{more}"
        parts.append(body)
    parts += _folds(found)
    parts += [f"new warning: {code(plainly(each))}" for each in found.warnings[:SHOWN]]
    return "\n\n".join([*parts, *rest]) + "\n"


def _folds(found: Review) -> Iterator[str]:
    for way, what in ((Direction.NARROWS, "thing"), (Direction.SAME, "change")):
        if mine := found.of(way):
            word = "less" if way is Direction.NARROWS else "of no power"
            rows = "\n".join(_row(each, found.total) for each in mine[:SHOWN])
            more = f"\n- and {len(mine) - SHOWN} more" if len(mine) > SHOWN else ""
            yield folded(f"{number_of(len(mine), what)} {word}", rows + more)


def _row(each: Finding, total: int) -> str:
    names = ", ".join(each.workspaces[:5])
    if len(each.workspaces) == total > 1:
        names = f"all {total}"
    elif len(each.workspaces) > 5:
        names += f" and {len(each.workspaces) - 5} more"
    place = f" ({code(plainly(nearby(each.change.place)))})" if each.change.place else ""
    return f"- {code(names)}: {code(told(each.change))}{place}"


def _plain(text: str) -> str:
    """Write a line whose words are partly others' so that it is no Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#&@~!" else char for char in plainly(text))
