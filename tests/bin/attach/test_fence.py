"""What a terminal answers is not left for the user's shell, however late it comes."""

import json
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from jailoc.generators.attach.questions import BITS
from tests.engine.world import ROOT

DRIVER = """
import json, os, select, signal, sys, termios, time, tty
from jailoc.bin.attach import fence, pace, pty, watchdog
options = json.loads(sys.argv[1])
pace.BACKLOG, pace.PATIENCE = options["backlog"], 1.0
fence.SILENCE, fence.PATIENCE = options["silence"], options["patience"]
if not options["fenced"]:
    fence.Gate.__exit__ = lambda *_: None
if options["interrupted"]:
    inner = fence.Gate._answered
    def interrupted(gate):
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), options["interrupted"]))
        return inner(gate)
    fence.Gate._answered = interrupted
before = termios.tcgetattr(0)
watch = watchdog.Watch(lambda: None)
command = ["/bin/sh", "-c", options["script"]]
start = time.monotonic()
if options["directly"]:
    ended = pty.run_directly(command, dict(os.environ), watch)
else:
    keys = os.open(options["keys"], os.O_RDONLY) if options["keys"] else 0
    ended = pty.run(command, dict(os.environ), watch, "hint", foreign=True, keys=keys)
report = {"code": ended.code, "unanswered": ended.unanswered, "took": time.monotonic() - start,
          "same": before == termios.tcgetattr(0)}
# As a shell: whatever is typed is there at once.
tty.setcbreak(0, termios.TCSANOW)
left = b""
while options["listens"] and select.select([0], [], [], options["listens"])[0]:
    left += os.read(0, 65536)
report["left"] = left.decode("latin1")
text = "REPORT" + json.dumps(report) + "END"
if options["report"]:
    with open(options["report"], "w") as file:
        file.write(text)
sys.stdout.write(text)
sys.stdout.flush()
"""
DEFAULTS: dict[str, Any] = {
    "silence": 3.0, "patience": 10.0, "fenced": True, "interrupted": 0, "directly": False,
    "backlog": 0, "keys": "", "listens": 1.2, "report": "",
}  # fmt: skip
ENVIRONMENT = {"PYTHONPATH": str(ROOT / ".pkg"), "PATH": os.environ["PATH"], "TERM": "xterm"}
ASKED = re.compile(rb"\x1b\[([56])n|\x1b\]4;1;\?(?:\x07|\x1b\\)")
COLOR = b"\x1b]4;1;rgb:dede/bebe/caca\x1b\\"
ASKING = r"printf '\033]4;1;?\033\\'; sleep 0.3"
"""A program that asks for a colour and does not wait for it. What comes with its end is dropped."""


def words(script: str, **options: Any) -> list[str]:
    """Return the driver's command."""
    return [sys.executable, "-c", DRIVER, json.dumps(DEFAULTS | options | {"script": script})]


def reported(text: bytes) -> dict[str, Any]:
    """Return the driver's report."""
    found = re.search(rb"REPORT(.*)END", text)
    assert found, text
    report: dict[str, Any] = json.loads(found[1])
    assert report.pop("same"), "its modes are as they were"
    return report


class Terminal:
    """Answers in order, each question after a time; or nothing."""

    def __init__(self, script: str, *, delay: float | None, flood: bytes = b"") -> None:
        self.shown, self._script, self._delay, self._flood = b"", script, delay, flood
        self._due: list[tuple[float, bytes]] = []

    def run(self, **options: Any) -> dict[str, Any]:
        """Run the driver to its end and return its report."""
        command, *arguments = words(self._script, **options)
        terminal: Any = pexpect.spawn(command, arguments, env=ENVIRONMENT)
        try:
            self._serve(terminal.child_fd)
        finally:
            terminal.close(force=True)
        return reported(self.shown)

    def _serve(self, master: int) -> None:
        start, seen = time.monotonic(), 0
        while not self.shown.endswith(b"END") and time.monotonic() < start + 200:
            if select.select([master], [], [], 0.02)[0]:
                try:
                    self.shown += os.read(master, 65536)
                except OSError:
                    return
            for asked in ASKED.finditer(self.shown, seen):
                seen = asked.end()
                answer = {b"5": b"\x1b[0n", b"6": b"\x1b[7;9R", None: COLOR}[asked[1]]
                if self._delay is not None:
                    self._due.append((time.monotonic() + self._delay, answer))
            while self._due and self._due[0][0] <= time.monotonic():
                os.write(master, self._due.pop(0)[1])
            floods = seen and time.monotonic() < start + 20
            if floods and self._flood and select.select([], [master], [], 0)[1]:
                os.write(master, self._flood)


def test_an_answer_that_comes_late_is_not_typed_to_the_shell() -> None:
    found = Terminal(ASKING, delay=0.8).run()
    assert (found["left"], found["unanswered"], found["code"]) == ("", False, 0)
    # Control: without the fence it is.
    found = Terminal(ASKING, delay=0.8).run(fenced=False)
    assert COLOR.decode() in found["left"]


def test_who_asks_what_the_fence_is_made_of_does_not_end_it() -> None:
    script = rf"printf '\033[5n\033[6n%.0s' $(seq 200); {ASKING}; {ASKING}"
    found = Terminal(script, delay=0.8).run()
    assert (found["left"], found["unanswered"]) == ("", False)


def test_what_a_program_asks_and_is_killed_is_not_typed_to_the_shell() -> None:
    found = Terminal(rf"{ASKING}; kill -9 $$", delay=0.8).run()
    assert (found["left"], found["code"]) == ("", -9)


