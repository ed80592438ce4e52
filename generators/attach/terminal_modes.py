"""What a program has switched on in a terminal, so that it can be switched off again."""

import re

from jailoc.generators.attach.escape_filter import LONGEST, MODES

_CHANGE = re.compile(
    # control sequences, whatever zeros and numbers they have: modes (DECSET, DECRST, IRM), the
    # keyboard's (kitty's stack and what is on top of it, xterm's modifyOtherKeys), the cursor's
    # shape (DECSCUSR), the region that scrolls (DECSTBM), how characters look (SGR), and whether
    # they are erased (DECSCA)
    rb"\x1b\[(?P<private>[<=>?]?)(?P<numbers>[0-9;:]{0,%d})(?P<final>[ \"]?[hlmqrsu])"
    # colours (OSC 4, 10 to 12, and 104, 110 to 112)
    rb"|\x1b\]0{0,3}(?P<color>1?04|4|1?1[0-2])(?P<colors>;[^\x07\x1b]{0,%d})?[\x07\x1b]"
    # the keypad (DECKPAM, DECKPNM), and sets of characters
    # and the cursor with what characters look like, kept or taken back (DECSC, DECRC)
    rb"|\x1b(?P<cursor>[78])|\x1b(?P<pad>[=>])|\x1b(?P<set>[()*+][0-~])|(?P<shift>[\x0e\x0f])"
    % (LONGEST, LONGEST)
)
_BEGUN = re.compile(
    rb"\x1b(?:\[[?<>=]?[0-9;:]{0,%d}[ \"]?|\](?:[0-9]{0,4}|[0-9]{1,4};[^\x07\x1b]{0,%d})|[()*+])?\Z"
    % (LONGEST, LONGEST)
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
_FONT = b"\x1b[10m"
"""Of its fonts the console of Linux goes back to the first one by this alone (SGR)."""
_FONTS = frozenset({b"11", b"12"})
_KEEPING = frozenset({b"1048", b"1049"})
"""Modes that keep the cursor like DECSC: when they are left, sets of characters come back, too."""
_TOP = b"\x1b[=0u"
_CHANGES = {
    "pad": (b"\x1b>", b">"),
    "shift": (b"\x0f", b"\x0f"),
}
"""What undoes each, and what stands there when it is as it was."""
_SETS = frozenset({b"\x0f", *(b"\x1b%cB" % each for each in b"()*+")})
_PALETTE, _LAST_COLOR = 4, 19
"""OSC 4 sets colours by pairs of number and value, 10 to 19 each the next of a list (xterm)."""


class Screen:
    """Reads what a program sends to a terminal and remembers what is not as it was."""

    def __init__(self) -> None:
        self._begun = b""
        self._changed: dict[bytes, None] = {}
        # The alternate screen has a stack of keyboard modes of its own.
        self._pushed = {False: 0, True: 0}
        self._tops: set[bool] = set()
        self._flags: set[bytes] = set()
        self._kept, self._keeps = set[bytes](), False

    @property
    def alternate(self) -> bool:
        """Tell whether the program has taken the whole screen (xterm's alternate screen buffer)."""
        return any(each in self._changed for each in (b"47", b"1047", b"1049"))

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream; a sequence may be cut anywhere."""
        text = self._begun + data
        for change in _CHANGE.finditer(text):
            if change["final"] is not None:
                numbers = [each.lstrip(b"0") for each in re.split(rb"[;:]", change["numbers"])]
                self._control(change["private"], numbers, change["final"])
            elif change["color"] is not None:
                self._color(int(change["color"]), change["colors"])
            elif change["set"] is not None:
                self._flag(b"\x1b%cB" % change["set"][0], changed=change["set"][1:] != b"B")
            elif change["cursor"]:
                self._keeps = True
            else:
                for name, (undo, usual) in _CHANGES.items():
                    if change[name] is not None:
                        self._flag(undo, changed=change[name] != usual)
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else b""

    def _control(self, private: bytes, numbers: list[bytes], final: bytes) -> None:
        """Take a control sequence, its numbers without zeros before them."""
        match private, final:
            case b"?", b"h" | b"l":
                for mode in filter(None, numbers):
                    self._mode(mode, on=final == b"h")
            case b"<" | b">" | b"=", b"u":
                self._keyboard(private, numbers)
            case b">", b"m" if numbers[0] == b"4":
                self._flag(b"\x1b[>4;0m", changed=any(numbers[1:]))
            case b"", b"h" | b"l" if b"4" in numbers:
                self._flag(b"\x1b[4l", changed=final == b"h")
            case b"", b" q":
                self._flag(b"\x1b[0 q", changed=any(numbers))
            case b"", b'"q':
                self._flag(b'\x1b[0"q', changed=numbers[0] == b"1")
            case b"", b"r":
                self._flag(b"\x1b7\x1b[r\x1b8", changed=any(numbers))
            case b"", b"m" if numbers == [b"10"]:
                self._flag(_FONT, changed=False)
            case b"", b"m":
                self._flag(_LOOK, changed=any(numbers))
                if not _FONTS.isdisjoint(numbers):
                    self._flag(_FONT, changed=True)
            case b"", b"s" | b"u":
                self._keeps = True

    def _mode(self, mode: bytes, *, on: bool) -> None:
        self._keeps |= mode in _KEEPING
        if mode == b"6":  # a cursor is kept with the place that it counts from
            self._kept.add(b"\x1b[?6l")
        if mode in _ALTERNATE and not on:  # by whichever it was entered
            for each in _ALTERNATE:
                self._changed.pop(each, None)
        elif on == (mode in _ON_BY_ITSELF):
            self._changed.pop(mode, None)
        elif mode in _USUAL or len(self._changed) < _MOST:
            self._changed[mode] = None

    def _keyboard(self, way: bytes, numbers: list[bytes]) -> None:
        here = self.alternate
        if way == b">":
            self._pushed[here] += 1
        elif way == b"<":
            self._pushed[here] = max(0, self._pushed[here] - int(numbers[0] or b"1"))
        elif numbers[0]:
            self._tops.add(here)
        elif (numbers[1:] or [b""])[0] in {b"", b"1"}:  # others leave what is not named as it is
            self._tops.discard(here)

    def _color(self, number: int, rest: bytes | None) -> None:
        """Take an operating system command; a question (`?`) changes nothing."""
        values = (rest or b"")[1:].split(b";")
        if number > _LAST_COLOR:
            # Before an empty name of one some take back all of the palette, and some nothing.
            if rest is None or (rest == b";" and number > 100 + _PALETTE):
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
            if undo in _SETS:
                self._kept.add(undo)
        else:
            self._flags.discard(undo)

    def leave(self) -> bytes:
        """Return what puts the terminal back; nothing if the program has done it itself."""
        here = self.alternate
        undone = self._keys(here) + b"".join(sorted(self._flags - {_LOOK}))
        order = sorted(self._changed, key=lambda mode: mode in _ALTERNATE)
        undone += b"".join(
            b"\x1b[?%b%b" % (mode, b"h" if mode in _ON_BY_ITSELF else b"l") for mode in order
        )
        there = self._keys(not here)
        undone += there if here or not there else b"\x1b[?1049h%b\x1b[?1049l" % there
        if self._keeps:
            undone += b"".join(sorted(self._kept))
        looks = bool(undone) or _LOOK in self._flags
        self._changed.clear()
        self._flags.clear()
        self._kept.clear()
        self._keeps = False
        return undone + _LOOK if looks else b""

    def _keys(self, alternate: bool) -> bytes:
        """Return what puts the keyboard of a screen back, once."""
        pushed, self._pushed[alternate] = self._pushed[alternate], 0
        undone = b"\x1b[<%du" % pushed if pushed else b""
        if alternate in self._tops:
            self._tops.discard(alternate)
            undone += _TOP
        return undone
