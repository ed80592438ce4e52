"""OpenCode's closing hint becomes jailoc's, however the stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.attach.resume_hint import TEXT, Rewriter
from jailoc.model.agents.opencode1 import OPENCODE_1

HINT = OPENCODE_1.client.hint
PATTERN = HINT.encode()

pieces = st.sampled_from(
    [PATTERN, b"opencode", b"o", b"op", b"opencode -", b" ", b"-s ", b"\xc3", b"\xa4", b"x", b"\n"]
)
streams = st.one_of(st.binary(max_size=60), st.lists(pieces, max_size=12).map(b"".join))


def through(stream: bytes, cuts: list[int]) -> tuple[bytes, list[bytes]]:
    rewriter, places = Rewriter(HINT), sorted({min(cut, len(stream)) for cut in cuts})
    bounds = [0, *places, len(stream)]
    shown = [rewriter.feed(stream[a:b]) for a, b in pairwise(bounds)]
    shown.append(rewriter.flush())
    return b"".join(shown), shown


@given(streams, st.lists(st.integers(0, 200), max_size=12))
def test_the_same_text_comes_out_however_the_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    assert through(stream, cuts)[0] == stream.replace(PATTERN, TEXT)


@pytest.mark.parametrize("cut", range(len(PATTERN) + 1))
def test_the_hint_is_found_when_it_is_cut_at_any_byte(cut: int) -> None:
    stream = b"\x1b[1m" + PATTERN + b"ses_1\r\n" + PATTERN
    assert through(stream, [4 + cut])[0] == b"\x1b[1mjailoc -s ses_1\r\njailoc -s "


@given(streams)
def test_byte_by_byte_nothing_is_lost_or_kept(stream: bytes) -> None:
    whole, _ = through(stream, list(range(len(stream))))
    assert whole == stream.replace(PATTERN, TEXT)


@given(streams)
def test_no_more_is_held_back_than_could_begin_the_hint(stream: bytes) -> None:
    rewriter = Rewriter(HINT)
    shown = rewriter.feed(stream)
    assert rewriter.holds == (shown != stream.replace(PATTERN, TEXT))
    held = rewriter.flush()
    assert PATTERN.startswith(held)
    assert len(held) < len(PATTERN)
    assert not rewriter.holds


def test_an_empty_piece_says_nothing_and_keeps_what_is_held() -> None:
    rewriter = Rewriter(HINT)
    assert rewriter.feed(b"open") == b""
    assert rewriter.feed(b"") == b""
    assert rewriter.feed(b"code -s x") == b"jailoc -s x"
