"""What of a program's output a terminal answers by typing, and how to tell that it has answered.

An answer is typed into whatever reads the terminal by then: into the shell, once the program has
ended. To one the answers are commands: `4;1;rgb:dede/bebe/caca` runs a file of that name.
"""

import re

REPORTING = frozenset(b"9 1000 1002 1003 1004 2031 2048".split())
"""Private modes in which a terminal types by itself: the mouse, focus, a change of looks, sizes."""
_DRAWING = {b"?": b"JK", b">": b"m", b"<": b"u", b"=": b""}
"""Last bytes of control sequences with a private mark that are answered by nothing.

kitty's keyboard is none of them (`>u`, `=u`): a key that is let go is typed, too.
"""
_QUIET = frozenset(b"0 1 2 22 23".split())
"""Of XTWINOPS: keep the title and take it back, and of which."""
_COLORS = frozenset({4, 10, 11, 12})
_CONTROL = re.compile(rb"\x1b\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])")
_COMMAND = re.compile(rb"\x1b\]([0-9]+)(.*)", re.DOTALL)

BITS = 48
"""Of a fence: nobody guesses them, and few terminals take notice of so few bytes."""
_ANSWER = re.compile(rb"(?:\x1b\[|\x9b)(?:[03]n|[0-9]{1,5};[0-9]{1,5}R)")
_LONGEST = 16
"""Bytes of such an answer."""


def asks(whole: bytes) -> bool:
    r"""Tell whether a terminal may type something for a sequence that passes the filter.

    What is not known to be silent is a question.

    >>> [asks(each) for each in (b"\x1b[c", b"\x1b]11;?\x07", b"\x1b[?1003h", b"\x1bZ")]
    [True, True, True, True]
    >>> [asks(each) for each in (b"\x1b[1;31m", b"\x1b]11;#000\x07", b"\x1b[?25l", b"\x1b7")]
    [False, False, False, False]
    """
    if control := _CONTROL.fullmatch(whole):
        return _controls(*control.groups())
    if command := _COMMAND.fullmatch(whole):
        return int(command[1]) in _COLORS and b"?" in command[2]
    return whole == b"\x1bZ"


def _controls(private: bytes, parameters: bytes, between: bytes, final: bytes) -> bool:
    numbers = {each.lstrip(b"0") or b"0" for each in re.split(rb"[;:]", parameters)}
    if between:
        return between + final == b"$p"
    match final:
        case b"h":
            return private == b"?" and not numbers.isdisjoint(REPORTING)
        case b"l":
            return False
        case b"t":
            return not numbers <= _QUIET
    return final not in _DRAWING[private] if private else final in b"cn"


class Fence:
    """A question behind all others, whose answer is known from all others.

    Terminals answer in order. It is made of DSR (ECMA-48) alone, which each has that answers
    anything: whether it is well (5) and where the cursor is (6). A sandbox may ask both, so it is
    their order that tells: nobody knows it before.

    Args:
        bits: A random number of `BITS` bits.
    """

    def __init__(self, bits: int) -> None:
        self._wanted = bytes(bits >> each & 1 for each in range(BITS))
        self._seen = self._begun = b""

    @property
    def question(self) -> bytes:
        """Return what is written to the terminal."""
        return b"".join(b"\x1b[6n" if each else b"\x1b[5n" for each in self._wanted)

    def answered(self, piece: bytes) -> bool:
        """Take what the terminal types; tell whether all of the answer has come."""
        text, end = self._begun + piece, 0
        for answer in _ANSWER.finditer(text):
            self._seen = (self._seen + bytes([answer[0].endswith(b"R")]))[-BITS:]
            end = answer.end()
            if self._seen == self._wanted:
                return True
        self._begun = text[end:][-_LONGEST:]
        return False

    @staticmethod
    def without(text: bytes) -> bytes:
        """Return what was typed up to the answer, and behind it, without the answer."""
        answers = [*_ANSWER.finditer(text)][-BITS:]
        for answer in reversed(answers):
            text = text[: answer.start()] + text[answer.end() :]
        return text
