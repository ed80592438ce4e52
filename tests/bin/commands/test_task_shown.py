"""What an agent calls its files, and writes in its commits, as the user is shown it."""

import io
from contextlib import redirect_stderr

import pytest

from jailoc.bin.commands import task
from jailoc.bin.deploy import task_fetch
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.text import visible

STEERING = {
    "newline": "a\nb", "return": "a\rb", "title": "a\x1b]0;owned\x07b", "screen": "a\x1b[2Jb",
    "c1": "a\x9b2Jb", "backspace": "a\x08\x08b", "bidi": "a\u202eb", "isolate": "a\u2066b",
    "mark": "a\ufeffb", "zero width": "a\u200bb", "line separator": "a\u2028b",
    "next line": "a\x85b", "no text": "a\udcffb", "tag": "a\U000e0041b", "null": "a\0b",
}  # fmt: skip


@pytest.mark.parametrize("text", STEERING.values(), ids=list(STEERING))
def test_no_name_steers_a_terminal_or_begins_a_line(text: str) -> None:
    for shown in (task._shown(text), visible(text)):
        assert shown.isprintable()
        assert shown[0] == "a"
        assert shown[-1] == "b"
        assert len(shown) > 2, "that something was there is seen"
    told = io.StringIO()
    with redirect_stderr(told):
        Terminal(color=False).say(f"look: {text}")
    assert told.getvalue().count("\n") == 1
    assert told.getvalue()[:-1].isprintable()


def test_a_name_that_looks_like_another_says_so() -> None:
    assert task._shown("M\u0430kefile") != "M\u0430kefile"
    assert task._shown("caf\u00e9/\u6f22") == "caf\u00e9/\u6f22"


def test_a_name_without_end_is_cut_and_keeps_its_telling_parts() -> None:
    shown = task._shown("/deep" * 100_000 + "/Makefile")
    assert len(shown) <= task.LONGEST_SHOWN
    assert shown.startswith("/deep")
    assert shown.endswith("/Makefile")


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028",
                                 "\u2029"])  # fmt: skip
def test_no_message_begins_a_line_of_gits_own(end: str) -> None:
    """Git indents each line of a message; another end of line would leave that out."""
    forged = f"commit 1\n\n    harmless{end}commit 2\n"
    found = task_fetch.lines(forged.encode())
    assert len(found) == 3
    assert [each for each in found if each.startswith("commit")] == ["commit 1"]
    assert "".join(visible(each) for each in found).isprintable()
    assert len(forged.splitlines()) > 3, "what would be taken for lines"


def test_lines_are_whole_and_none_is_made_up() -> None:
    assert task_fetch.lines(b"") == []
    assert task_fetch.lines(b"a\n\nb") == ["a", "", "b"]
    assert task_fetch.lines(b"\xff\n") == ["\ufffd"]
