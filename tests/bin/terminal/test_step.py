"""A step is one line: plain in a pipe, with its seconds on a terminal, and it says how it ended."""

import re
import sys

import pexpect
import pytest

from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from tests.engine.world import User
from tests.programs import environment

SCRIPT = """
import time
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
terminal = Terminal()
with step(terminal, "starting the firewall"):
    time.sleep(0.6)
    terminal.say("something else")
    time.sleep(0.6)
try:
    with step(terminal, "starting api"):
        raise ValueError
except ValueError:
    pass
"""


def test_in_a_pipe_it_is_a_plain_line_as_soon_as_it_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal()
    with step(terminal, "starting api"):
        assert capsys.readouterr().err == "starting api\n"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "word"), [(ValueError, "failed"), (KeyboardInterrupt, "interrupted")]
)
def test_one_that_fails_or_is_interrupted_is_named_again(
    capsys: pytest.CaptureFixture[str], error: type[BaseException], word: str
) -> None:
    with pytest.raises(error), step(Terminal(), "starting api"):
        raise error
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(rf"starting api: {word} \(\d+\.\d s\)", lines[-1])


def test_on_a_terminal_its_seconds_are_counted_in_place(user: User) -> None:
    child = pexpect.spawn(sys.executable, ["-c", SCRIPT], env=environment(user, TERM="xterm"),
                          encoding="utf-8", timeout=30)  # fmt: skip
    child.expect(pexpect.EOF)
    text = re.sub(r"\x1b\[\d*m", "", str(child.before))
    assert "\r\x1b[Kstarting the firewall (0 s)" in text
    # What is left when every line that moved has been erased:
    shown = [line.rpartition("\x1b[K")[2] for line in text.split("\r\n")]
    assert shown[0] == "something else"
    assert re.fullmatch(r"starting the firewall \(1\.\d s\)", shown[1])
    assert re.fullmatch(r"starting api: failed \(0\.\d s\)", shown[2])


def test_a_build_within_a_step_has_the_terminal_to_itself(user: User) -> None:
    script = """
import os, time
from jailoc.bin.terminal import build_progress
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
terminal = Terminal()
with step(terminal, "taking a snapshot"):
    time.sleep(0.6)
    with build_progress.shown(terminal, "building an image"):
        os.write(2, b"<begun>")
        time.sleep(1.2)
        os.write(2, b"<over>")
    time.sleep(0.6)
"""
    child = pexpect.spawn(sys.executable, ["-c", script], env=environment(user, TERM="xterm"),
                          encoding="utf-8", timeout=30)  # fmt: skip
    child.expect(pexpect.EOF)
    before, _, rest = str(child.before).partition("<begun>")
    during, _, after = rest.partition("<over>")
    assert "building an image" in during
    assert "taking a snapshot" not in during
    assert "taking a snapshot (0 s)" in before
    assert re.search(r"taking a snapshot \(2\.\d s\)", after)


def test_what_compose_says_is_for_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().detail("Container a  Started")
    assert capsys.readouterr().err == ""
    Terminal(verbose=True).detail("Container a  Started")
    assert capsys.readouterr().err == "  Container a  Started\n"
