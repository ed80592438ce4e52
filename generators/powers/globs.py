"""Patterns as glob(7) has them, as sets of texts."""

import re

_PART = re.compile(r"\*+|\[!?\]?[^\]]*\]|.", re.DOTALL)


def meet(one: str, other: str) -> bool:
    """Tell whether two patterns have a text in common; a class (`[...]`) counts as any character.

    >>> meet("*.ngrok.io", "evil.ngrok.*"), meet("*.ngrok.io", "*.example.com")
    (True, False)
    """
    mine, theirs = (_PART.findall(each) for each in (one, other))
    # From behind: whether what is left of both has one. Of nothing, only nothing and `*` have.
    row = [True]
    for part in reversed(theirs):
        row.insert(0, row[0] and part[0] == "*")
    for part in reversed(mine):
        above = [row[-1] and part[0] == "*"]
        for at in reversed(range(len(theirs))):
            if part[0] == "*" or theirs[at][0] == "*":
                above.insert(0, row[at] or above[0])
            else:
                alike = part == theirs[at] or any(
                    each == "?" or len(each) > 1 for each in (part, theirs[at])
                )
                above.insert(0, alike and row[at + 1])
        row = above
    return row[0]
