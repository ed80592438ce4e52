"""What of a client in the sandbox reaches the terminal, however its output is cut."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jailoc.generators.attach.escape_filter import LONGEST, PASSING, EscapeFilter

PASSES = (
    b"plain \xc3\xa4\xe2\x80\xa8 text\r\n",
    b"\x1b[31;1mred\x1b[0m",
    b"\x1b[?1049h\x1b[2J\x1b[10;20H",
    b"\x1b]0;title\x07",
    b"\x1b]11;?\x1b\\",
    b"\x1b7\x1b8\x1b(B\x1bc",
    b"\x1b[14t\x1b[6n",
    b"\x1b[22;0t\x1b[23;0t\x1b[18t",
    b"\x1b[2 q\x1b[!p\x1b[?2026$p\x1b[?25l\x1b[4l\x1b[>q\x1b[?u",
    b"\x1b)0\x1b#8",
    b"\x1b[>4;2m\x1b[>4m\x1b[?4m\x1b[4:3;58:5:1m\x1b[>7u\x1b[=5;1u\x1b[<u",
    b"\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[?6n\x1b[?996n\x1b[2;9r\x1b[1;9s\x1b[2S\x1b[T\x1b[?K",
    b"\x1b]2;\xc3\xa4\xe2\x9c\x9c\xf0\x9f\x8c\x8d\x07",
    b"\xe2\x9b\x9d \xf0\x9f\x92\x9b \xed\x9f\xbf",
)
DROPPED = (
    b"\x1b]52;c;Y3VybCBldmlsfHNo\x07",
    b"\x1b]52;c;aGk=\x1b\\",
    b"\x1b]8;;http://evil.example\x07",
    b"\x1b]7;file:///etc\x07",
    b"\x1b]9;hello\x07",
    b"\x1b]777;notify;a;b\x07",
    b"\x1b]1337;File=inline=1:AAAA\x07",
    b"\x1bP+q544e\x1b\\",
    b"\x1bPq#0;2;0;0;0\x1b\\",
    b"\x1b_Gi=31;AAAA\x1b\\",
    b"\x1b^secret\x1b\\",
    b"\x1bXstart\x1b\\",
    b"\x1b[12;2]",
    b"\x1b[8]",
    b"\x1b[[",
    b"\x1b[21t",
    b"\x1b[20t",
    b"\x1b[021t",
    b"\x1b[21;0t",
    b"\x1b[20:1t",
    b"\x1b[1;21t",
    b"\x1b[>21t",
    b"\x1b[277t",
    b"\x1b[2\n1t",
    b"\x1b[2\x7f1t",
    b"\x1b[\xc3\xa421t",
    b"\x1b[21 1t",
    b"\x1b\n",
    b"\x1b\x7f",
    b"\x1b%@",
    b"\x1b%G",
    b"\x1b%/G",
    b"\x1b F",
    b"\x1b G",
    b"\x1b(\nB",
    b"\x1b-A",
    b'\x1b[62;0"p',
    b"\x1b[?2l",
    b"\x1b[?25;02l",
    b"\x1b[?2h",
    b"\x1b[?3h",
    b"\x1b[?8l",
    b"\x1b[?1000;1036l",
    b"\x1b[?1049s",
    b"\x1b[?1049r",
    b"\x1b[2h",
    b"\x1b[12l",
    b"\x1b[4;20h",
    b"\x1b[3g",
    b"\x1b[?5W",
    b"\x1bH",
    b"\x1bn",
    b"\x1b|",
    b"\x1bl",
    b"\x1bk",
    b"\x1b[2t",
    b"\x1b[3;1;1t",
    b"\x1b[8;100000;100000t",
    b"\x1b[4;600;800t",
    b"\x1b[>2t",
    b"\x1b[1000000000b",
    b"\x1b[1;10000H",
    b"\x1b[1;1;1;1;5;5*y",
    b"\x1b[0#y",
    b"\x1b[0*z",
    b"\x1b[5i",
    b"\x1b[?5i",
    b"\x1b[i",
    # What nothing at the end would put back, or what a terminal answers with the end of a line.
    b"\x1b[>1;3m",
    b"\x1b[>m",
    b"\x1b[>2n",
    b"\x1b[>3p",
    b"\x1b[>2T",
    b"\x1b[?1;3;16S",
    b"\x1b[?1;2;3c",
    b"\x1b[>29;2:1:1 q",
    b"\x1b[13;108;115;13p",
    b"\x1b[1q",
    b"\x1b[2;1y",
    b"\x1b[U",
    b"\x1b[V",
    b"\x1b[7n",
    b"\x1b[?1000:1002h",
    b"\x1b[3:10r",
    b"\x1b(%5",
    b"\x1b*&4",
    b"\x1b#9",
    b"\x05",
    b"\x9d",
    b"\x9b",
    b"\x84",
    b"\xc0\x9b",
    b"\xc1\x9d",
    b"\xe0\x82\x9b",
    b"\xf0\x80\x82\x9b",
    b"\xc3\x1b[5i\x9b",
    b"\xf5\xff",
    b"\xc2\x9d",
    b"\xc2\x90",
    b"\x1b]0;\xc2\x9c\xc2\x9d52;c;aGk=\x07",
    b"\x1b]0;\x9c\x9d52;c;aGk=\x07",
    b"\x1b]0;\ntitle\x07",
    b"\x1b]0;" + b"x" * LONGEST + b"\x07",
)


BYTES = (
    *(b"\x1b", b"[", b"]", b"P", b"%", b" ", b"*", b"#", b'"', b"@", b"F", b"G", b"y", b"i", b"t"),
    *(
        b"2",
        b"1",
        b"0",
        b"21",
        b"20",
        b"52;c;",
        b"9;",
        b";",
        b":",
        b"?",
        b">",
        b"\n",
        b"\x18",
        b"\x7f",
    ),
    *(
        b"\x05",
        b"\x9b",
        b"\x9c",
        b"\x9d",
        b"\x90",
        b"\xc2",
        b"\xc0",
        b"\xe0",
        b"\x82",
        b"\xa0",
        b"\xe2",
    ),
    *(
        b"\x07",
        b"\\",
        b"l",
        b"h",
        b"r",
        b"g",
        b"k",
        b"a",
        b"p",
        b"\x1b[",
        b"\x1b]",
        b"\x1b]0;",
        b"\xf0\x80",
    ),
)
"""What sequences are made of, so that random data are more often some."""


class Obeying:
    """A terminal that obeys all it can be brought to, as the most obliging ones do.

    Controls within a sequence are obeyed and the sequence goes on; C1 controls are obeyed in one
    byte where no character is under way, and in UTF-8, also in one that is longer than it need be.
    """

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        """Sequences by their kind: `[` control, `]` command, `ESC` other, and `C0`."""
        self._kind, self._text = "", ""

    def read(self, data: bytes) -> "Obeying":
        point, missing = 0, 0
        for byte in data:
            if missing and 0x80 <= byte < 0xC0:
                point, missing = point << 6 | byte & 0x3F, missing - 1
                if not missing:
                    self._take(point)
                continue
            missing = 0
            if byte >= 0xC0:
                missing = 1 + (byte >= 0xE0) + (byte >= 0xF0)
                point = byte & (0x3F >> missing)
            else:
                self._take(byte)
        return self

    def _take(self, point: int) -> None:
        if 0x80 <= point < 0xA0:
            self._take(0x1B)
            self._take(point - 0x40)
        elif point in {0x18, 0x1A}:
            self._kind = ""
        elif point == 0x1B:
            if self._kind and self._kind in "]PX^_":
                self._end()
            self._kind, self._text = "ESC", ""
        elif self._kind and self._kind in "]PX^_":
            if point == 7:
                self._end()
            else:
                self._text += chr(point)
        elif point < 0x20 or point == 0x7F:
            self.done.append(("C0", chr(point)))
        elif self._kind == "ESC" and not self._text and chr(point) in "[]PX^_":
            self._kind = chr(point)
        elif self._kind:
            self._text += chr(point)
            if point >= (0x40 if self._kind == "[" else 0x30):
                self._end()

    def _end(self) -> None:
        self.done.append((self._kind, self._text))
        self._kind, self._text = "", ""


def dangers(data: bytes) -> list[tuple[str, str]]:
    """Return what such a terminal does that no agent may make it do."""
    return [(kind, text) for kind, text in Obeying().read(data).done if _dangerous(kind, text)]


def _dangerous(kind: str, text: str) -> bool:
    match kind:
        case "[":
            numbers = {int(each or 0) for each in re.findall(r"[0-9]+", text)}
            return (
                (text[-1] == "t" and bool(numbers - {0, 1, 2, 14, 16, 18, 22, 23}))
                or text[-1] in "igW"
                or max(numbers, default=0) > 9999
                or (text[-1] in "hlrs" and text[0] in "<=>")
                or (text[-1] in "rs" and text[0] == "?")
                or text[-2:] in {"*y", '"p'}
                or (text[0] == "?" and text[-1] in "hl" and bool(numbers & {2, 3, 8, 1001}))
                or (text[0] not in "?<=>" and text[-1] in "hl" and numbers != {4})
            )
        case "]":
            number = text.partition(";")[0]
            return not number.isdecimal() or int(number) not in PASSING
        case "ESC":
            return text[0] in "% HklmnoV"
        case "C0":
            return text == "\x05"
    return True


def cut(data: bytes, places: list[int]) -> bytes:
    """Feed data in pieces that end at the given places."""
    found, shown, last = EscapeFilter(), b"", 0
    for place in [*sorted(each % (len(data) + 1) for each in places), len(data)]:
        shown += found.feed(data[last:place])
        last = place
    return shown


@pytest.mark.parametrize("data", PASSES)
def test_what_draws_passes(data: bytes) -> None:
    assert EscapeFilter().feed(data) == data


@pytest.mark.parametrize("data", DROPPED)
def test_what_does_more_is_dropped_and_what_follows_is_shown(data: bytes) -> None:
    assert EscapeFilter().feed(b"a" + data + b"b") == b"ab"


@given(
    st.lists(
        st.sampled_from([(each, each) for each in PASSES] + [(each, b"") for each in DROPPED])
    ),
    st.lists(st.integers(0, 10_000), max_size=20),
)
def test_where_output_is_cut_changes_nothing(
    parts: list[tuple[bytes, bytes]], places: list[int]
) -> None:
    data = b"".join(part for part, _ in parts)
    assert cut(data, places) == b"".join(shown for _, shown in parts)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=10))
def test_no_forbidden_introducer_ever_comes_through(data: bytes, places: list[int]) -> None:
    shown = cut(data, places)
    assert shown == EscapeFilter().feed(data)
    for introducer in (b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX", b"\x1b]52", b"\xc2\x9d", b"\x1b]8"):
        assert introducer not in shown


@given(st.lists(st.sampled_from(BYTES), max_size=40), st.lists(st.integers(0, 200), max_size=10))
@example([b"\x1b%@", b"\x9d", b"9;x\x07"], [])
@example([b"\x1b]0;", b"\xc2\x9c\xc2\x9d", b"52;c;x\x07"], [])
@example([b"\x1b", b"\n", b"[21t"], [])
def test_whatever_a_terminal_obeys_nothing_forbidden_comes_through(
    parts: list[bytes], places: list[int]
) -> None:
    data = b"".join(parts)
    shown = cut(data, places)
    assert shown == EscapeFilter().feed(data)
    assert not dangers(shown)
    # What has passed once passes again: nothing new comes about where something was left out.
    assert EscapeFilter().feed(shown) == shown


ATTACKS = (
    b"\x1b[021t",
    b"\x1b[21;0t",
    b"\x1b[2\n1t",
    b"\x1b[20:1t",
    b"\x1b\n[21t",
    b"\x1b%@",
    b"\x9d9;x\x07",
    b"\x9b2;1t\x9b21t",
    b"\xc0\x9b[21t",
    b"\xe0\x82\x9b21t",
    b"\x1b]0;\xc2\x9c\xc2\x9d52;c;aGk=\x07",
    b"\x1b[1;1;1;1;5;5*y",
    b"\x1b[5i",
    b'\x1b[62;0"p',
    b"\x1b[?2l",
    b"\x1b[?2h",
    b"\x1b[2h",
    b"\x1b[8;100000;100000t",
    b"\x1b[3g",
    b"\x1bH",
    b"\x1bktitle\x1b\\",
    b"\x1b[?1049r",
)


@pytest.mark.parametrize("data", ATTACKS)
def test_a_terminal_that_obeys_is_steered_without_the_filter_and_not_with_it(data: bytes) -> None:
    assert dangers(data)
    assert not dangers(EscapeFilter().feed(data))


@pytest.mark.parametrize(
    "text", ["", "a", "\u00a0\u0101\u2028\uffff", "\U00010000\U0010ffff\U0001f49b"]
)
def test_every_character_of_utf_8_passes_however_it_is_cut(text: str) -> None:
    data = text.encode()
    for place in range(len(data) + 1):
        assert cut(data, [place]) == data


def _bytewise(data: bytes) -> list[tuple[str, str]]:
    """Return the same of a terminal that takes each byte for a character of its own (ISO 2022)."""
    return dangers("".join(map(chr, data)).encode())


@pytest.mark.parametrize("data", ["\u06db21t", "\u06dd52;c;aGk=\u06dc", "\u06db2h", "\u241b"])
def test_a_terminal_that_reads_single_bytes_is_not_steered_by_the_bytes_of_a_character(
    data: str,
) -> None:
    assert _bytewise(data.encode() + b"21t"), "the control: in UTF-8 it is a character"
    shown = EscapeFilter(utf8=False).feed(data.encode() + b"21t")
    assert not _bytewise(shown)
    assert b"?" in shown


@given(st.binary(max_size=200), st.lists(st.sampled_from(BYTES), max_size=40))
def test_it_gets_no_byte_that_is_none_of_ascii(data: bytes, parts: list[bytes]) -> None:
    for each in (data, b"".join(parts)):
        assert EscapeFilter(utf8=False).feed(each).isascii()


@pytest.mark.parametrize("data", [b"\x1b]52;c;abc", b"\x1bP+q", b"\x1b[31"])
def test_what_never_ends_is_never_shown(data: bytes) -> None:
    assert EscapeFilter().feed(data) == b""


def test_a_cut_string_cannot_hide_another() -> None:
    assert EscapeFilter().feed(b"\x1b]0;a\x1b]52;c;x\x07b") == b"b"
    assert EscapeFilter().feed(b"\x1b]0;a\x18\x1b[1mb") == b"\x1b[1mb"
