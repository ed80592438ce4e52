"""A client on a real terminal: what it sees, what it is told, and what is left afterwards."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.engine.world import ROOT

FAKE = Path(__file__).with_name("fake_client.py")
DRIVER = """
import json, os, subprocess, sys, termios, threading, time, tty
from jailoc.bin.attach import output, pty, watchdog
options = json.loads(sys.argv[1])
pty.GRACE = options.get("grace", 0.3)
def fail(module, name, after=0):
    real, calls = getattr(module, name), []
    def broken(*arguments, **words):
        calls.append(1)
        if len(calls) > after:
            raise OSError(5, "injected")
        return real(*arguments, **words)
    setattr(module, name, broken)
def look():
    if options.get("fault"):
        raise RuntimeError("no sight")
    return "told to" if os.path.exists(options["stop"]) else None
def state():
    return [str(termios.tcgetattr(0)) if os.isatty(0) else "", sorted(os.listdir("/proc/self/fd")),
            os.getpgrp() == os.tcgetpgrp(2) if os.isatty(2) else True]
faults = {"openpty": (os, "openpty"), "pipe": (os, "pipe"), "second pipe": (os, "pipe", 1),
          "raw": (tty, "setraw"), "start": (subprocess, "Popen"),
          "thread": (threading.Thread, "start"), "second thread": (threading.Thread, "start", 1),
          "select": (pty.select, "select"), "display": (output.Rewriter, "feed"),
          "size": (termios, "tcsetwinsize")}
before = state()
if options.get("fail"):
    fail(*faults[options["fail"]])
report = {}
command = options["command"]
try:
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm"}
    if options.get("iutf8"):
        modes = termios.tcgetattr(0)
        termios.tcsetattr(0, termios.TCSANOW, [modes[0] | 0x4000, *modes[1:]])
        before = state()
    watch = watchdog.Watch(look, 0.05)
    if options.get("directly"):
        ended = pty.run_directly(command, environment, watch)
    else:
        ended = pty.run(command, environment, watch, "opencode -s ",
                        begins=options.get("begins", ""))
    report = {"code": ended.code, "reason": ended.reason, "stopped": ended.stopped}
except OSError as error:
    report = {"error": error.strerror}
try:
    os.waitpid(-1, os.WNOHANG)
    report["children"] = True
except ChildProcessError:
    report["children"] = False
end = time.monotonic() + 5
while threading.active_count() > 1 and time.monotonic() < end:
    time.sleep(0.01)
report["same"] = [a == b for a, b in zip(before, state())]
report["wakeup"] = __import__("signal").set_wakeup_fd(-1)
sys.stdout.write("REPORT" + json.dumps(report) + "END")
sys.stdout.flush()
"""
AS_BEFORE = [True, True, True]


class Driven:
    """One run of `client.run` in a terminal that pexpect holds."""

    def __init__(self, terminal: Any, stop: Path) -> None:
        self.terminal, self._stop = terminal, stop

    def until(self, text: str | bytes, timeout: float = 20) -> bytes:
        """Wait for text on the screen and return what came before it."""
        self.terminal.expect(text if isinstance(text, bytes) else text.encode(), timeout=timeout)
        found = self.terminal.before
        assert isinstance(found, bytes)
        return found

    def stop(self) -> None:
        """Let the watch find a reason."""
        self._stop.touch()

    def report(self) -> dict[str, Any]:
        """Wait for the end, and return what is left."""
        self.until("REPORT")
        found: dict[str, Any] = json.loads(self.until("END"))
        assert found.pop("children") is False, "no process is left, not even a dead one"
        assert found.pop("wakeup") == -1, "signals go where they went before"
        return found

    def ended(self) -> dict[str, Any]:
        """Return how it ended, after making sure that all is as it was."""
        found = self.report()
        assert found.pop("same") == AS_BEFORE, "modes, descriptors, foreground"
        return found


@contextmanager
def driven(
    tmp_path: Path, *words: str, locale: dict[str, str] | None = None, **options: Any
) -> Iterator[Driven]:
    given = {"command": [sys.executable, str(FAKE), *words], "stop": str(tmp_path / "stop")}
    terminal: Any = pexpect.spawn(
        sys.executable,
        ["-c", DRIVER, json.dumps(given | options)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / ".pkg"), "TERM": "xterm"}
        | (locale or {}),
        dimensions=(33, 77),
        echo=False,
        timeout=20,
    )
    terminal.delaybeforesend = None
    try:
        yield Driven(terminal, tmp_path / "stop")
    finally:
        terminal.close(force=True)


def gone(process: int) -> bool:
    """Wait until a process is not there any more."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


