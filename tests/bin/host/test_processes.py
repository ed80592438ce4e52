"""Very many things are done by several processes, and nobody can tell from what comes of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jailoc.bin.host.processes import mapped
from tests.engine.world import ROOT

SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from jailoc.bin.host import processes
os.sched_getaffinity = lambda _: {0, 1, 2}
here, things = os.getpid(), range(int(sys.argv[1]))
"""
"""A machine with three processors; the tests' own process has threads, so it makes no copies."""

# Each line: a thing, what became of it, and whether this process did it.
SAID = "\nfor made in processes.mapped(work, things):\n    print(*made, flush=True)\n"


def python(text: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + text, str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".pkg")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def lines(text: str, count: int) -> list[list[str]]:
    with python(text, count) as running:
        out, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (0, "")
    return [line.split() for line in out.splitlines()]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 100])
def test_what_is_made_comes_in_order_and_of_many_things_from_elsewhere(count: int) -> None:
    found = lines("def work(each):\n    return each, os.getpid()" + SAID, count)
    assert [int(each) for each, _ in found] == list(range(count))
    assert len({process for _, process in found}) == {0: 0, 1: 1, 31: 1, 32: 2, 100: 3}[count]


def test_where_there_are_threads_nothing_is_copied() -> None:
    text = """
import threading
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def work(each):
    return each, os.getpid() == here
"""
    assert {own for _, own in lines(text + SAID, 100)} == {"True"}


def test_what_a_killed_copy_has_left_is_done_all_the_same() -> None:
    text = """
def work(each):
    own = os.getpid() == here
    if each == 41 and not own:
        os.kill(os.getpid(), signal.SIGKILL)
    return each, own
"""
    found = lines(text + SAID, 100)
    assert [int(each) for each, _ in found] == list(range(100))
    assert {int(each) for each, own in found if own == "True"} == set(range(41, 100, 3))


def test_an_error_is_that_of_the_first_thing_that_has_one_and_is_told_once() -> None:
    text = """
def work(each):
    # The copy with the last of them is the first to fail.
    if each in (40, 62):
        raise ValueError(each)
    if each < 40:
        time.sleep(0.005)
    return each,
"""
    with python(text + SAID, 100) as running:
        out, errors = running.communicate(timeout=60)
    assert out.split() == [str(each) for each in range(40)]
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("ValueError: 40")


def gone(group: int, patience: float = 10) -> bool:
    """Tell whether nothing is left of a group of processes, soon."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


ENDLESS = """
def work(each):
    time.sleep(0.02)
    return each,
"""


@pytest.mark.parametrize("ends", [signal.SIGKILL, signal.SIGTERM])
def test_copies_end_when_the_process_that_made_them_is_killed(ends: signal.Signals) -> None:
    with python(ENDLESS + SAID, 100_000) as running:
        assert running.stdout
        for _ in range(4):
            running.stdout.readline()
        running.send_signal(ends)
        running.communicate(timeout=60)
    assert running.returncode == -ends
    assert gone(running.pid)


def test_an_interrupt_of_all_of_them_is_told_once() -> None:
    with python(ENDLESS + SAID, 100_000) as running:
        assert running.stdout
        for _ in range(4):
            running.stdout.readline()
        os.killpg(running.pid, signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert errors.count("KeyboardInterrupt") == 1
    assert gone(running.pid)


def test_whoever_stops_asking_leaves_nothing_running() -> None:
    text = """
made = processes.mapped(lambda each: (time.sleep(0.02), each)[1], things)
assert [next(made) for _ in range(5)] == [*range(5)]
made.close()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("none")
"""
    assert lines(text, 100_000) == [["none"]]


def test_many_workspaces_become_the_same_by_one_process_and_by_several(tmp_path: Path) -> None:
    blocks = (f'[workspaces.w{index}]\npaths = ["~/p{index}"]\n' for index in range(40))
    (tmp_path / "config.toml").write_text("".join(blocks))
    text = """
processes.MOST = int(sys.argv[1])
forked = []
os.register_at_fork(before=lambda: forked.append(1))
sys.argv = ["jailoc", "render", "--config", "config.toml", "--out", sys.argv[1], "--json"]
import contextlib
from jailoc.bin.__main__ import main
with contextlib.suppress(SystemExit):
    main()
Path(f"forked-{processes.MOST}").write_text(str(len(forked)))
"""
    said = {}
    for count in (1, 2):
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT + text, str(count)],
            env={**os.environ, "PYTHONPATH": str(ROOT / ".pkg"), "HOME": str(tmp_path)},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            out, errors = running.communicate(timeout=120)
        said[count] = out, errors.replace(f"\n{count}: ", "\nDIR: ")
        assert (running.returncode, f"{count}: 40 workspaces" in errors) == (0, True), errors
    assert said[1] == said[2]
    assert [(tmp_path / f"forked-{count}").read_text() for count in (1, 2)] == ["0", "2"]
    one, other = (
        {
            str(path.relative_to(tmp_path / count)): (path.read_bytes(), path.stat().st_mode)
            for path in (tmp_path / count).rglob("*")
            if path.is_file()
        }
        for count in ("1", "2")
    )
    assert one == other
    assert len(one) > 40


def test_here_what_is_made_comes_in_order() -> None:
    assert list(mapped(str, range(100))) == [str(each) for each in range(100)]
