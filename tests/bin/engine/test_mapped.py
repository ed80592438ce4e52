"""What halted processes may still change is read from the kernel, of all of a container's."""

import mmap
import os
from pathlib import Path

import pytest

from jailoc.bin.engine import cgroup
from jailoc.bin.engine.mapped import Mapped, MappedFile, mapped

ID = "0f" * 32
MAPS = """\
55d0c0000000-55d0c0001000 r-xp 00000000 fd:00 11                         /usr/bin/python3
7f0000000000-7f0000001000 rw-s 00000000 fd:00 12                         /p/with a blank
7f0000001000-7f0000002000 r--s 00000000 fd:00 13                         /p/read
7f0000002000-7f0000003000 rw-p 00000000 fd:00 14                         /p/private
7f0000003000-7f0000004000 rw-s 00000000 00:05 15                         /p/gone (deleted)
7f0000004000-7f0000005000 rw-p 00000000 00:00 0                          [heap]
7f0000005000-7f0000006000 rw-s 00000000 00:00 0
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroup, "PROC", tmp_path / "proc")
    monkeypatch.setattr(cgroup, "CGROUPS", tmp_path / "cgroup")
    return tmp_path


def put(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


@pytest.mark.parametrize(
    ("line", "group"),
    [
        (f"0::/docker/{ID}", f"docker/{ID}"),
        (f"4:freezer:/docker/{ID}\n0::/", f"freezer/docker/{ID}"),
    ],
)
def test_files_of_every_process_are_found(
    machine: Path, monkeypatch: pytest.MonkeyPatch, line: str, group: str
) -> None:
    put(machine / "proc/7/cgroup", f"{line}\n")
    put(machine / "cgroup" / group / "cgroup.procs", "7\n8\n")
    put(machine / "cgroup" / group / "inner/cgroup.procs", "9\n10\n11\n")
    put(machine / "proc/7/maps", "")
    put(machine / "proc/8/maps", MAPS)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)  # to root nobody is hidden but by its wish
    for other, user, its in (("9", 1000, 7), ("10", 1001, 7), ("11", 1000, 8)):
        (machine / "proc" / other / "maps").mkdir(parents=True)  # nobody reads it
        users, groups = "\t".join([str(user)] * 4), "\t".join([str(its)] * 4)
        put(machine / "proc" / other / "status", f"Name:\tx\nUid:\t{users}\nGid:\t{groups}\n")
    found = (
        MappedFile("/p/with a blank", "253:0", False),
        MappedFile("/p/gone (deleted)", "0:5", False),
    )
    assert mapped(ID, 7) == Mapped(found, 2)
    assert mapped("1e" * 32, 7) == Mapped()


def test_so_it_is_by_this_kernel(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/proc/self/maps").exists():
        pytest.skip("no Linux")
    monkeypatch.setattr(cgroup, "processes", lambda *_: (str(os.getpid()),))
    monkeypatch.setattr(cgroup, "PROC", Path("/proc"))
    place = machine / "a file"
    place.write_bytes(bytes(mmap.PAGESIZE))
    for kind, found in ((mmap.MAP_PRIVATE, False), (mmap.MAP_SHARED, True)):
        with place.open("r+b") as file, mmap.mmap(file.fileno(), 0, flags=kind):
            told = {each.name: each.there for each in mapped(ID, 7).files}
            assert told.get(str(place)) is (found or None)
            place.rename(machine / "another")
            place.write_bytes(bytes(mmap.PAGESIZE))
            told = {each.name: each.there for each in mapped(ID, 7).files}
            assert told.get(str(machine / "another")) is (found or None)
            (machine / "another").unlink()
            told = {each.name: each.there for each in mapped(ID, 7).files}
            assert told.get(f"{machine}/another (deleted)") is (False if found else None)
