"""Measure commands against each other, in turns: a busy machine weighs on all of them alike."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """What one run of a command took."""

    cpu: float
    """Seconds of processors, its own children's too, without those of a daemon that it asks."""
    wall: float
    """Seconds of a clock."""
    memory: int
    """The most that it had at once, in KiB."""


class Work(NamedTuple):
    """A command, and where it runs."""

    words: Sequence[str]
    home: Path
    before: Sequence[str] = ()
    """A command that runs first each time, and is not measured."""


def run(work: Work) -> Cost:
    """Run a command, which must succeed.

    Raises:
        CalledProcessError: it failed.
    """
    environment = {**os.environ, "HOME": str(work.home), "JAILOC_NO_UPDATE_NOTIFIER": "1"}
    # As it is installed, Python compiles a module once.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if work.before:
        subprocess.run(work.before, env=environment, cwd=work.home, check=True, capture_output=True)
    begin = time.perf_counter()
    process = subprocess.Popen(
        work.words, env=environment, cwd=work.home, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(work.words))
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss)


def medians(works: Mapping[str, Work], rounds: int) -> dict[str, Cost]:
    """Return the medians of several commands, taken in turns, after one round that warms up."""
    found: dict[str, list[Cost]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            cost = run(work)
            if turn:
                found[name].append(cost)
    return {
        name: Cost(
            statistics.median(each.cpu for each in costs),
            statistics.median(each.wall for each in costs),
            max(each.memory for each in costs),
        )
        for name, costs in found.items()
    }
