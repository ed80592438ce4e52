"""Break a line for a terminal between words, so that no word and no command is broken in two."""

import re
import unicodedata
from collections.abc import Iterator

_WORD = re.compile(r"( *)((?:`[^`]*`|[^ `]|`)+)")
"""Blanks and what follows; what stands in backticks is one word, to be copied as it is."""
DEEPER = 4
"""Blanks that the lines after the first one begin with, beside those that the first begins with.

They are more than a hint has: a name may have blanks, and go on so."""


def _pieces(text: str, room: int) -> Iterator[tuple[str, str]]:
    """Yield blanks and the word behind them."""
    for blanks, word in _WORD.findall(text):
        if columns(word) <= room:
            yield blanks, word
            continue
        for number, each in enumerate(word.split(" ")):
            yield " " if number else blanks, each


def columns(text: str) -> int:
    """Return how many columns of a terminal text takes at most (Unicode Standard Annex 11).

    >>> columns("ab"), columns("\u6f22")
    (2, 2)
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def wrapped(text: str, width: int) -> str:
    r"""Break a line where it would be too long.

    What stands in backticks and has no room in a line is broken at its blanks: a terminal would
    begin a line with what follows, as if jailoc had said it. A word that is longer stays whole.

    Args:
        text: One line.
        width: Columns of the terminal.

    >>> print(wrapped("please run `jailoc up default` and look", 24))
    please run
        `jailoc up default`
        and look
    >>> wrapped("  short", 24)
    '  short'
    """
    if columns(text) <= width:
        return text
    indent = " " * (len(text) - len(text.lstrip(" ")) + DEEPER)
    lines = [""]
    # Blanks at the end would be tried one by one.
    for blanks, word in _pieces(text.rstrip(" "), width - len(indent)):
        added = blanks + word
        if lines[-1].strip(" ") and columns(lines[-1]) + columns(added) > width:
            lines.append(indent + word)
        else:
            lines[-1] += added
    return "\n".join(lines)
