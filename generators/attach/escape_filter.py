"""Which escape sequences of a client in the sandbox reach the user's terminal (ECMA-48).

What it shows is the agent's to choose. Colours, the cursor and the title pass; the clipboard,
links, notifications, directories, images and device strings do not, nor does what makes the
terminal type a text that the agent has chosen, or read bytes otherwise than they are read here, nor
what could not be taken back when the program has ended.
"""

import re
from collections.abc import Callable, Iterator

from jailoc.generators.attach.questions import asks

LONGEST = 4096
"""Bytes of a sequence that may pass; a longer one is dropped whole."""
PASSING = frozenset({0, 1, 2, 4, 10, 11, 12, 104, 110, 111, 112})
"""Operating system commands that pass: titles and colours (xterm, "Control Sequences")."""
INTERMEDIATE = frozenset(
    rb""" @, A, q,!p,"q,#p,#q,#{,#},$p,$r,$t,$v,$x,$z,${,'},'~,*x""".split(b",")
)
"""Control sequences with an intermediate byte that pass: they draw, or ask for a mode.

With a private mark the last alone: kitty shows cursors by others, which stay (`CSI > ... SP q`).
Others read the screen (DECRQCRA), run macros, or change how controls are sent (DECSCL).
"""
MODES = frozenset(
    b"1 5 6 7 9 12 25 45 47 66 69 1000 1002 1003 1004 1005 1006 1015 1016 1047 1048 1049 2004 2026 "
    b"2027 2031 2048".split()
)
"""Private modes that pass (DECSET, DECRST): each is as it was when it is switched back.

Not among them: a VT52's sequences (2), widths that clear the screen (3), keys that no longer repeat
(8), the mouse that waits for a program's answer (1001), and what some terminals begin with.
"""
INSERTING = b"4"
"""The one mode of ECMA-48 that passes (IRM): others lock the keyboard, or echo what it types."""
WINDOW = frozenset(b"14 16 18 22 23".split())
"""What passes of XTWINOPS: sizes are told, the title is kept and comes back."""
SINGLE = frozenset(b"6789=>DEMNOZc\\")
"""What passes after ESC alone: the cursor, the keypad's keys, one character of another set, reset.

Others set tabulators, lock lines or sets of characters, or begin a title in `screen`.
"""
DESIGNATING = re.compile(rb"\x1b(?:[()*+][0-~]|#[34568])")
"""Character sets of 94 that one byte names (ECMA-35), and the size of lines."""
FINAL = rb"@A-MPSTXZ^`abd-fjkrsu"
"""Last bytes of control sequences that draw whatever their numbers are, beside SGR's.

Others light lamps (`q`), turn pages (`U`, `V`), name keys anew (`p`, ANSI.SYS) or test (`y`).
"""
PRIVATE = {b"?": b"JKmnu", b">": b"cqu", b"=": b"cu", b"<": b"u"}
"""Last bytes of those with a private mark: they draw, ask, or are kitty's, which come back.

Others are not put back by what ends them: xterm's keys but for modifyOtherKeys (`>1m`, `>2n`), its
pointer (`>p`), titles (`>T`) and registers of colours (`?S`), the cursor of Linux (`?c`).
"""
STATUS = frozenset({b"5", b"6"})
"""What is asked for by DSR; one terminal answers others with the end of a line."""

_CHARACTER = rb"""[\x00-\x04\x06-\x1a\x1c-\x7f]++|\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]
|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]
|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"""
"""Text: UTF-8 (RFC 3629), but for C1 controls, and for ENQ, which terminals answer."""
_PLAIN = re.compile(
    rb"(?:" + _CHARACTER + rb"|\x1b\[(?:[0-9]{0,4}[;:]){0,32}[0-9]{0,4}m"
    rb"|\x1b\[(?:[0-9]{0,4};){0,32}[0-9]{0,4}[" + FINAL + rb"])+",
    re.VERBOSE,
)
"""What passes whole and is nearly all of an output: text, and sequences that draw."""
_FINALS = bytes(each for each in range(0x40, 0x7F) if re.match(rb"[%b]" % FINAL, bytes([each])))
_CONTROL = re.compile(rb"\x1b\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])")
_COMMAND = re.compile(rb"\x1b\]([0-9]{1,4})(?:;(.*))?(?:\x07|\x1b\\)", re.DOTALL)
_ESCAPE, _BELL, _CANCEL, _ENQUIRY = 0x1B, 0x07, (0x18, 0x1A), 0x05
_STRINGS = frozenset(b"PX^_]")
_DIGITS = 4
"""Of a number in a sequence: no screen has more lines, and no mode is greater."""
_WIDE = re.compile(rb"[\x80-\xff][\x80-\xbf]*")
"""A character that is none of ASCII."""
_LEADS = range(0xC2, 0xF5)
"""First bytes of characters of two to four bytes (RFC 3629)."""


