"""What the standard library's parser says of a text that is no TOML, in words of this program.

Source of the terms: TOML 1.0 (https://toml.io/en/v1.0.0).
"""

import re
from typing import NamedTuple


class Fault(NamedTuple):
    """What is wrong at a place of a text, and what to do."""

    what: str
    hint: str


UNCLOSED = "Unclosed array"
"""How the parser begins to say that a list has no end."""
KEEP_ONE = "keep one of them, with what both of them hold"
DEEP = Fault("lists or tables are nested too deeply", "nothing of jailoc's nests that deep")
LONG_KEY = Fault("a key has too many parts", "nothing of jailoc's nests that deep")
LONG_NUMBER = Fault("a number is too long", "no value of jailoc's has that many digits")

_QUOTES = 'close the quotes; text of several lines stands in """three of them"""'
_TABLE = "a table's name stands alone in a line: [name], or [[name]] for one of many"
_VALUE = (
    'text stands in "quotes", a list in [brackets]; other values are true, false, numbers and dates'
)
_LINE = "each line holds one key with its value, or one [table]"
_FAULTS = (
    (r"(Illegal|Found invalid) character '\\[nr]'", "the quotes that a text begins with are not "
     "closed in its line", _QUOTES),
    (r"(Illegal|Found invalid) character", "a control character stands here",
     r"remove it, or write it in quotes by its number, such as \u001b"),
    (r"Unterminated string|Expected (\"'+\"|'\"+')", "the quotes that a text begins with are never "
     "closed", _QUOTES),
    (UNCLOSED, "the list does not end here, and goes on with no comma",
     "put commas between its values, and `]` behind the last one"),
    (r"Unclosed inline table", "the table in braces does not end here, and goes on with no comma",
     "put commas between its keys, and `}` behind the last one, all in one line"),
    (r"Expected '\]+' at the end of", "a table's name is not closed here", _TABLE),
    (r"Expected '='", "no `=` is behind the key", _LINE),
    (r"Expected newline or end", "something stands behind a value or a table's name", _LINE),
    (r"Invalid statement", "neither a key with a value nor a [table] begins here", _LINE),
    (r"Invalid initial character for a key", "no key begins here",
     "keys are of A-Z, a-z, 0-9, `_` and `-`; others stand in quotes; behind the last one in "
     "braces stands no comma"),
    (r"Invalid value", "no value begins here", _VALUE),
    (r"Invalid date", "there is no such date or time", "write it as 2027-01-31"),
    (r"Unescaped '\\'|Invalid hex value|Escaped character",
     "what the backslash begins is no character",
     r"write \\ for a backslash, or put the text in 'single quotes', where it is one"),
    (r"Cannot mutate|Cannot redefine|Cannot overwrite|Cannot declare|Duplicate inline",
     "this is there already, in another form", KEEP_ONE),
)  # fmt: skip


_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?|#[^\n]*|[\[\]{}\n]",
    re.DOTALL,
)


def opened(text: str) -> int | None:
    r"""Return where the innermost bracket or brace of a text is that nothing closes.

    >>> opened("a = [1, '[', # [\n [2], 3"), opened("[t]\na = [1]")
    (4, None)
    """
    open_: list[int] = []
    for found in _TOKEN.finditer(text):
        if found[0] in {"[", "{"}:
            open_.append(found.start())
        elif found[0] in {"]", "}"} and open_:
            open_.pop()
    return open_[-1] if open_ else None


def said(words: str) -> Fault:
    """Return what is wrong where the parser has said something.

    >>> said("Expected '=' after a key in a key/value pair").what
    'no `=` is behind the key'
    """
    for pattern, what, hint in _FAULTS:
        if re.match(pattern, words):
            return Fault(what, hint)
    return Fault("this is no TOML", _LINE)
