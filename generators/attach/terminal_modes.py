"""What a program has switched on in a terminal, so that it can be switched off again."""

import re

_CHANGE = re.compile(
    # DEC private modes (DECSET, DECRST), and the stack of keyboard modes of the kitty protocol
    rb"\x1b\[(?:\?(?P<modes>[0-9;]{1,64})(?P<way>[hl])|(?P<stack>[<>])(?P<count>[0-9;]{0,16})u"
    # xterm's modifyOtherKeys, the cursor's shape (DECSCUSR), its colour (OSC 12 and 112)
    rb"|>4;?(?P<other>[0-9]{0,2})m|(?P<shape>[0-9]?) q)|\x1b\](?P<color>12|112)[;\x07\x1b]"
)
_BEGUN = re.compile(rb"\x1b(?:\[(?:[?<>]?[0-9;]{0,64} ?)?|\][0-9]{0,3})?\Z")
_ON_BY_ITSELF = frozenset({b"7", b"25"})
"""Wrapping at the right margin, and the cursor."""
_ALTERNATE = frozenset({b"47", b"1047", b"1049"})
"""Modes of the alternate screen. They are left last, so that nothing shows on the real one."""
_USUAL = frozenset(
    b"1 5 6 7 9 25 47 1000 1001 1002 1003 1004 1005 1006 1015 1016 1047 1048 1049 2004".split()
)
"""Modes that change what is seen or typed: remembered whatever else was switched on before."""
_MOST = 64
"""Modes that are remembered beside those; a stream may name any number."""
_KEYS, _SHAPE, _COLOR = b"\x1b[>4;0m", b"\x1b[0 q", b"\x1b]112\x07"
"""What undoes a change of the keyboard, and of the cursor."""


class Screen:
    """Reads what a program sends to a terminal and remembers what is not as it was."""

    def __init__(self) -> None:
        self._begun = b""
        self._changed: dict[bytes, None] = {}
        self._pushed = 0
        self._flags: set[bytes] = set()

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream; a sequence may be cut anywhere."""
        text = self._begun + data
        for change in _CHANGE.finditer(text):
            if change["modes"] is not None:
                for mode in filter(None, change["modes"].split(b";")):
                    if (change["way"] == b"h") == (mode in _ON_BY_ITSELF):
                        self._changed.pop(mode, None)
                    elif mode in _USUAL or len(self._changed) < _MOST:
                        self._changed[mode] = None
            elif change["stack"] == b">":
                self._pushed += 1
            elif change["stack"] == b"<":
                count = change["count"].split(b";")[0]
                self._pushed = max(0, self._pushed - int(count or b"1"))
            elif change["color"] is not None:
                self._flag(_COLOR, change["color"] == b"12")
            elif change["shape"] is not None:
                self._flag(_SHAPE, change["shape"] not in {b"", b"0"})
            else:
                self._flag(_KEYS, change["other"] not in {b"", b"0"})
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else b""

    def _flag(self, undo: bytes, changed: bool) -> None:
        if changed:
            self._flags.add(undo)
        else:
            self._flags.discard(undo)

    def leave(self) -> bytes:
        """Return what puts the terminal back; nothing if the program has done it itself."""
        undone = b"\x1b[<%du" % self._pushed if self._pushed else b""
        undone += b"".join(sorted(self._flags))
        order = sorted(self._changed, key=lambda mode: mode in _ALTERNATE)
        undone += b"".join(
            b"\x1b[?%b%b" % (mode, b"h" if mode in _ON_BY_ITSELF else b"l") for mode in order
        )
        self._changed.clear()
        self._flags.clear()
        self._pushed = 0
        return undone + b"\x1b[0m" if undone else b""
