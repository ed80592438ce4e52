"""Break a line for a terminal between words, so that no word and no command is broken in two."""

import re

_WORD = re.compile(r"( *)((?:`[^`]*`|[^ `]|`)+)")
"""Blanks and what follows; what stands in backticks is one word, to be copied as it is."""
DEEPER = 2
"""Blanks that the lines after the first one begin with, beside those that the first begins with."""


def wrapped(text: str, width: int) -> str:
    r"""Break a line where it would be too long.

    A word that is longer than a line stays whole, and so does a line of which the terminal's own
    break shows no less: one without blanks.

    Args:
        text: One line; each of its characters takes one column.
        width: Columns of the terminal.

    >>> print(wrapped("run `jailoc up default` and look", 20))
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
    for blanks, word in _WORD.findall(text.rstrip(" ")):
        added = blanks + word
        if lines[-1].strip(" ") and len(lines[-1]) + len(added) > width:
            lines.append(indent + word)
        else:
            lines[-1] += added
    return "\n".join(lines)