class EscapeFilter:
    """Takes output in pieces, cut anywhere, and returns what may be shown of it.

    Args:
        utf8: Whether the terminal reads UTF-8; another one takes bytes of it for C1 controls.
        may_ask: Tells of each sequence that the terminal answers, by its bytes, whether it passes.
    """

    def __init__(
        self, *, utf8: bool = True, may_ask: Callable[[int], bool] = lambda _: True
    ) -> None:
        self._utf8, self._may_ask = utf8, may_ask
        self._question = b""
        self.asked = False
        """Whether anything has passed that the terminal answers."""
        self._held = bytearray()
        """A character or sequence that has begun."""
        self._kind = 0
        """Of what is held: 0 nothing, else the byte that tells, as it followed ESC."""
        self._ending = False
        """Whether the last byte of a string was ESC, which `\\\\` would end."""

    def feed(self, piece: bytes) -> bytes:
        """Return what may be shown after this piece."""
        return b"".join(self.parts(piece))

    def parts(self, piece: bytes) -> Iterator[bytes]:
        """Yield the same, what comes before a question before that is let pass."""
        shown, place = bytearray(), 0
        while place < len(piece):
            if not self._held and (plain := _PLAIN.match(piece, place)):
                shown += plain[0]
                place = plain.end()
            else:
                shown += self._next(piece[place])
                place += 1
            if self._question:
                if shown:
                    yield self._coded(shown)
                shown = bytearray(self._question if self._may_ask(len(self._question)) else b"")
                self._question = b""
                self.asked |= bool(shown)
        yield self._coded(shown)

    def _coded(self, shown: bytearray) -> bytes:
        return bytes(shown) if self._utf8 else _WIDE.sub(b"?", shown)

    def _next(self, byte: int) -> bytes:
        if not self._held:
            if byte == _ESCAPE or byte in _LEADS:
                self._held.append(byte)
                return b""
            return bytes([byte]) if byte < 0x80 and byte != _ENQUIRY else b""
        return self._sequence(byte) if self._held[0] == _ESCAPE else self._character(byte)

    def _character(self, byte: int) -> bytes:
        if not 0x80 <= byte < 0xC0:
            # It is none; whoever decodes it in another way gets nothing to decode.
            self._held.clear()
            return self._next(byte)
        self._held.append(byte)
        if len(self._held) < 2 + (self._held[0] >= 0xE0) + (self._held[0] >= 0xF0):
            return b""
        whole = self._over()
        return whole if _PLAIN.fullmatch(whole) else b""

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
            whole = self._over()
            # A terminal obeys a control there at once, and goes on with the sequence after it.
            return self._passed(whole) if byte in SINGLE else b""
        low, high = (0x40, 0x7E) if self._kind == ord("[") else (0x30, 0x7E)
        if not low <= byte <= high:
            return b""
        control, whole = self._kind == ord("["), self._over()
        return self._passed(whole) if (_draws(whole) if control else _designates(whole)) else b""

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
        return self._passed(whole) if kind == ord("]") and _commands(whole) else b""

    def _passed(self, whole: bytes) -> bytes:
        if not asks(whole):
            return whole
        self._question = whole
        return b""

    def _hold(self, byte: int) -> None:
        if len(self._held) <= LONGEST:
            self._held.append(byte)

    def _over(self) -> bytes:
        whole = bytes(self._held) if len(self._held) <= LONGEST else b""
        self._held.clear()
        self._kind, self._ending = 0, False
        return whole


def _draws(whole: bytes) -> bool:
    """Tell whether a control sequence may pass; one with any other byte in it may not."""
    match = _CONTROL.fullmatch(whole)
    if match is None:
        return False
    private, parameters, between, final = match.groups()
    numbers = [each.lstrip(b"0") or b"0" for each in re.split(rb"[;:]", parameters)]
    if max(map(len, numbers)) > _DIGITS:
        return False
    if b":" in parameters and (private or final != b"m"):
        return False  # some take it for the end of a number, and some drop the whole
    if between:
        passes = between + final
        return passes in INTERMEDIATE and (not private or passes == b"$p")
    match final:
        case b"h" | b"l":
            passing = {b"?": MODES, b"": {INSERTING}}.get(private, frozenset())
            return passing >= {*numbers}
        case b"t":  # some obey every number, and 20 and 21 type the title
            return not private and numbers[0] in WINDOW and not {b"20", b"21"} & {*numbers}
        case b"m" if private == b">":
            return numbers[0] == b"4"
        case b"m" | b"n" | b"c" if not private:
            return final != b"n" or {*numbers} <= STATUS
    # Among the others: private modes are kept and come back (`?r`, `?s`), it prints (`i`), sets
    # tabulators (`g`, `W`); of Linux another console, its colours and its rest (`[`, `]`).
    return final in (PRIVATE[private] if private else _FINALS)


def _designates(whole: bytes) -> bool:
    """Tell whether an escape sequence with an intermediate byte may pass.

    `ESC %` chooses another coding than UTF-8, `ESC SP` another form of controls.
    """
    return DESIGNATING.fullmatch(whole) is not None


def _commands(whole: bytes) -> bool:
    """Tell whether an operating system command may pass: text alone, and no control in it."""
    match = _COMMAND.fullmatch(whole)
    if match is None or int(match[1]) not in PASSING:
        return False
    text = match[2] or b""
    return not re.search(rb"[\x00-\x1f\x7f]", text) and (not text or bool(_PLAIN.fullmatch(text)))
