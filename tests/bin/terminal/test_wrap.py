"""A line is broken between words, and nothing of it is lost."""

import os
import pty
import re
import struct
import subprocess
import sys
import time
from fcntl import ioctl
from termios import TIOCSWINSZ

from hypothesis import given
from hypothesis import strategies as st

from jailoc.bin.terminal.wrap import DEEPER, wrapped

texts = st.text(st.sampled_from("ab `-/"), max_size=120).filter(lambda each: not each.isspace())


@given(texts, st.integers(5, 60))
def test_no_character_but_blanks_at_a_break_is_lost(text: str, width: int) -> None:
    shown = wrapped(text, width)
    assert re.sub("[ \n]", "", shown) == text.replace(" ", "")
    assert shown.split() == text.split()


@given(texts, st.integers(20, 60))
def test_what_stands_in_backticks_is_never_broken(text: str, width: int) -> None:
    room = width - DEEPER - len(text) + len(text.lstrip())
    # What touches it is of the same word, which may be broken within it where it has no room.
    for word in re.findall("(?:`[^`]*`|[^ `]|`)+", text):
        assert len(word) > room or word in wrapped(text, width)


@given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1), st.integers(20, 60))
def test_no_name_in_backticks_begins_a_line(words: list[str], width: int) -> None:
    for line in wrapped(f"cannot read `{' '.join(words)}`", width).splitlines()[1:]:
        assert line.startswith(" " * DEEPER)
        assert len(line) <= width


@given(st.integers(0, 60), st.integers(30, 60))
def test_no_name_with_blanks_begins_a_line_as_a_hint_does(blanks: int, width: int) -> None:
    name = f"/p/{'d' * (width - 9)}{' ' * blanks}hint: all is well"
    own = len("  ")  # of a hint, see `Terminal.diagnose`
    for line in wrapped(f"look at {name}", width).splitlines()[1:]:
        assert len(line) - len(line.lstrip()) > own


@given(st.lists(st.text("a\u6f22\uff21", min_size=1, max_size=9), min_size=1), st.integers(24, 60))
def test_no_line_of_wide_characters_is_longer_than_the_terminal(
    words: list[str], width: int
) -> None:
    """A terminal would begin a line with the rest, at its edge."""
    for line in wrapped(" ".join(words), width).splitlines():
        assert sum(1 if each.isascii() else 2 for each in line) <= width


@given(st.lists(st.text("abc", min_size=1, max_size=15), min_size=1), st.integers(20, 60))
def test_no_line_is_longer_than_the_terminal(words: list[str], width: int) -> None:
    assert all(len(each) <= width for each in wrapped(" ".join(words), width).splitlines())


def test_blanks_without_end_take_no_time() -> None:
    begun = time.process_time()
    assert wrapped("a" + " " * 100_000, 80) == "a"
    assert time.process_time() - begun < 1


def test_a_terminal_gets_whole_words_and_a_pipe_whole_lines(tmp_path: os.PathLike[str]) -> None:
    command = [sys.executable, "-P", "-m", "jailoc.bin", "status", "nosuch-workspace-of-this-name"]
    environment = os.environ | {"HOME": str(tmp_path), "NO_COLOR": "1", "COLUMNS": "40"}
    master, slave = pty.openpty()
    ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    subprocess.run(command, stdout=slave, stderr=slave, env=environment, check=False)
    os.close(slave)
    shown = os.read(master, 1 << 16).decode().splitlines()
    os.close(master)
    assert max(map(len, shown)) <= 40
    assert any(each.strip() == "`nosuch-workspace-of-this-name` not" for each in shown)
    plain = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "workspace `nosuch-workspace-of-this-name` not found" in plain.stderr
