"""Talk that nobody reads, although its pipe is open."""

import os
import subprocess
import sys

import pytest

from tests.engine.world import ROOT

TALKS = """
import sys
from jailoc.bin.terminal.terminal import Terminal
terminal = getattr(Terminal(color=False), sys.argv[1])()
for number in range(300):
    terminal.quote(f"{number} " + chr(0x1f600) * 9000)
print("done", flush=True)
"""


def talking(how: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", TALKS, how],
        env={"PYTHONPATH": str(ROOT / ".pkg"), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_hasty_run_waits_for_no_reader_and_loses_whole_lines_alone() -> None:
    with talking("hasty") as running:
        assert running.stdout is not None
        assert running.stdout.read() == b"done\n"
        assert running.stderr is not None
        lines = running.stderr.read().decode().splitlines()
    assert 3 < len(lines) < 300
    assert {(each[0:2], each[-1], len(each)) for each in lines} == {("  ", chr(0x1F600), 1016)}


def test_control_another_run_waits() -> None:
    with talking("steady") as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(3)
        running.kill()
