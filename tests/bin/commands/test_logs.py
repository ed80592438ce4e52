"""What containers wrote is shown whole, and steers no terminal."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.bin.commands import logs
from jailoc.bin.commands.logs import LONGEST, PIECE, STAMP, after, plain, run, whole
from jailoc.bin.config.session import Session
from jailoc.bin.engine import exchange
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused

STAMPED = b"2026-11-24T23:56:26.310087384Z "


class Dripping(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = data, step

    def read(self, size: int = -1) -> bytes:
        found, self._data = self._data[: self._step], self._data[self._step :]
        return found


@given(st.binary(max_size=60), st.integers(1, 9))
def test_no_byte_is_lost_and_the_last_line_ends_too(data: bytes, step: int) -> None:
    found = list(exchange.lines(Dripping(data, step).read, 1 << 10))
    assert all(each.endswith(b"\n") and each.count(b"\n") == 1 for each in found)
    missing = b"" if data.endswith(b"\n") or not data else b"\n"
    assert b"".join(found) == data + missing


def test_the_stamps_at_which_the_engine_cut_a_long_line_are_taken_out() -> None:
    first, second, rest = b"a" * PIECE, b"b" * PIECE, b"c\n"
    assert whole(first + STAMPED + second + STAMPED + rest) == first + second + rest
    inside = b"at 2026-11-24T23:56:26.310087384Z it was\n"
    assert whole(inside) == inside


def test_an_endless_line_comes_in_parts_that_each_begin_with_a_stamp() -> None:
    piece = STAMPED + b"a" * PIECE
    parts = list(exchange.lines(io.BytesIO(piece * 200 + b"b\n").read, LONGEST))
    assert [len(each) for each in parts[:3]] == [LONGEST + 1] * 3
    assert all(STAMP.match(each) for each in parts)
    text = b"".join(whole(each[len(STAMPED) :]).removesuffix(b"\n") for each in parts)
    assert text == b"a" * PIECE * 200 + b"b"


@pytest.mark.parametrize(
    ("since", "taken"),
    [
        ("10m", True), ("1h30m", True), ("1.5h", True), ("90s", True), ("1700000000", True),
        ("2027-01-31", True), ("2027-01-31T09:00", True), ("2027-01-31T09:00:00.5+01:00", True),
        ("2027-01-31T09:00:00Z", True), ("yesterday", False), ("10 m", False), ("1d", False),
        ("", False), ("10m; x", False),
    ],
)  # fmt: skip
def test_what_is_neither_a_time_nor_an_age_is_told_before_docker_is_asked(
    since: str, taken: bool
) -> None:
    with pytest.raises(Refused) as refused:
        run(Session(Terminal(), "/nonexistent/config.toml"), False, None, since, None)
    assert (refused.value.diagnostics[0].code == "usage") != taken


def test_a_line_of_the_next_moment_is_asked_for() -> None:
    stamp = STAMPED.decode().strip()
    assert after(stamp) == "2026-11-24T23:56:26.310087385Z"
    assert STAMP.fullmatch(after(stamp).encode() + b" ")
    assert after("2026-11-24T23:56:26.999999999Z") == "2026-11-24T23:56:26.999999999Z"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"\x1b[31mred\x1b[0m\n", b"red\n"),
        (b"\x1b[2J\x07\x9b31m\n", "\u241b[2J\u2407\ufffd31m\n".encode()),
        (b"\x1b]52;c;aGk=\x07\n", "\u241b]52;c;aGk=\u2407\n".encode()),
        (b"half\rover\r\n", "half\u240dover\n".encode()),
        (b"\x1b[3\x1b[0m1mred\n", "\u241b[31mred\n".encode()),
        ("t\u00e4b\there \u202e\n".encode(), "t\u00e4b\there \ufffd\n".encode()),
    ],
)
def test_nothing_in_a_line_steers_a_terminal(line: bytes, shown: bytes) -> None:
    assert plain(line) == shown


@given(st.binary(max_size=40))
def test_a_shown_line_holds_no_control_character(line: bytes) -> None:
    text = plain(line.replace(b"\n", b"") + b"\n").decode()
    assert text.endswith("\n")
    assert all(each == "\t" or each.isprintable() for each in text[:-1])


def test_a_mistyped_service_is_answered_with_the_near_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for typed, hint in (("dbb", "did you mean `db`?"), ("zzz", None)):
        refused = logs._absent(Session(Terminal()), "api", typed, {"firewall", "opencode", "db"})
        assert refused.diagnostics[0].hint == hint
        assert refused.diagnostics[0].allowed == "firewall, opencode, db"
