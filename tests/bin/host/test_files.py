"""Writes are atomic, modes are exact, passwords are made once."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from jailoc.bin.host import files
from jailoc.model.bundle import File
from jailoc.model.diagnostic import Refused
from tests.engine.world import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from jailoc.bin.host import files as store
step = int(sys.argv[2])
count = 0
def tracer(event, args):
    global count
    if event in ("open", "os.rename", "os.chmod", "os.remove", "os.mkdir"):
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(tracer)
store.write(Path(sys.argv[1]), "new" * 100000, 0o640)
print(count)
"""


def test_a_kill_at_any_step_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    place = tmp_path / "file"
    step, old, new = 0, "old", "new" * 100000
    while True:
        step += 1
        place.write_text(old)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(place), str(step)],
            env=os.environ | {"PYTHONPATH": str(ROOT / ".pkg")},
            check=False,
            capture_output=True,
        )
        assert place.read_text() in {old, new}
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert step > 3
    assert place.read_text() == new
    assert place.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_a_mode_is_exact_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        files.write(tmp_path / "file", "text", 0o644)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_no_litter(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(OSError, match=r".+"):
        files.write(tmp_path / "place", "text", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_a_lock_is_held_once_and_given_back(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with files.locked(lock), pytest.raises(Refused, match="another jailoc"), files.locked(lock):
        pass
    with files.locked(tmp_path / "lock"):
        pass


@pytest.mark.parametrize("write", [files.write_bytes, None])
def test_a_full_disk_names_the_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def none_left(*_arguments: object, **_words: object) -> tuple[int, str]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / ".x.abc"))

    monkeypatch.setattr(os, "fsync", full)
    if write is None:
        monkeypatch.setattr(tempfile, "mkstemp", none_left)
    place = tmp_path / "x"
    with pytest.raises(OSError, match="No space left") as caught:
        files.write(place, "text", 0o600)
    assert caught.value.filename == str(place)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_went_with_what_it_guards_still_keeps_others_out(tmp_path: Path) -> None:
    place, held, done = tmp_path / "lock", threading.Event(), threading.Event()

    def wait() -> None:
        with files.locked(place, 10):
            held.set()
            done.wait(10)

    waiter = threading.Thread(target=wait)
    with files.locked(place, discard=True):
        waiter.start()
        time.sleep(0.3)
        assert not held.is_set()
    assert held.wait(10)
    try:
        assert place.exists()
        with pytest.raises(Refused, match=f"process {os.getpid()} holds"), files.locked(place):
            pass
    finally:
        done.set()
        waiter.join()
    with files.locked(place, discard=True):
        pass
    assert not place.exists()


def test_of_a_file_that_is_larger_than_it_should_be_nothing_is_read(tmp_path: Path) -> None:
    place, wanted = tmp_path / "a", File(path="a", mode=0o644, text="wanted")
    files.write(place, "wanted", 0o644)
    assert files.same(place, wanted)
    os.truncate(place, 64 << 20)
    tracemalloc.start()
    try:
        assert not files.same(place, wanted)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    place.unlink()
    os.mkfifo(place, 0o644)
    assert not files.same(place, wanted)


def test_a_link_to_what_should_be_there_is_not_it(tmp_path: Path) -> None:
    files.write(tmp_path / "other", "wanted", 0o644)
    (tmp_path / "a").symlink_to(tmp_path / "other")
    assert not files.same(tmp_path / "a", File(path="a", mode=0o644, text="wanted"))
