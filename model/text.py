"""Text of others, made harmless to show or read, and counts in words."""

import unicodedata
from collections.abc import Iterable, Sequence

_MARK = "\ufeff"


def without_mark(text: str) -> str:
    """Take off the byte order mark that some editors write before a text (Unicode, section 23.8).

    >>> without_mark("\ufeffA=1")
    'A=1'
    """
    return text.removeprefix(_MARK)


def number_of(count: int, what: str) -> str:
    """Write a number with its noun.

    >>> number_of(1, "workspace"), number_of(2, "workspace")
    ('1 workspace', '2 workspaces')
    """
    return f"{count} {what}{'s' * (count != 1)}"


def near(word: str, known: Iterable[str]) -> str | None:
    """Return which of the known words is the nearest to one that is none of them, if any is near.

    The dashes that all options share make none of them near.

    >>> near("statsu", ["up", "status"]), near("--versoin", ["--verbose", "--version"])
    ('status', '--version')
    """
    import difflib  # noqa: PLC0415 -- what only reads a table starts without it

    names = {each.lstrip("-"): each for each in known}
    close = difflib.get_close_matches(word.lstrip("-"), list(names), n=1)
    return names[close[0]] if close else None


def meant(word: str, known: Iterable[str], mark: str = "") -> str | None:
    """Return the question whether a known word was meant.

    >>> meant("githb", ["npm", "github"], mark="@"), meant("x", ["npm"])
    ('did you mean `@github`?', None)
    """
    close = near(word, known)
    return f"did you mean `{mark}{close}`?" if close else None


MOST_SHOWN = 10
"""Of many lines of one kind on a screen."""


def some(lines: Sequence[str], most: int = MOST_SHOWN) -> tuple[str, ...]:
    """Return the first lines for a screen, and one that counts the others.

    >>> some("abc"), some("abcdefghijkl")[9:]
    (('a', 'b', 'c'), ('j', 'and 2 more'))
    """
    more = len(lines) - most
    return (*lines[:most], *((f"and {more} more",) if more > 0 else ()))


_BLANK = frozenset(
    "\U00016fe4\U0001107f\U0001d159\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Characters that count as letters or marks and of which nothing is seen.

Source: Unicode Standard Annex 44, Default_Ignorable_Code_Point; the empty cell of Braille, and a
note, a filler and a joiner that have no form of their own.
"""
_STYLES = "\ufe0e\ufe0f"
"""Variation selectors of symbols, which choose between text and emoji."""


def visible(text: str) -> str:
    """Show each control character as one harmless sign, so that no text can steer the terminal.

    So it is with characters that take a place in a name and show nothing.
    """
    if text.isprintable() and _BLANK.isdisjoint(text):
        return text
    return "".join(
        char if char == "\t" or (char.isprintable() and not _hides(char, before)) else _sign(char)
        for before, char in zip(f" {text}", text, strict=False)
    )


def _hides(char: str, before: str) -> bool:
    """Tell whether nothing is seen of a character, which is no style of the symbol before it."""
    return char in _BLANK and not (char in _STYLES and unicodedata.category(before) == "So")


def _sign(char: str) -> str:
    """Return the control picture (Unicode 2400..2421) of a character, or a replacement."""
    number = ord(char)
    if number < 32:
        return chr(0x2400 + number)
    return "\u2421" if number == 127 else "\ufffd"


_LIKE = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u04cf\u044c\u0433\u043f\u0442\u043a\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420"
    "\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03bf\u03b1\u03bd\u03c1\u03c4\u03c5\u03b9\u03ba\u03c9\u03b5\u03b3\u03b7\u0391\u0392"
    "\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0578\u057d\u0581\u0570\u0585\u0566"
    "\u0131\u0142\u00f8\u0261\u0251\u029f\u1d00\u2215\u2044\u29f8\u2024\u2010\u2011\u2012"
    "\u2013\u2014\u2212\ua4f8\u0589\u1806"
)
"""Cyrillic, Greek, Armenian and other characters that look like those of ASCII in most fonts.

Source: Unicode Technical Standard 39.
"""


def telling(text: str) -> str:
    r"""Write text so that it cannot look like another one.

    What is invisible, turns the direction, or looks like a character of ASCII is written with its
    number.

    >>> telling("a\u202eb"), telling("caf\u00e9") == "caf\u00e9"
    ('a<U+202E>b', True)
    """
    return "".join(map(_telling, text))


def _telling(char: str) -> str:
    if char.isascii():
        return char if char.isprintable() else _sign(char)
    number = f"<U+{ord(char):04X}>"
    if not char.isprintable() or unicodedata.combining(char) or char in _BLANK:
        return number
    fold = unicodedata.normalize("NFKC", char)
    same = char in _LIKE or (fold != char and fold.isascii())
    return f"{char}{number}" if same else char


def few(names: str, most: int = 12) -> str:
    """Return the first of several names with commas, and how many more there are.

    >>> few("a, b, c", 3), few("a, b, c", 2)
    ('a, b, c', 'a, b and 1 more')
    """
    every = names.split(", ")
    more = len(every) - most
    return names if more <= 0 else f"{', '.join(every[:most])} and {more} more"


def cut(text: str, most: int) -> str:
    """Shorten text in its middle, for the telling part of a name is often its end.

    >>> cut("abcdefghij", 7)
    'abc…hij'
    """
    if len(text) <= most:
        return text
    left = (most - 1) // 2
    return f"{text[:left]}…{text[len(text) - (most - 1 - left) :]}"


def last_words(told: bytes) -> str:
    r"""Return the last lines of what a program complained, as they may be shown; maybe nothing.

    >>> last_words(b"one\n\ntwo\n")
    'one; two'
    """
    lines = [line for line in told.decode(errors="replace").splitlines() if line.strip()]
    return visible("; ".join(lines[-3:]))[-500:]
