"""Committed files against their configuration, for a comment on a pull request."""

from collections import Counter
from collections.abc import Iterator, Sequence

from jailoc.generators.plan.golden_diff import unified
from jailoc.generators.powers.review import Review
from jailoc.generators.views.markdown import code, folded, longest, plain
from jailoc.generators.views.review_data import TITLE, markdown
from jailoc.model.golden import BUNDLE_FILE, Difference, State
from jailoc.model.text import number_of

LIMIT = 40_000
"""Characters of all diffs together: a comment holds 65,536."""
SHOWN = 50


def pull_request(
    found: Sequence[Difference], review: Review, diff: bool = False, beside: Sequence[str] = ()
) -> str:
    """Write what a change of the configuration does to each workspace.

    Args:
        found: Every workspace.
        review: What they may do.
        diff: Whether the texts are shown, too.
        beside: Files that are not generated, and obeyed all the same.
    """
    more = [f"{code(each)} is not generated and not reviewed, and `docker compose` obeys it."
            for each in beside]  # fmt: skip
    changed = [each for each in found if each.state is not State.SAME]
    if not changed:
        return "\n\n".join((f"{TITLE}the generated files are up to date", *more)) + "\n"
    first = [each.first for each in changed if each.first]
    return markdown(review, first, [*more, *_details(changed, diff)])


def files_line(found: Sequence[Difference]) -> str | None:
    """Say how many files differ, and how; None if none does."""
    states = Counter(file.state.value for each in found for file in each.files)
    if not states:
        return None
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"files: {told} (--files names them, --diff shows them)"


def _details(changed: Sequence[Difference], diff: bool) -> Iterator[str]:
    room = LIMIT
    for each in changed[:SHOWN]:
        parts = [*_values(each)]
        texts, room = _files(each, diff, room)
        yield folded(f"{each.name} ({each.state})", "\n\n".join([*parts, texts]))
    if len(changed) > SHOWN:
        yield f"and {number_of(len(changed) - SHOWN, 'more workspace')}"


def _values(each: Difference) -> list[str]:
    if not each.changes:
        return []
    rows = "\n".join(f"- {code(change.text)}" for change in each.changes[:SHOWN])
    more = len(each.changes) - SHOWN
    rest = f"\n- and {more} more" if more > 0 else ""
    return [folded(number_of(len(each.changes), "value"), rows + rest)]


def _files(each: Difference, diff: bool, room: int) -> tuple[str, int]:
    """Write the list of files, with as many diffs as there is room for."""
    rows = []
    for file in each.files:
        row = f"- {code(file.path)} {file.state}" if file in each.listed else ""
        if diff and file.path != BUNDLE_FILE:
            text = "\n".join(map(plain, unified(each.name, file).split("\n")))
            fits = len(text) <= room
            room -= len(text) * fits
            fence = "`" * max(3, longest(text) + 1)
            row += f"\n\n{fence}diff\n{text.rstrip()}\n{fence}\n" if fits else ", too long to show"
        if row:
            rows.append(row)
    title = number_of(len(each.files), "file")
    return (folded(title, "\n".join(rows)) if rows else f"{title}."), room
