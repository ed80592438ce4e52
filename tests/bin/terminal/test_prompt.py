"""Questions: what counts as yes, what is left for the next reader, and how they end."""

import os
import subprocess
import sys

import pexpect
import pytest

from tests.engine.world import ROOT

PROGRAM = """
import sys
from jailoc.bin.cli import main
from jailoc.bin.terminal import prompt
from jailoc.bin.terminal.terminal import Terminal
def ask():
    return [prompt.ask(Terminal(), f"question {each}?") for each in range(int(sys.argv[1]))]
try:
    print("answers", *ask())
except KeyboardInterrupt:
    print("interrupted")
print("rest", repr(sys.stdin.read()) if sys.argv[2:] else "")
"""
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / ".pkg"), "TERM": "xterm"}


def piped(count: int, text: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(count), *words],
        input=text, capture_output=True, env=ENVIRONMENT, timeout=60, check=True,
    )  # fmt: skip


def answers(count: int, text: bytes) -> list[str]:
    return piped(count, text).stdout.decode().split("\n")[0].split()[1:]


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        (b"y\n", True), (b"Y\n", True), (b"yes\n", True), (b" YES \r\n", True), (b"y", True),
        (b"\n", False), (b"n\n", False), (b"no", False), (b"yess\n", False), (b"", False),
        (b"\xff\n", False), (b"y" * 5000, False),
    ],
)  # fmt: skip
def test_only_y_and_yes_are_yes(text: bytes, yes: bool) -> None:
    assert answers(1, text) == [str(yes)]


def test_each_question_takes_one_line_and_no_more() -> None:
    assert answers(2, b"y\ny\n") == ["True", "True"]
    assert answers(3, b"y\nn\ny") == ["True", "False", "True"]
    assert answers(2, b"y") == ["True", "False"]
    assert b"rest 'more\\nlines\\n'" in piped(1, b"y\nmore\nlines\n", "rest").stdout


def test_a_question_is_talk_and_not_a_result() -> None:
    done = piped(1, b"y\n")
    assert b"question 0? [y/N]" in done.stderr
    assert b"question" not in done.stdout


def test_a_closed_input_is_no() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-c", PROGRAM, "1"],
        capture_output=True, env=ENVIRONMENT, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith(b"answers False"), done.stderr


def test_a_question_can_be_interrupted_and_answered_in_a_terminal() -> None:
    with pexpect.spawn(sys.executable, ["-c", PROGRAM, "2"], env=ENVIRONMENT) as terminal:
        terminal.expect_exact("question 0? [y/N]")
        terminal.sendline("y")
        terminal.expect_exact("question 1? [y/N]")
        terminal.sendintr()
        terminal.expect(r"\^C(\x1b\[[0-9]*m| )*\r\ninterrupted\r\n")


def test_what_goes_on_ends_its_line_in_a_terminal_and_writes_nothing_elsewhere() -> None:
    ends = (
        "from jailoc.bin.terminal.terminal import Terminal\n"
        "print('row', end='', flush=True)\nTerminal().end_line()\nprint('prompt')"
    )
    with pexpect.spawn(sys.executable, ["-c", ends], env=ENVIRONMENT) as terminal:
        terminal.expect_exact("row\r\nprompt\r\n")
    done = subprocess.run(
        [sys.executable, "-c", ends], stdin=subprocess.DEVNULL, capture_output=True,
        env=ENVIRONMENT, timeout=60, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"rowprompt\n", b"")


@pytest.mark.parametrize("early", [b"y\n", b"n\ny\n", b"y"])
@pytest.mark.parametrize("drops", [True, False])
def test_what_is_typed_before_the_question_is_no_answer(early: bytes, drops: bool) -> None:
    """The control asks without dropping anything: there the keys are the answer."""
    control = "" if drops else "import termios\ntermios.tcflush = lambda *_: None\n"
    wait = "print('begun', flush=True)\ntime.sleep(1)\n"
    program = PROGRAM.replace("\ntry:", f"\nimport time\n{control}{wait}try:", 1)
    with pexpect.spawn(sys.executable, ["-c", program, "1"], env=ENVIRONMENT) as terminal:
        terminal.expect_exact("begun")
        terminal.send(early)
        terminal.expect_exact("question 0?")
        terminal.sendline("")
        terminal.expect("answers (True|False)")
        expected = not drops and early.startswith(b"y")
        assert terminal.match
        assert terminal.match[1] == str(expected).encode()