def test_a_terminal_that_never_answers_is_given_up() -> None:
    found = Terminal(ASKING, delay=None).run(silence=1.0, patience=30.0, listens=0)
    assert found["unanswered"]
    assert 1.0 <= found["took"] < 10.0


def test_a_terminal_that_types_without_end_is_given_up() -> None:
    terminal = Terminal(ASKING, delay=None, flood=b"\x1b[1;1R" * 20)
    found = terminal.run(patience=2.0, listens=0)
    assert found["unanswered"]
    assert 2.0 <= found["took"] < 10.0


def test_a_session_that_asks_nothing_is_over_at_once_and_its_terminal_is_not_asked() -> None:
    terminal = Terminal("printf '\\033[31mred\\033[0m'", delay=None)
    found = terminal.run(silence=15.0, patience=20.0, listens=0)
    assert not found["unanswered"]
    assert found["took"] < 10.0
    assert not ASKED.search(terminal.shown)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_waiting(number: signal.Signals) -> None:
    terminal = Terminal(ASKING, delay=None)
    found = terminal.run(interrupted=number, silence=15.0, patience=20.0, listens=0)
    assert found["unanswered"]
    assert found["took"] < 10.0


def test_a_program_without_a_terminal_of_its_own_asks_nothing() -> None:
    terminal = Terminal(ASKING, delay=0.0)
    assert terminal.run(directly=True)["left"] == ""
    assert not ASKED.search(terminal.shown)


def test_where_the_answers_would_be_typed_elsewhere_nothing_is_asked() -> None:
    terminal = Terminal(ASKING, delay=0.0)
    assert terminal.run(keys="/dev/null")["left"] == ""
    assert b"\x1b]4" not in terminal.shown
    # Control: another name of the same terminal is the same.
    terminal = Terminal(ASKING, delay=0.8)
    assert terminal.run(keys="/dev/tty")["left"] == ""
    assert b"\x1b]4" in terminal.shown


SLOW = r"printf '\033#8%.0s' $(seq 3000)"
"""Seconds of work for a terminal, in a few bytes (DECALN)."""


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    if not (shutil.which("Xvfb") and shutil.which("xterm")):
        pytest.skip("no Xvfb or xterm")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as told:
                yield f":{told.readline().strip()}"
        finally:
            server.terminate()


@pytest.mark.parametrize(
    ("fenced", "backlog"),
    [(True, 0), (True, 1 << 30), (False, 1 << 30)],
    ids=["paced", "fenced", "control"],
)
def test_what_xterm_answers_late_is_not_typed_to_the_shell(
    display: str, tmp_path: Path, fenced: bool, backlog: int
) -> None:
    report = tmp_path / "report"
    inner = words(
        f"{SLOW}; {ASKING}", fenced=fenced, backlog=backlog, report=str(report),
        silence=10.0, patience=20.0, listens=1.0 if fenced else 6.0,
    )  # fmt: skip
    command = ["xterm", "-u8", "-geometry", "200x60", "-e", *inner]
    environment = ENVIRONMENT | {"DISPLAY": display, "LC_ALL": "C.UTF-8"}
    subprocess.run(command, env=environment, timeout=60, check=True, stderr=subprocess.DEVNULL)
    found = reported(report.read_bytes())
    assert not found["unanswered"]
    assert ("rgb:" in found["left"]) is not fenced


def test_tmux_answers_a_fence(tmp_path: Path) -> None:
    if not shutil.which("tmux"):
        pytest.skip("no tmux")
    report = tmp_path / "report"
    inner = words(
        r"printf '\033[>q\033[c'; sleep 0.3", silence=15.0, patience=20.0, report=str(report)
    )
    server = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    subprocess.run(
        [*server, "new-session", "-d", "-x", "80", "-y", "24", shlex.join(inner)],
        env=ENVIRONMENT, timeout=20, check=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while not (report.exists() and report.read_bytes().endswith(b"END")):
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        subprocess.run([*server, "kill-server"], check=False, capture_output=True)
    found = reported(report.read_bytes())
    assert (found["left"], found["unanswered"]) == ("", False)
    assert found["took"] < 10.0


LATE = rf"""
stty raw -echo
printf '%5000s' ''
printf '\033]4;1;?\033\\'
head -c {len(COLOR)} | od -An -c | tr -d ' \n'
"""
"""A program that asks behind much other output, and reads the answer."""


def test_who_asks_behind_much_gets_the_answer_and_none_of_jailocs() -> None:
    terminal = Terminal(LATE, delay=0.3)
    found = terminal.run()
    assert (found["left"], found["unanswered"], found["code"]) == ("", False, 0)
    assert COLOR[2:-2] in terminal.shown
    assert len(ASKED.findall(terminal.shown)) == 1 + 2 * BITS


def test_a_terminal_that_is_far_behind_is_not_asked() -> None:
    script = f"printf '%5000s' ''; {ASKING}; sleep 1; {ASKING}; printf more"
    terminal = Terminal(script, delay=None)
    found = terminal.run(silence=0.5, listens=0)
    assert found["unanswered"], "jailoc itself has asked"
    assert b"\x1b]4" not in terminal.shown
    assert b"more" in terminal.shown
    # Control: it is, if it may be so far behind.
    terminal = Terminal(script, delay=None)
    terminal.run(backlog=1 << 20, silence=0.5, listens=0)
    assert b"\x1b]4" in terminal.shown


def test_what_is_typed_while_it_catches_up_is_the_programs() -> None:
    script = rf"stty raw -echo; printf '%5000s' ''; {ASKING}; head -c 5 | od -An -c | tr -d ' \n'"
    terminal = Terminal(script, delay=None, flood=b"hello")
    terminal.run(listens=0)
    assert b"hello" in terminal.shown
