"""What of a client in the sandbox reaches the terminal, however its output is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.attach.escape_filter import LONGEST, EscapeFilter

PASSES = (
    b"plain \xc3\xa4\xe2\x80\xa8 text\r\n",
    b"\x1b[31;1mred\x1b[0m",
    b"\x1b[?1049h\x1b[2J\x1b[10;20H",
    b"\x1b]0;title\x07",
    b"\x1b]11;?\x1b\\",
    b"\x1b7\x1b8\x1b(B\x1bc",
    b"\x1b[14t\x1b[6n",
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
    b"\x1b[21t",
    b"\x1b[20t",
    b"\xc2\x9d",
    b"\xc2\x90",
    b"\x1b]0;" + b"x" * LONGEST + b"\x07",
)


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


@pytest.mark.parametrize("data", [b"\x1b]52;c;abc", b"\x1bP+q", b"\x1b[31"])
def test_what_never_ends_is_never_shown(data: bytes) -> None:
    assert EscapeFilter().feed(data) == b""


def test_a_cut_string_cannot_hide_another() -> None:
    assert EscapeFilter().feed(b"\x1b]0;a\x1b]52;c;x\x07b") == b"b"
    assert EscapeFilter().feed(b"\x1b]0;a\x18\x1b[1mb") == b"\x1b[1mb"
