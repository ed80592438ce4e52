"""Whether what lies at a path is opened by other letters, too, past what is mounted over it.

Most file systems of Linux that ignore case tell the kernel, which then has one entry for all ways
to write a name, and a mount holds for each. One that answers for other letters by itself, as FUSE
(what virtual machines share directories by), 9P and SMB may, has an entry for each: only one is
covered.
"""

import os
from collections.abc import Iterable, Iterator

from jailoc.bin.host import bind_mounts

FOLDED = frozenset({"exfat", "ext4", "f2fs", "hfsplus", "tmpfs", "vfat"})
"""File systems whose names the kernel itself compares without case, if at all (dentry_operations,
d_compare)."""


def ignored(paths: Iterable[str], *, shared: bool = False) -> Iterator[str]:
    """Yield those of some paths that other letters lead to, past what is mounted over them.

    Args:
        paths: Absolute, without links.
        shared: Whether the engine has a kernel of its own, to which this machine only answers.
    """
    for path in paths:
        folder, _, name = path.rpartition("/")
        if _opens(path, folder, name.swapcase()) and (
            shared or bind_mounts.kind(path) not in FOLDED
        ):
            yield path


def _opens(path: str, folder: str, other: str) -> bool:
    """Tell whether another name leads to what lies at a path, and no directory lists it."""
    if path.endswith(other):
        return False
    try:
        here, there = os.lstat(path), os.lstat(f"{folder}/{other}")
        if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
            return False
        # An agent can make a second name (link(2)) with these letters, which is told elsewhere.
        with os.scandir(folder or "/") as found:
            return all(each.name != other for each in found)
    except OSError:
        return False