WELL = {"code": 0, "reason": None, "stopped": False}


def test_a_client_that_ends_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    with driven(tmp_path, command=["/bin/true"]) as run:
        assert run.ended() == WELL


BLANK = ("/bin/sh", "-c", "stty raw -echo; printf '\\033[?1049h\\033]11;?\\007'; "
         "head -c 1 | od -An -tx1; exit 7")  # fmt: skip


@pytest.mark.parametrize("key", [b"\x03", b"a\x03", b"\x1b[99;5u"])
def test_ctrl_c_ends_a_client_that_has_drawn_nothing(tmp_path: Path, key: bytes) -> None:
    with driven(tmp_path, command=list(BLANK), begins="begins") as run:
        run.until(r"11;\?")
        run.terminal.send(key)
        assert run.ended()["stopped"] is True


def test_control_a_program_that_need_not_draw_gets_its_ctrl_c(tmp_path: Path) -> None:
    with driven(tmp_path, command=list(BLANK)) as run:
        run.until(r"11;\?")
        run.terminal.send(b"\x03")
        run.until("03")
        assert run.ended() == WELL | {"code": 7}


def test_ctrl_c_is_the_clients_once_it_has_drawn(tmp_path: Path) -> None:
    command = [*BLANK[:2], BLANK[2].replace("head", "printf hello; head")]
    with driven(tmp_path, command=command, begins="begins") as run:
        run.until("hello")
        run.terminal.send(b"\x03")
        run.until("03")
        assert run.ended() == WELL | {"code": 7}


LATE = """
import os, sys, termios, time, tty
sys.stdout.write("\\x1b[?1049h\\x1b]11;?\\x07"); sys.stdout.flush()
time.sleep(0.5)
tty.setraw(0, termios.TCSAFLUSH)
sys.stdout.write("picture"); sys.stdout.flush()
found = b""
while not found.endswith(b"!"):
    found += os.read(0, 100)
sys.stdout.write(f"<{found}>"); sys.stdout.flush()
"""


@pytest.mark.parametrize("begins", ["begins", ""])
def test_what_is_typed_too_early_waits_for_the_client(tmp_path: Path, begins: str) -> None:
    with driven(tmp_path, command=[sys.executable, "-c", LATE], begins=begins) as run:
        run.until(r"11;\?")
        run.terminal.send("fix it\r")
        run.until("picture")
        run.terminal.send("!")
        # Control: handed on at once, it is dropped where the client begins to read its terminal.
        wanted = r"<b'fix it\r!'>" if begins else "<b'!'>"
        run.until(re.escape(wanted))
        assert run.ended() == WELL


def test_an_answer_of_the_terminal_does_not_wait(tmp_path: Path) -> None:
    with driven(tmp_path, command=list(BLANK), begins="begins") as run:
        run.until(r"11;\?")
        run.terminal.send("\x1b]11;rgb:0/0/0\x07")
        run.until("1b")
        assert run.ended() == WELL | {"code": 7}


SLOW = ("/bin/sh", "-c", "stty raw -echo; printf '%s'; sleep 3; printf '\\033[5;5Hpicture'; "
        "head -c 1 >/dev/null")  # fmt: skip


def test_a_screen_that_stays_empty_says_that_the_client_begins(tmp_path: Path) -> None:
    def seen(first: str) -> bytes:
        command = [*SLOW[:2], SLOW[2] % first]
        with driven(tmp_path, command=command, begins="it begins") as run:
            found = run.until("picture")
            run.terminal.send("q")
            assert run.ended() == WELL
            return found

    there, gone = b"\x1b7\x1b[0m\x1b[1;1Hit begins\x1b8", b"\x1b7\x1b[0m\x1b[1;1H\x1b[2K\x1b8"
    assert seen("\\033[?1049h\\033[2J\\033[3;3H").endswith(there + gone + b"\x1b[5;5H")
    # Control: of one that has not taken the screen nothing is said, nor of one that draws at once.
    for first in ("", "\\033[?1049hsomething"):
        assert b"it begins" not in seen(first)


