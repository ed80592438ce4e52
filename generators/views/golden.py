"""Write differences for a comment on a pull request (GitHub Flavored Markdown)."""

import re
from collections.abc import Iterable

from jailoc.generators.plan.golden_diff import unified
from jailoc.model.effect import Effect
from jailoc.model.golden import BUNDLE_FILE, Difference, State
from jailoc.model.text import number_of

LIMIT = 40_000
"""Characters of all diffs together: a comment holds 65,536."""
SHOWN = 50


def pull_request(found: tuple[Difference, ...], diff: bool = False) -> str:
    """Write what a change of the configuration does to each workspace.

    Args:
        found: Every workspace.
        diff: Whether the texts are shown, too.
    """
    changed = [each for each in found if each.state is not State.SAME]
    if not changed:
        return "### jailoc: the generated files are up to date\n"
    opening = sum(effect.opens for each in changed for effect in each.effects)
    head = f"### jailoc: {number_of(len(changed), 'workspace')} changed"
    if opening:
        head += f", {number_of(opening, 'effect')} open{'s' * (opening == 1)} something"
    room = LIMIT
    parts = [head]
    for each in changed:
        parts.append(f"#### {code(each.name)} ({each.state})")
        parts += _effects(each)
        parts += _values(each)
        texts, room = _files(each, diff, room)
        parts.append(texts)
    return "\n\n".join(parts) + "\n"


def _effects(each: Difference) -> list[str]:
    parts = [f"{each.summary[0].upper()}{each.summary[1:]}."] if each.summary else []
    for opens, title in ((True, "**Opens**"), (False, "Other effects")):
        mine = [effect for effect in each.effects if effect.opens is opens]
        if mine:
            parts.append(f"{title}\n\n" + list_of(mine))
    return parts


def list_of(effects: Iterable[Effect]) -> str:
    """Write effects as a list."""
    return "\n".join(f"- {code(each.text)}" for each in effects)


def _values(each: Difference) -> list[str]:
    if not each.changes:
        return []
    rows = "\n".join(f"- {code(change.text)}" for change in each.changes[:SHOWN])
    more = len(each.changes) - SHOWN
    rest = f"\n- and {more} more" if more > 0 else ""
    return [_folded(number_of(len(each.changes), "value"), rows + rest)]


def _files(each: Difference, diff: bool, room: int) -> tuple[str, int]:
    """Write the list of files, with as many diffs as there is room for."""
    rows = []
    for file in each.files:
        row = f"- {code(file.path)} {file.state}" if file in each.listed else ""
        if diff and file.path != BUNDLE_FILE:
            text = "\n".join(map(_plain, unified(each.name, file).split("\n")))
            fits = len(text) <= room
            room -= len(text) * fits
            fence = "`" * max(3, _longest(text) + 1)
            row += f"\n\n{fence}diff\n{text.rstrip()}\n{fence}\n" if fits else ", too long to show"
        if row:
            rows.append(row)
    title = number_of(len(each.files), "file")
    return (_folded(title, "\n".join(rows)) if rows else f"{title}."), room


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def code(text: str) -> str:
    """Write text so that nothing in it is Markdown, a mention or a link.

    >>> code("a`b")
    '`` a`b ``'
    """
    plain = _plain(text)
    longest = _longest(plain)
    fence = "`" * (longest + 1)
    padding = " " if longest or plain != plain.strip() or not plain else ""
    return f"{fence}{padding}{plain}{padding}{fence}"


def _plain(text: str) -> str:
    """Show each control character as one sign; a line of text has none but tabs."""
    return "".join(
        char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def _longest(text: str) -> int:
    return max((len(each) for each in re.findall("`+", text)), default=0)
