"""A build as people see it: live on a terminal, one line a step in a pipe."""

import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from jailoc.bin.terminal.build_progress import Board
from jailoc.generators.runtime.build_log import Event, What

ROOT = Path(__file__).parents[3]
LOGS = ROOT / "tests/generators/runtime/logs"

PROGRAM = f"""
import sys, time
from jailoc.bin.terminal.build_progress import shown
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.runtime.build_log import BuildLog
log = BuildLog()
with shown(Terminal(), "building image x") as show:
    for line in open({str(LOGS / "multi.log")!r}, newline="\\n"):
        if (event := log.read(line.rstrip("\\n"))) is not None:
            show(event)
        if "two" in line:
            time.sleep(float(sys.argv[1]))
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / ".pkg"), "TERM": "xterm"}


def test_in_a_pipe_there_is_one_line_a_step_and_nothing_of_what_it_says() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "0"], env=ENVIRONMENT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "building image x",
        "  [tools 1/2] FROM docker.io/library/example.com/agent:1",
        "  [stage-1 2/4] COPY note /note",
        "  [tools 2/2] RUN echo one; sleep 0.3; echo two >&2; printf 'a\\rb\\rc\\n'",
        "  [stage-1 3/4] COPY --from=tools /etc/hostname /h",
        "  [stage-1 4/4] RUN echo three 1 && echo four",
    ]


@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}], ids=["colour", "no colour"])
def test_on_a_terminal_the_running_step_and_its_last_lines_are_shown(more: dict[str, str]) -> None:
    running = pexpect.spawn(
        sys.executable, ["-c", PROGRAM, "1"], env=ENVIRONMENT | more, dimensions=(24, 80),
        encoding="utf-8", timeout=20,
    )  # fmt: skip
    running.expect_exact("[tools 2/2] RUN echo one")
    running.expect_exact("two")
    running.expect(r"building image x: done in \d+ s")
    seen = running.before or ""
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == 0
    assert "\x1b[?25h" in seen + (running.before or ""), "the cursor is shown again"
    if more:
        assert "\x1b[36m" not in seen


def test_a_terminal_that_can_do_nothing_gets_lines() -> None:
    running = pexpect.spawn(
        sys.executable, ["-c", PROGRAM, "0"], env=ENVIRONMENT | {"TERM": "dumb"},
        dimensions=(24, 80), encoding="utf-8", timeout=20,
    )  # fmt: skip
    running.expect(pexpect.EOF)
    assert "\x1b" not in (running.before or "")


def test_a_board_forgets_what_has_ended_and_keeps_the_last_lines() -> None:
    now = [0.0]
    board = Board("x", lambda: now[0])
    for name in ("[1/2] one", "[2/2] two"):
        board.take(Event(what=What.BEGUN, step=name))
    for number in range(9):
        board.take(Event(what=What.SAID, step="[2/2] two", text=f"line\x1b {number}"))
    now[0] = 5
    board.take(Event(what=What.DONE, step="[1/2] one"))
    assert board.steps() == ["   5 s  [2/2] two"]
    assert board.lines()[-1] == "line␛ 8", "no text steers the terminal"
    assert len(board.lines()) == 6