def test_the_client_sees_a_terminal_of_the_right_size_before_it_starts(tmp_path: Path) -> None:
    with driven(tmp_path, "about") as run:
        run.until(r"size 33x77 terminals \[True, True, True\] leader True tty True")
        assert run.ended() == WELL


def test_of_a_thousand_sizes_in_a_burst_the_last_one_arrives(tmp_path: Path) -> None:
    with driven(tmp_path, "sizes") as run:
        run.until("ready")
        for number in range(1000):
            run.terminal.setwinsize(20 + number % 30, 60 + number % 90)
        run.terminal.setwinsize(61, 201)
        run.until("size 61x201")
        run.terminal.send("q")
        assert run.ended() == WELL


def test_a_size_arrives_while_the_screen_stands_still(tmp_path: Path) -> None:
    place = tmp_path / "size"
    with driven(tmp_path, "flood", str(place)) as run:
        wait_for(tmp_path / "size.full")
        run.terminal.setwinsize(50, 150)
        wait_for(place)
        assert place.read_text() == "50x150"
        run.stop()
        assert run.ended()["reason"] == "told to"


def wait_for(place: Path) -> None:
    end = time.monotonic() + 20
    while not (place.exists() and (place.suffix or place.read_text())):
        assert time.monotonic() < end, place
        time.sleep(0.02)


def test_every_byte_goes_both_ways_as_it_is(tmp_path: Path) -> None:
    with driven(tmp_path, "echo") as run:
        run.until("ready")
        for byte in [*range(0x71), *range(0x72, 0x100)]:
            run.terminal.send(bytes([byte]))
            run.until(f"<{byte:02x}>")
        run.terminal.send("q")
        assert run.ended() == WELL


def test_a_long_paste_into_a_client_that_is_slow_arrives_whole(tmp_path: Path) -> None:
    with driven(tmp_path, "paste") as run:
        run.until("ready")
        run.terminal.send(b"x" * 200_000)
        run.until("got 200000")
        assert run.ended() == WELL


def test_characters_that_are_cut_stay_whole_and_the_hint_is_jailocs(tmp_path: Path) -> None:
    with driven(tmp_path, "hint") as run:
        assert run.until("REPORT").endswith("Continue ä jailoc -s ses_1\r\n".encode())


def test_what_could_begin_the_hint_shows_soon_without_more_output(tmp_path: Path) -> None:
    with driven(tmp_path, "tail") as run:
        run.until(re.escape("oc|o"))
        run.terminal.send("q")
        assert run.ended() == WELL


def test_a_client_that_ends_while_no_key_is_pressed_ends_all(tmp_path: Path) -> None:
    with driven(tmp_path, "code", "7") as run:
        assert run.ended() == {"code": 7, "reason": None, "stopped": False}


def test_the_end_is_seen_although_somebody_holds_the_terminal_open(tmp_path: Path) -> None:
    with driven(tmp_path, "parent") as run:
        run.until("gone")
        assert run.ended() == WELL


def test_a_reason_to_stop_ends_the_client_and_leaves_its_screen(tmp_path: Path) -> None:
    with driven(tmp_path, "polite") as run:
        run.until("ready")
        run.stop()
        assert run.until("REPORT").endswith(b"\x1b[?25h\x1b[?1049l\x1b[0m")


@pytest.mark.parametrize(
    ("word", "code"), [("polite", 0), ("deaf", -signal.SIGKILL)], ids=["polite", "deaf"]
)
def test_a_client_is_asked_to_end_and_killed_if_it_does_not(
    tmp_path: Path, word: str, code: int
) -> None:
    with driven(tmp_path, word) as run:
        run.until("ready")
        run.stop()
        assert run.ended() == {"code": code, "reason": "told to", "stopped": False}


