"""Permissions are judged as the kernel judges them (acl(5))."""

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc.bin.config import user
from jailoc.model.permissions import ENTER, READ, WRITE, Permissions

KERNEL = """
import os, sys
uid, gids, path = int(sys.argv[1]), [int(each) for each in sys.argv[2].split(",")], sys.argv[3]
os.setgroups(gids[1:]); os.setgid(gids[0]); os.setuid(uid)
print(*(int(os.access(path, each)) for each in (os.R_OK, os.W_OK, os.X_OK)))
"""
USER, OWNING, GROUP, MASK, OTHER = 0x02, 0x04, 0x08, 0x10, 0x20
LISTS: list[list[tuple[int, int, int]]] = [
    [],
    [(USER, 7, 1234), (MASK, 7, -1)],
    [(USER, 0, 1234), (MASK, 7, -1)],
    [(USER, 7, 1234), (MASK, 5, -1)],
    [(GROUP, 7, 2000), (MASK, 7, -1)],
    [(GROUP, 4, 2000), (GROUP, 7, 3000), (MASK, 7, -1)],
    [(OWNING, 0, -1), (GROUP, 2, 2000), (MASK, 7, -1)],
]


def entries(acl: list[tuple[int, int, int]], mode: int) -> bytes:
    """Return a list as Linux keeps it (posix_acl_xattr.h); what it lacks is the mode's."""
    usual = [(0x01, mode >> 6, -1), (OWNING, (mode >> 3) & 7, -1), (OTHER, mode & 7, -1)]
    whole = acl + [each for each in usual if each[0] not in {tag for tag, _, _ in acl}]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *each) for each in sorted(whole))


@pytest.fixture
def place() -> Iterator[Path]:
    """Yield a directory that everybody gets to; pytest shuts its own whenever a run begins."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        inside = Path(folder, "place")
        inside.mkdir()
        yield inside


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("acl", LISTS)
@pytest.mark.parametrize("mode", [0o755, 0o700, 0o775, 0o002, 0o077, 0o570])
def test_the_judgement_is_the_kernels(
    place: Path, mode: int, acl: list[tuple[int, int, int]]
) -> None:
    os.chown(place, 1000, 2000)
    place.chmod(mode)
    if acl:
        os.setxattr(place, "system.posix_acl_access", entries(acl, mode))
    found = user.permissions(str(place))
    assert found is not None
    for uid, gids in ((1000, (1000,)), (1234, (1234,)), (1234, (2000,)), (1234, (1, 3000)),
                      (1234, (2000, 3000)), (4321, (4321,))):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", KERNEL, str(uid), ",".join(map(str, gids)), str(place)],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        judged = [found.allows(uid, frozenset(gids), each) for each in (READ, WRITE, ENTER)]
        assert " ".join(str(int(each)) for each in judged) == done.stdout.strip(), (uid, gids)


def test_nobody_writes_what_is_on_a_read_only_file_system() -> None:
    place = Permissions(uid=1000, gid=1000, mode=0o777)
    assert place.allows(1000, frozenset(), WRITE)
    locked = place.model_copy(update={"read_only": True})
    assert not locked.allows(1000, frozenset(), WRITE)
    assert locked.allows(1000, frozenset(), READ | ENTER)
