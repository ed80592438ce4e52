"""Who else can put something else in the place of a file or directory of this user's."""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OVERFLOW = 65534
"""The owner that a user namespace shows where it has no number for one (user_namespaces(7))."""


def exposed(path: Path) -> str:
    """Say why another user can change or replace a file or directory; empty if none can.

    Whoever can write a directory renames what is in it, unless that is kept to owners (unlink(2),
    EPERM). What a group may do is its members' affair.

    Args:
        path: Absolute. What is not there yet is made, by whoever may.
    """
    for each in _way(path):
        with suppress(OSError):
            found = each.stat()
            kept = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
            if found.st_mode & stat.S_IWOTH and not kept:
                return f"every user of this machine can write `{each}`"
            if found.st_uid not in _ours(path):
                return f"`{each}` is {_name(found.st_uid)}'s"
    return ""


def _way(path: Path) -> Iterator[Path]:
    """Yield it and what is above it, as it is written and as links lead."""
    real = Path(os.path.realpath(path))
    yield from dict.fromkeys((path, *path.parents, real, *real.parents))


def _ours(path: Path) -> set[int]:
    ours = {0, OVERFLOW, os.geteuid()}
    if os.geteuid() == 0:  # by sudo(8), or in a container, at home with somebody
        with suppress(OSError):
            ours.add(Path(os.environ.get("HOME", path)).stat().st_uid)
    return ours


def _name(number: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return f"user {number}"
