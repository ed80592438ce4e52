"""Who else can put something else in the place of a file or directory of this user's."""

import os
import pwd
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OVERFLOW = {65534, (1 << 32) - 2}
"""Owners that stand for those without a number here (user_namespaces(7), exports(5))."""
_ACL, _USER, _MASK = "system.posix_acl_access", 0x02, 0x10
"""Where Linux keeps the list, and two tags of its entries (linux/posix_acl_xattr.h)."""
MOST_LINKS = 40
"""As many as the kernel follows (path_resolution(7))."""


def exposed(path: Path) -> str:
    """Say why another user can change or replace a file or directory; empty if none can.

    Whoever can write a directory renames what is in it, unless that is kept to owners (unlink(2),
    EPERM). What a group may do is its members' affair.

    Args:
        path: Absolute. What is not there yet is made, by whoever may.
    """
    ours = _ours(path)
    for each in _way(path):
        with suppress(OSError):
            found = each.lstat()
            mode = found.st_mode
            # Of a device everybody may write, nobody reads what another wrote.
            kept = not stat.S_ISREG(mode) and (not stat.S_ISDIR(mode) or mode & stat.S_ISVTX)
            if mode & stat.S_IWOTH and not kept:
                return f"every user of this machine can write `{each}`"
            if not kept and (others := _allowed(each) - ours):
                return f"{_name(min(others))} can write `{each}` by its access control list"
            if found.st_uid not in ours:
                return f"`{each}` is {_name(found.st_uid)}'s"
    return ""


def _way(path: Path) -> Iterator[Path]:
    """Yield every directory and link on the way to a path, and the path."""
    here, left, links = Path("/"), [*path.parts[1:]], 0
    yield here
    while left:
        here = here.parent if (part := left.pop(0)) == ".." else here / part
        yield here
        with suppress(OSError):
            target = here.readlink()
            if (links := links + 1) > MOST_LINKS:
                return
            # What it leads to is relative to where it lies.
            here = Path("/") if target.is_absolute() else here.parent
            left = [each for each in target.parts if each != "/"] + left


def _allowed(path: Path) -> set[int]:
    """Return the users who can write a place by being named in its list (acl(5))."""
    if path.is_symlink() or sys.platform != "linux":
        return set()
    with suppress(OSError, struct.error):
        entries = [*struct.iter_unpack("<HHI", os.getxattr(path, _ACL)[4:])]
        most = next((may for tag, may, _ in entries if tag == _MASK), 7)
        return {user for tag, may, user in entries if tag == _USER and may & most & 2}
    return set()


def _ours(path: Path) -> set[int]:
    ours = {0, os.geteuid()}
    if not _whole():
        ours |= OVERFLOW
    if os.geteuid() == 0:  # by sudo(8), or in a container, at home with somebody
        with suppress(OSError):
            ours.add(Path(os.environ.get("HOME", path)).stat().st_uid)
    return ours


def _whole() -> bool:
    """Tell whether every number of the machine's is known here (uid_map, user_namespaces(7))."""
    with suppress(OSError):
        return Path("/proc/self/uid_map").read_text().split() == ["0", "0", str((1 << 32) - 1)]
    return False


def _name(number: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return f"user {number}"
