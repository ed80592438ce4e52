"""What a program has switched on in a terminal, so that it can be switched off again."""

import re

from jailoc.generators.attach.escape_filter import MODES

_CHANGE = re.compile(
    # DEC private modes (DECSET, DECRST), and the stack of keyboard modes of the kitty protocol
    rb"\x1b\[(?:\?(?P<modes>[0-9;]{1,64})(?P<way>[hl])|(?P<stack>[<>])(?P<count>[0-9;]{0,16})u"
    # and what is on top of it, xterm's modifyOtherKeys, the cursor's shape (DECSCUSR)
    rb"|=(?P<top>[0-9]{0,4})[0-9;]{0,16}u|>4;?(?P<other>[0-9]{0,2})m|(?P<shape>[0-9]?) q"
    # inserting (IRM), the region that scrolls (DECSTBM), how characters look (SGR)
    rb"|4(?P<insert>[hl])|(?P<region>[0-9;:]{0,32})r|(?P<look>[0-9;:]{0,128})m)"
    # colours (OSC 4, 10 to 12, and 104, 110 to 112)
    rb"|\x1b\](?P<color>1?04|4|1?1[0-2])(?P<colors>;[^\x07\x1b]{0,4096})?[\x07\x1b]"
    # the keypad (DECKPAM, DECKPNM), and sets of characters
    rb"|\x1b(?P<pad>[=>])|\x1b(?P<set>[()*+][0-~])|(?P<shift>[\x0e\x0f])"
)
_BEGUN = re.compile(
    rb"\x1b(?:\[(?:[?<>=]?[0-9;:]{0,128} ?)?"
    rb"|\](?:[0-9]{0,3}|[0-9]{1,3};[^\x07\x1b]{0,4096})|[()*+])?\Z"
)
_ON_BY_ITSELF = frozenset({b"7", b"25"})
"""Wrapping at the right margin, and the cursor."""
_ALTERNATE = frozenset({b"47", b"1047", b"1049"})
"""Modes of the alternate screen. They are left last, so that nothing shows on the real one."""
_USUAL = MODES | {b"1001"}
"""Modes that change what is seen or typed: remembered whatever else was switched on before."""
_MOST = 64
"""Modes that are remembered beside those; a stream may name any number."""
_LOOK = b"\x1b[0m"
_CHANGES = {
    "top": (b"\x1b[=0u", b""),
    "other": (b"\x1b[>4;0m", b""),
    "shape": (b"\x1b[0 q", b""),
    "insert": (b"\x1b[4l", b"l"),
    "region": (b"\x1b7\x1b[r\x1b8", b""),
    "look": (_LOOK, b""),
    "pad": (b"\x1b>", b">"),
    "shift": (b"\x0f", b"\x0f"),
}
"""What undoes each, and what stands there, zeros aside, when it is as it was."""
_PALETTE, _LAST_COLOR = 4, 19
"""OSC 4 sets colours by pairs of number and value, 10 to 19 each the next of a list (xterm)."""


class Screen:
    """Reads what a program sends to a terminal and remembers what is not as it was."""

    def __init__(self) -> None:
        self._begun = b""
        self._changed: dict[bytes, None] = {}
        self._pushed = 0
        self._flags: set[bytes] = set()

    @property
    def alternate(self) -> bool:
        """Tell whether the program has taken the whole screen (xterm's alternate screen buffer)."""
        return any(each in self._changed for each in (b"47", b"1047", b"1049"))

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
                self._color(int(change["color"]), (change["colors"] or b"")[1:].split(b";"))
            elif change["set"] is not None:
                self._flag(b"\x1b%cB" % change["set"][0], changed=change["set"][1:] != b"B")
            else:
                for name, (undo, usual) in _CHANGES.items():
                    if change[name] is not None:
                        self._flag(undo, changed=change[name].strip(b"0") != usual)
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else b""

    def _color(self, number: int, values: list[bytes]) -> None:
        """Take an operating system command; a question (`?`) changes nothing."""
        if number > _LAST_COLOR:
            if values == [b""]:
                self._flag(b"\x1b]%d\x07" % number, changed=False)
        elif number == _PALETTE:
            if any(each != b"?" for each in values[1::2]):
                self._flag(b"\x1b]104\x07", changed=True)
        else:
            for place, value in enumerate(values, number):
                if value != b"?" and place <= _LAST_COLOR:
                    self._flag(b"\x1b]%d\x07" % (100 + place), changed=True)

    def _flag(self, undo: bytes, *, changed: bool) -> None:
        if changed:
            self._flags.add(undo)
        else:
            self._flags.discard(undo)

    def leave(self) -> bytes:
        """Return what puts the terminal back; nothing if the program has done it itself."""
        undone = b"\x1b[<%du" % self._pushed if self._pushed else b""
        undone += b"".join(sorted(self._flags - {_LOOK}))
        order = sorted(self._changed, key=lambda mode: mode in _ALTERNATE)
        undone += b"".join(
            b"\x1b[?%b%b" % (mode, b"h" if mode in _ON_BY_ITSELF else b"l") for mode in order
        )
        looks = bool(undone) or _LOOK in self._flags
        self._changed.clear()
        self._flags.clear()
        self._pushed = 0
        return undone + _LOOK if looks else b""
