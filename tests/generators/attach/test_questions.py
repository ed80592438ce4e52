"""What a terminal answers is known as a question, and a fence's answer from all others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.attach.escape_filter import FINAL, MODES, EscapeFilter
from jailoc.generators.attach.questions import BITS, Fence
from tests.generators.attach.test_escape_filter import BYTES, PASSES, Obeying

QUESTIONS = (
    b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[=c", b"\x1bZ",
    b"\x1b[5n", b"\x1b[06n", b"\x1b[?6n", b"\x1b[?996n", b"\x1b[?15n",
    b"\x1b[14t", b"\x1b[16t", b"\x1b[18t", b"\x1b[22;14t", b"\x1b[22;18t",
    b"\x1b[?2026$p", b"\x1b[4$p", b"\x1b[>q", b"\x1b[>0q", b"\x1b[?u", b"\x1b[?4m",
    b"\x1b]4;1;?\x07", b"\x1b]4;1;#fff;2;?\x1b\\", b"\x1b]10;?\x07", b"\x1b]11;?\x1b\\",
    b"\x1b]010;#fff;?\x07", b"\x1b]12;?\x07",
    b"\x1b[?1000h", b"\x1b[?25;1003h", b"\x1b[?1004h", b"\x1b[?2031h", b"\x1b[?2048h",
    b"\x1b[>5u", b"\x1b[=2u",
)  # fmt: skip
SILENT = (
    b"text?\r\n", b"\x1b[31m", b"\x1b[10;20H", b"\x1b[2J", b"\x1b[?1049h", b"\x1b[?1000l",
    b"\x1b[22;0t\x1b[23;0t", b"\x1b7\x1b8\x1bc", b"\x1b(B\x1b#8", b"\x1b]0;why?\x07",
    b"\x1b]4;1;#fff\x07", b"\x1b]104\x07", b"\x1b[<u", b"\x1b[u", b"\x1b[2 q", b"\x1b[>4;2m",
)  # fmt: skip


@pytest.mark.parametrize("data", QUESTIONS)
def test_a_question_that_passes_is_counted_wherever_it_is_cut(data: bytes) -> None:
    for place in range(len(data) + 1):
        found = EscapeFilter()
        assert found.feed(data[:place]) + found.feed(data[place:]) == data
        assert found.asked


@pytest.mark.parametrize("data", SILENT)
def test_what_is_answered_by_nothing_is_no_question(data: bytes) -> None:
    found = EscapeFilter()
    assert found.feed(data) == data
    assert not found.asked


@pytest.mark.parametrize("data", QUESTIONS)
def test_where_nobody_reads_an_answer_no_question_passes(data: bytes) -> None:
    found = EscapeFilter(may_ask=lambda _: False)
    assert found.feed(b"a" + data + b"b") == b"ab"
    assert not found.asked


def answered(kind: str, text: str) -> bool:
    """Tell whether a terminal types something then (xterm, VTE and kitty together)."""
    numbers = {int(each or 0) for each in re.findall(r"[0-9]+", text)}
    match kind:
        case "[":
            return (
                text[-1] in "cn"
                or bool(re.fullmatch(r"[0-9;:]*t", text) and numbers & {11, *range(13, 22)})
                or text[-2:] == "$p"
                or (text[0] == ">" and text[-1] == "q")
                or (text[0] == "?" and text[-1] in "um")
                or (text[0] == "?" and text[-1] == "h" and bool(numbers & {1004, 2048}))
                or bool(re.fullmatch(r"[0-9;]*x", text))
            )
        case "]":
            number, _, rest = text.partition(";")
            return number.lstrip("0") not in {"", "1", "2"} and "?" in rest.split(";")
        case "ESC":
            return text == "Z"
        case "C0":
            return text == "\x05"
    return True


PARTS = st.one_of(
    st.sampled_from(BYTES),
    st.sampled_from((*QUESTIONS, *SILENT, *PASSES)),
    st.builds(
        lambda private, number, between, final: (
            b"\x1b[%b%d%b%b" % (private, number, between, final)
        ),
        st.sampled_from((b"", b"?", b">", b"=", b"<", b"1;")),
        st.sampled_from((0, 1, 2, 4, 5, 6, 14, 16, 18, 22, 23, 996, *map(int, MODES))),
        st.sampled_from((b"", b" ", b"$", b"!", b'"', b"'", b"*", b"#")),
        st.integers(0x40, 0x7E).map(lambda each: bytes([each])),
    ),
)


@given(st.lists(PARTS, max_size=20), st.lists(st.integers(0, 300), max_size=8))
def test_whatever_passes_and_is_answered_is_counted(parts: list[bytes], places: list[int]) -> None:
    data = b"".join(parts)
    found, shown, last = EscapeFilter(), b"", 0
    for place in [*sorted(each % (len(data) + 1) for each in places), len(data)]:
        shown += found.feed(data[last:place])
        last = place
    asked = [each for each in Obeying().read(shown).done if answered(*each)]
    assert found.asked or not asked
    silent = EscapeFilter(may_ask=lambda _: False).feed(data)
    assert not [each for each in Obeying().read(silent).done if answered(*each)]


def test_control_nothing_that_is_let_through_unread_is_answered() -> None:
    assert b"c" not in FINAL


def answers(question: bytes) -> bytes:
    """Return what a terminal types."""
    wanted = {b"5": b"\x1b[0n", b"6": b"\x1b[24;80R"}
    return b"".join(wanted[each] for each in re.findall(rb"\x1b\[([56])n", question))


BITS_GIVEN = st.integers(0, 2**BITS - 1)


@given(BITS_GIVEN, st.lists(st.integers(0, 500), max_size=20), st.binary(max_size=50))
def test_the_answer_ends_a_fence_however_it_is_cut(
    bits: int, places: list[int], before: bytes
) -> None:
    fence = Fence(bits)
    data = before + b"\x1b]11;rgb:0/0/0\x1b\\" + answers(fence.question)
    last = 0
    for place in sorted(each % len(data) for each in places):
        assert not fence.answered(data[last:place])
        last = place
    assert fence.answered(data[last:])
    assert fence.without(b"x" + data + b"y") == b"x" + before + b"\x1b]11;rgb:0/0/0\x1b\\y"


@given(BITS_GIVEN, BITS_GIVEN)
def test_answers_of_a_sandbox_do_not_end_it(bits: int, others: int) -> None:
    fence, asked = Fence(bits), answers(Fence(others).question)
    assert fence.answered(asked) is (bits == others)
    assert fence.answered(answers(fence.question)) or bits == others


def test_keys_between_the_answers_do_not_keep_it() -> None:
    fence = Fence(0x0123456789AB)
    typed = answers(fence.question).replace(b"\x1b", b"x\x03\x1b[A\x1b")
    assert fence.answered(typed)


def test_an_answer_in_one_byte_controls_is_one() -> None:
    fence = Fence(5)
    assert fence.answered(answers(fence.question).replace(b"\x1b[", b"\x9b"))
