"""Break a line for a terminal between words, so that no word and no command is broken in two."""

import re
from collections.abc import Iterator

_WORD = re.compile(r"( *)((?:`[^`]*`|[^ `]|`)+)")
"""Blanks and what follows; what stands in backticks is one word, to be copied as it is."""
DEEPER = 2
"""Blanks that the lines after the first one begin with, beside those that the first begins with."""


def _pieces(text: str, room: int) -> Iterator[tuple[str, str]]:
    """Yield blanks and the word behind them."""
    for blanks, word in _WORD.findall(text):
        if len(word) <= room:
            yield blanks, word
            continue
        for number, each in enumerate(word.split(" ")):
            yield " " if number else blanks, each


def wrapped(text: str, width: int) -> str:
    r"""Break a line where it would be too long.

    What stands in backticks and has no room in a line is broken at its blanks: a terminal would
    begin a line with what follows, as if jailoc had said it. A word that is longer stays whole.

    Args:
        text: One line; each of its characters takes one column.
        width: Columns of the terminal.

    >>> print(wrapped("run `jailoc up default` and look", 22))
    run
      `jailoc up default`
      and look
    >>> wrapped("  short", 24)
    '  short'
    """
    if len(text) <= width:
        return text
    indent = " " * (len(text) - len(text.lstrip(" ")) + DEEPER)
    lines = [""]
    # Blanks at the end would be tried one by one.
    for blanks, word in _pieces(text.rstrip(" "), width - len(indent)):
        added = blanks + word
        if lines[-1].strip(" ") and len(lines[-1]) + len(added) > width:
            lines.append(indent + word)
        else:
            lines[-1] += added
    return "\n".join(lines)
