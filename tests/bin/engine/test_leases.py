"""The table of locks is read to a bound, and who fills it with locks is told."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from jailoc.bin.engine import containers, leases
from jailoc.bin.host import lock_holder, lock_table
from jailoc.model.diagnostic import Refused

HOLD = """
import fcntl, sys
with open(sys.argv[1], "wb") as file:
    for each in range(int(sys.argv[2])):
        fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * each)
    print("held", flush=True)
    sys.stdin.read()
"""
ID = "c" * 64


@contextmanager
def locks(place: Path, count: int) -> Iterator[int]:
    """Have another process hold very many locks."""
    command = [sys.executable, "-c", HOLD, str(place), str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process.pid
        finally:
            process.stdin.close()


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return the processes that count as those of a sandbox."""
    inside: set[int] = set()
    listed = SimpleNamespace(id=ID, project="jailoc-api", service="opencode")
    monkeypatch.setattr(containers, "containers", lambda *_: (listed,))
    monkeypatch.setattr(leases, "_group", lambda each: f"/docker/{ID}" if each in inside else "/")
    return inside


def test_of_very_many_locks_some_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_table, "MOST", 8 << 10)
    assert lock_table.rows()[1], "control: few locks are all read"
    with locks(tmp_path / "many", 1000):
        found, whole = lock_table.rows()
        assert not whole
        assert 100 < len(found) < 200
    assert lock_table.rows()[1]


def test_who_hides_leases_among_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: set[int]
) -> None:
    monkeypatch.setattr(lock_table, "MOST", 32 << 10)
    leases.check("a snapshot", "web")
    with locks(tmp_path / "many", 1000) as process:
        leases.check("a snapshot", "web")  # a program of this machine, whose business it is
        sandbox.add(process)
        with pytest.raises(Refused, match="programs in `api` hold so many locks"):
            leases.check("a snapshot", "web")


def test_a_lease_of_a_sandbox_is_told(tmp_path: Path, sandbox: set[int]) -> None:
    with (tmp_path / "file").open("wb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        leases.check("a snapshot", "web")  # nobody's of a sandbox
        sandbox.add(os.getpid())
        with pytest.raises(Refused, match="programs in `api` hold 1 lease on files"):
            leases.check("a snapshot", "web")


def test_who_holds_a_lock_is_still_found(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert lock_holder.process(tmp_path / "lock") == os.getpid()
