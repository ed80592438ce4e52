"""What a client has switched on in a terminal is known, however the stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.attach.escape_filter import EscapeFilter
from jailoc.generators.attach.terminal_modes import Screen

CLIENT = (
    b"\x1b[?1049h\x1b[>4;1m\x1b[?2027h\x1b[?2004h\x1b[?1000;1002h\x1b[?25l\x1b[>7u\x1b]12;red\x07"
    b"\x1b[5 qtext\x1b[?1016$p\x1b[?u"
)
UNDONE = (
    b"\x1b[<1u\x1b[>4;0m\x1b]112\x07\x1b[?2027l\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?25h"
    b"\x1b[?1049l\x1b[0m"
)


def left(*pieces: bytes) -> bytes:
    screen = Screen()
    for each in pieces:
        screen.feed(each)
    return screen.leave()


def test_what_was_switched_on_is_switched_off_and_the_alternate_screen_is_left_last() -> None:
    assert sorted(left(CLIENT).split(b"\x1b")) == sorted((UNDONE + b"\x1b[0 q").split(b"\x1b"))
    assert left(CLIENT).endswith(b"\x1b[?1049l\x1b[0m")


@given(st.lists(st.integers(0, len(CLIENT)), max_size=8))
def test_a_cut_anywhere_changes_nothing(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(CLIENT)]
    pieces = [CLIENT[a:b] for a, b in pairwise(bounds)]
    assert left(*pieces) == left(CLIENT)


@pytest.mark.parametrize(
    "stream",
    [b"", b"text\n", CLIENT + UNDONE + b"\x1b[0 q", b"\x1b[?25h", b"\x1b[?7h", b"\x1b[?2004l",
     b"\x1b[<1u", b"\x1b[11m\x1b[10;1m\x1b[0m\x1b[10m",
     b"\x1b[?1h\x1b[?1l", b"\x1b[>4m", b"\x1b[>1u\x1b[>2u\x1b[<2u"],
)  # fmt: skip
def test_a_client_that_tidies_up_leaves_nothing_to_do(stream: bytes) -> None:
    assert left(stream) == b""


@pytest.mark.parametrize(
    ("stream", "undone"),
    [
        (b"\x1b[4h", b"\x1b[4l"),
        (b"\x1b[=5u", b"\x1b[=0u"),
        (b"\x1b[1;1r", b"\x1b7\x1b[r\x1b8"),
        (b"\x1b=", b"\x1b>"),
        (b"\x1b(0", b"\x1b(B"),
        (b"\x1b)0\x0e", b"\x0f\x1b)B"),
        (b"\x1b[8m", b""),
        (b'\x1b[1"q', b'\x1b[0"q'),
        (b"\x1b]4;1;#000000;2;?\x1b\\", b"\x1b]104\x07"),
        (b"\x1b]10;?;#000000\x07", b"\x1b]111\x07"),
        (b"\x1b]11;#000000\x07\x1b]111;\x07\x1b]12;red\x07", b"\x1b]112\x07"),
    ],
)
def test_what_follows_is_seen_and_typed_as_before(stream: bytes, undone: bytes) -> None:
    for cut in range(len(stream)):
        assert left(stream[:cut], stream[cut:]) == undone + b"\x1b[0m"


@pytest.mark.parametrize(
    ("stream", "undone"),
    [
        # Each screen has a stack of its own: what is put back in one changes nothing in the other.
        (b"\x1b[>31u\x1b[?1049h", b"\x1b[?1049l\x1b[<1u"),
        (b"\x1b[>31u\x1b[?1049h\x1b[<1u", b"\x1b[?1049l\x1b[<1u"),
        (b"\x1b[>31u\x1b[?1049h\x1b[>1u", b"\x1b[<1u\x1b[?1049l\x1b[<1u"),
        (b"\x1b[=31;1u\x1b[?1049h", b"\x1b[?1049l\x1b[=0u"),
        (b"\x1b[?1049h\x1b[>31u\x1b[?1049l", b"\x1b[?1049h\x1b[<1u\x1b[?1049l"),
        (b"\x1b[?1049h\x1b[?47l\x1b[>31u\x1b[?47h", b"\x1b[?47l\x1b[<1u"),
        # What is kept with the cursor comes back when the alternate screen is left.
        (b"\x1b(0\x1b[?1049h\x1b(B", b"\x1b[?1049l\x1b(B"),
        (b"\x1b(0\x1b[?1049h", b"\x1b(B\x1b[?1049l\x1b(B"),
        (b"\x1b(0\x1b7\x1b(B\x1b8", b"\x1b(B"),
        (b"\x1b)0\x0e\x1b[s\x0f\x1b[u", b"\x1b)B\x0f\x1b)B"),
        (b"\x1b[?6h\x1b7\x1b[?6l\x1b8", b"\x1b[?6l"),
    ],
)
def test_what_a_screen_has_of_its_own_is_put_back_there(stream: bytes, undone: bytes) -> None:
    for cut in range(len(stream)):
        assert left(stream[:cut], stream[cut:]) == undone + b"\x1b[0m"


@pytest.mark.parametrize(
    ("stream", "plain"),
    [
        (b"\x1b[?0025l", b"\x1b[?25l"),
        (b"\x1b[?%b25l" % (b"0" * 99), b"\x1b[?25l"),
        (b"\x1b[?07l", b"\x1b[?7l"),
        (b"\x1b[>31u\x1b[?01049h\x1b[>1u", b"\x1b[>31u\x1b[?1049h\x1b[>1u"),
        (b"\x1b[?%b2004h" % (b"2004;" * 99), b"\x1b[?2004h"),
        (b"\x1b[04h", b"\x1b[4h"),
        (b"\x1b[4;4h", b"\x1b[4h"),
        (b"\x1b[8%bm" % (b";0008" * 32), b"\x1b[8m"),
        (b"\x1b[3;10%br" % (b";0000" * 30), b"\x1b[3;10r"),
        (b"\x1b[0004 q", b"\x1b[4 q"),
        (b"\x1b[>04;0002m", b"\x1b[>4;2m"),
        (b"\x1b[>%b1u" % (b"0" * 99), b"\x1b[>1u"),
        (b"\x1b[=0005;0001%bu" % (b";0001" * 9), b"\x1b[=5;1u"),
        (b"\x1b]0004;1;red\x07", b"\x1b]4;1;red\x07"),
        (b"\x1b]0010;red\x1b\\", b"\x1b]10;red\x1b\\"),
    ],
)
def test_what_passes_the_filter_is_remembered_however_it_is_written(
    stream: bytes, plain: bytes
) -> None:
    shown = EscapeFilter().feed(stream)
    assert shown == stream, "it passes"
    assert left(shown) == left(plain) != b""
    for cut in range(len(stream)):
        assert left(stream[:cut], stream[cut:]) == left(plain)


@pytest.mark.parametrize(
    ("stream", "undone"),
    [
        # A bit that is set (2) or taken back (3) leaves the others of the keyboard as they are.
        (b"\x1b[=5u\x1b[=0;2u", b"\x1b[=0u"),
        (b"\x1b[=5u\x1b[=0;3u", b"\x1b[=0u"),
        # To `OSC 104 ;` some take back no colour.
        (b"\x1b]4;1;red\x07\x1b]104;\x07", b"\x1b]104\x07"),
        # The first font of Linux comes back by its own number alone.
        (b"\x1b[12m\x1b[0m", b"\x1b[10m"),
        (b"\x1b[11m", b"\x1b[10m"),
    ],
)
def test_what_looks_as_if_it_were_put_back_is(stream: bytes, undone: bytes) -> None:
    assert left(stream) == undone + b"\x1b[0m"


def test_a_question_changes_nothing() -> None:
    assert left(b"\x1b]11;?\x07\x1b]4;1;?\x1b\\\x1b]10;?;?\x07") == b""


def test_a_stream_that_names_any_number_of_modes_is_remembered_within_bounds() -> None:
    many = b"".join(b"\x1b[?%dh" % each for each in range(3000, 9000))
    assert left(b"\x1b[?1049h", many).count(b"l") == 64
    late = left(many, b"\x1b[?1000h\x1b[?1049h\x1b[?25l")
    for each in (b"\x1b[?1000l", b"\x1b[?1049l", b"\x1b[?25h"):
        assert each in late, "what comes first hides nothing that comes later"


@given(st.binary(max_size=80))
def test_any_bytes_are_read(stream: bytes) -> None:
    screen = Screen()
    screen.feed(stream)
    screen.leave()
    assert screen.leave() == b""
