"""Which escape sequences of a client in the sandbox reach the user's terminal (ECMA-48).

What it shows is the agent's to choose. Colours, the cursor and the title pass; the clipboard,
links, notifications, directories, images and device strings do not, nor does what makes the
terminal type a text that the agent has chosen.
"""

import re

LONGEST = 4096
"""Bytes of a sequence that may pass; a longer one is dropped whole."""
PASSING = frozenset({0, 1, 2, 4, 10, 11, 12, 104, 110, 111, 112})
"""Operating system commands that pass: titles and colours (xterm, "Control Sequences")."""
TYPED_TITLES = re.compile(rb"\x1b\[[0-9;:]*\b2[01]t")
"""Asks the terminal to type the title of its window or icon (XTWINOPS 20 and 21)."""

_PLAIN = re.compile(rb"(?:[^\x1b\xc2]|\x1b\[[0-9;:?<=>]{0,64}[@-su-~]|\xc2[\xa0-\xbf])+")
"""What passes whole and is nearly all of an output: text, and sequences that draw."""
_ESCAPE, _BELL, _CANCEL = 0x1B, 0x07, (0x18, 0x1A)
_STRINGS = frozenset(b"PX^_]")
_SECOND_C1 = range(0x80, 0xA0)
"""After 0xC2, the second byte of a C1 control in UTF-8, which some terminals obey."""


class EscapeFilter:
    """Takes output in pieces, cut anywhere, and returns what may be shown of it."""

    def __init__(self) -> None:
        self._held = bytearray()
        """A sequence that has begun, or what may be one's beginning."""
        self._kind = 0
        """Of what is held: 0 nothing, else the byte that tells, as it followed ESC."""
        self._ending = False
        """Whether the last byte of a string was ESC, which `\\\\` would end."""

    def feed(self, piece: bytes) -> bytes:
        """Return what may be shown after this piece."""
        shown, place = bytearray(), 0
        while place < len(piece):
            if not self._held and (plain := _PLAIN.match(piece, place)):
                shown += plain[0]
                place = plain.end()
            else:
                shown += self._next(piece[place])
                place += 1
        return bytes(shown)

    def _next(self, byte: int) -> bytes:
        if not self._held:
            if byte in {_ESCAPE, 0xC2}:
                self._held.append(byte)
                return b""
            return bytes([byte])
        if self._held[0] == 0xC2:
            self._held.clear()
            if byte in _SECOND_C1:
                return b""
            return b"\xc2" + (bytes([byte]) if byte not in {_ESCAPE, 0xC2} else self._next(byte))
        return self._sequence(byte)

    def _sequence(self, byte: int) -> bytes:
        if self._kind in _STRINGS:
            return self._string(byte)
        if byte == _ESCAPE or byte in _CANCEL:
            # It is over without an end; whatever a terminal makes of the rest, it gets none of it.
            self._over()
            return self._next(byte) if byte == _ESCAPE else b""
        self._hold(byte)
        if self._kind == 0:
            self._kind = byte
            if byte == ord("[") or byte in _STRINGS or 0x20 <= byte <= 0x2F:
                return b""
            return self._over()
        low, high = (0x40, 0x7E) if self._kind == ord("[") else (0x30, 0x7E)
        if not low <= byte <= high:
            return b""
        whole = self._over()
        return b"" if TYPED_TITLES.fullmatch(whole) else whole

    def _string(self, byte: int) -> bytes:
        if byte in _CANCEL:
            self._over()
            return b""
        ended = byte == _BELL if not self._ending else byte == ord("\\")
        if self._ending and not ended:
            # Any other sequence ends a string, and begins.
            self._over()
            return self._next(_ESCAPE) + self._next(byte)
        self._ending = byte == _ESCAPE
        self._hold(byte)
        if not ended:
            return b""
        kind, whole = self._kind, self._over()
        number = re.match(rb"\x1b\](\d{1,4})[;\x07\x1b]", whole)
        passes = kind == ord("]") and number is not None and int(number[1]) in PASSING
        return whole if passes else b""

    def _hold(self, byte: int) -> None:
        if len(self._held) <= LONGEST:
            self._held.append(byte)

    def _over(self) -> bytes:
        whole = bytes(self._held) if len(self._held) <= LONGEST else b""
        self._held.clear()
        self._kind, self._ending = 0, False
        return whole
