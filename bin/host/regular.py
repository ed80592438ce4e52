"""Reading what a user named: regular files alone, of bounded size, through one descriptor.

What is checked is what is read. A pipe does not make it wait, a device is not read, and what the
kernel makes up (proc(5)) is no file.
"""

import os
import stat

LIMIT = 1 << 20
"""Bytes of a file that the configuration names, or that is one."""
MADE_UP = ("/proc", "/sys", "/dev")


class NotRegular(Exception):  # noqa: N818 -- a verdict on a place
    """There is something else than a regular file, or one that is too large."""


def read(path: str, limit: int = LIMIT, *, cut: bool = False) -> bytes:
    """Read a file whole, or with `cut` the beginning of a larger one.

    Raises:
        NotRegular: with what it is.
        OSError: it cannot be opened or read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise NotRegular("is a directory")
        if not stat.S_ISREG(found.st_mode):
            raise NotRegular("is not a regular file")
        if found.st_dev in _made_up():
            raise NotRegular("is no file on a disk")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            # A buffer of that size is made at once.
            data = file.read(min(limit, found.st_size) + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit and not cut:
        raise NotRegular(f"is larger than {limit >> 10} KiB")
    return data[:limit] if len(data) > limit else data


def _made_up() -> set[int]:
    devices = set()
    for place in MADE_UP:
        try:
            devices.add(os.stat(place).st_dev)  # noqa: PTH116 -- a device, not a path
        except OSError:
            continue
    return devices - {os.stat("/").st_dev}  # noqa: PTH116
