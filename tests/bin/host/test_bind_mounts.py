"""One directory has one name on its file system, by whichever mount it is seen."""

import os
import subprocess
from pathlib import Path

import pytest

from jailoc.bin.deploy import halt
from jailoc.bin.host import bind_mounts

TABLE = rb"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 /@home /home rw - btrfs /dev/sdb rw,subvol=/@home
31 30 0:40 /@home/a/src/shop/sub /srv/bm\040here rw - btrfs /dev/sdb rw
32 22 8:1 /old /mnt rw - ext4 /dev/sda1 rw
33 32 8:1 /new /mnt rw - ext4 /dev/sda1 rw
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "mountinfo"
    place.write_bytes(TABLE.lstrip())
    monkeypatch.setattr(bind_mounts, "TABLE", place)
    return place


@pytest.mark.parametrize(
    ("place", "origin"),
    [
        ("/srv", "/8:1/srv"),
        ("/home/a/src/shop/sub/x", "/0:40/@home/a/src/shop/sub/x"),
        ("/srv/bm here/x", "/0:40/@home/a/src/shop/sub/x"),
        ("/srv/bm", "/8:1/srv/bm"),
        ("/mnt/x", "/8:1/new/x"),
        ("/", "/8:1/"),
    ],
)
@pytest.mark.usefixtures("table")
def test_a_place_is_named_as_on_its_file_system(place: str, origin: str) -> None:
    assert bind_mounts.origin(place) == origin


@pytest.mark.usefixtures("table")
def test_devices_of_a_directory_are_those_of_what_is_mounted_below_it_too() -> None:
    assert bind_mounts.devices(["/home/a"]) == {"0:40"}
    assert bind_mounts.devices(["/srv"]) == {"8:1", "0:40"}
    assert bind_mounts.devices([]) == frozenset()


def test_where_the_kernel_does_not_tell_there_is_no_such_name(table: Path) -> None:
    table.unlink()
    assert bind_mounts.origin("/srv") is None
    assert bind_mounts.devices(["/srv"]) == frozenset()
    assert halt.called("/srv") == {"/srv"}


@pytest.mark.usefixtures("table")
def test_who_has_a_part_by_a_bind_mount_shares_it() -> None:
    assert halt.shared(["/srv/bm here"], ["/home/a/src/other", "/home/a/src/shop"]) == (
        "/home/a/src/shop"
    )
    assert halt.shared(["/home/a/src/shop"], ["/srv/bm here"]) == "/srv/bm here"
    assert halt.shared(["/srv/bm here"], ["/home/a/src/shop/other"]) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_real_bind_mount_is_seen(tmp_path: Path) -> None:
    for name in ("project/sub", "seen", "other"):
        (tmp_path / name).mkdir(parents=True)
    sub, seen = tmp_path / "project/sub", tmp_path / "seen"
    before = halt.shared([str(seen)], [str(tmp_path / "project")])
    if subprocess.run(["mount", "--bind", str(sub), str(seen)], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        assert before is None
        assert halt.shared([str(seen)], [str(tmp_path / "project")])
        assert halt.shared([str(seen)], [str(tmp_path / "other")]) is None
    finally:
        subprocess.run(["umount", str(seen)], check=True)
