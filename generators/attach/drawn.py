"""Whether a program has drawn anything yet: characters that are seen, not what it asks or sets."""

import re

_UNSEEN = re.compile(
    # control sequences, strings to the terminal, and other escapes (ECMA-48)
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-OQ-WYZ\\`-~])"
)
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[]PX^_][^\x07\x1b]*\x1b?|[ -/]*)\Z")
_MOST = 1 << 16
"""Bytes of a sequence without an end."""


class Drawn:
    """Reads what a program writes to its terminal until something of it is seen."""

    def __init__(self) -> None:
        self.seen = False
        self._begun = b""

    @property
    def between(self) -> bool:
        """Tell whether no sequence has begun that has not ended."""
        return not self._begun

    def feed(self, data: bytes) -> None:
        r"""Take the next piece; a sequence may be cut anywhere.

        >>> drawn = Drawn()
        >>> drawn.feed(b"\x1b[?1049h\x1b[2J  \x1b]11;")
        >>> drawn.feed(b"?\x07")
        >>> drawn.seen
        False
        >>> drawn.feed(b"hello")
        >>> drawn.seen
        True
        """
        if self.seen:
            return
        text = _UNSEEN.sub(b"", self._begun + data)
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else b""
        shown = text[: begun.start()] if begun else text
        self.seen = any(byte > 0x20 and byte != 0x7F for byte in shown) or len(self._begun) > _MOST