def test_a_watch_that_fails_is_a_reason_to_stop(tmp_path: Path) -> None:
    with driven(tmp_path, "polite", fault=True) as run:
        assert run.ended()["reason"] == "watching it failed: no sight"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_client_and_is_told_from_its_own_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    with driven(tmp_path, "polite") as run:
        run.until("ready")
        run.terminal.kill(number)
        assert run.ended() == {"code": 0, "reason": None, "stopped": True}


def test_a_second_signal_does_not_wait_for_the_client(tmp_path: Path) -> None:
    with driven(tmp_path, "deaf", grace=600) as run:
        run.until("ready")
        for _ in range(2):
            run.terminal.kill(signal.SIGTERM)
            time.sleep(0.1)  # two of the same kind at once are one
        assert run.ended() == {"code": -signal.SIGKILL, "reason": None, "stopped": True}


def test_a_terminal_that_goes_away_takes_the_client_with_it(tmp_path: Path) -> None:
    with driven(tmp_path, "deaf") as run:
        run.until("ready ")
        process = int(run.until(" "))
        driver = run.terminal.pid
        run.terminal.ptyproc.fileobj.close()
        run.terminal.ptyproc.closed = run.terminal.closed = True
        assert gone(process)
        assert gone(driver)


@pytest.mark.parametrize(
    "fault",
    ["openpty", "pipe", "second pipe", "raw", "start", "thread", "second thread", "select", "size"],
)
def test_a_failure_at_any_step_leaves_all_as_it_was(tmp_path: Path, fault: str) -> None:
    with driven(tmp_path, "polite", fail=fault) as run:
        found = run.report()
        assert found["error"] == "injected"
        assert found["same"] == AS_BEFORE


def test_output_that_cannot_be_copied_is_an_error(tmp_path: Path) -> None:
    with driven(tmp_path, "polite", fail="display") as run:
        assert run.report()["error"] == "injected"


def test_a_client_that_is_not_there_is_said_by_its_status(tmp_path: Path) -> None:
    with driven(tmp_path, command=["/nonexistent/opencode"]) as run:
        run.until("/nonexistent/opencode: ")
        assert run.ended()["code"] == 127


def test_without_a_terminal_to_give_it_runs_on_the_users_own(tmp_path: Path) -> None:
    with driven(tmp_path, "echo", directly=True, fail="openpty") as run:
        run.until("ready")
        run.terminal.send("a")
        run.until("<61>")
        run.stop()
        found = run.report()
        assert found["reason"] == "told to"
        assert found["same"][0], "modes"


def test_on_the_users_own_terminal_what_it_writes_passes_the_filter(tmp_path: Path) -> None:
    script = "printf '\\033]52;c;QUFB\\007shown'; printf '\\033]52;c;QkJC\\007told' >&2"
    with driven(tmp_path, directly=True, command=["/bin/sh", "-c", script]) as run:
        seen = run.until("REPORT", 30)
    assert b"shown" in seen
    assert b"told" in seen
    assert b"\x1b]52" not in seen


@pytest.mark.parametrize(
    ("locale", "flag", "wide"),
    [
        ({}, False, False),
        ({"LANG": "C"}, False, False),
        ({"LANG": "en_US.ISO-8859-1"}, False, False),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, False, False),
        ({"LANG": "C.UTF-8"}, False, True),
        ({"LC_CTYPE": "C.UTF-8"}, False, True),
        ({"LANG": "C"}, True, True),
    ],
)
def test_a_terminal_that_reads_single_bytes_gets_no_others_of_the_sandbox(
    tmp_path: Path, locale: dict[str, str], flag: bool, wide: bool
) -> None:
    # In single bytes that is a control sequence: it locks the keyboard (ECMA-48, CSI and KAM).
    command = ["/bin/sh", "-c", "printf 'a\\333\\2332hb'"]
    with driven(tmp_path, directly=True, command=command, locale=locale, iutf8=flag) as run:
        seen = run.until("REPORT", 30)
    assert (b"a\xdb\x9b2hb" in seen) is wide
    assert (b"a?2hb" in seen) is not wide
