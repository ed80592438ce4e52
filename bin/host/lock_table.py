"""The kernel's table of locks on files (proc(5), /proc/locks), read to a bound.

It is made anew for each reader, and each page of it by going through all that comes before: a whole
read takes a minute where a program holds a million locks, and hours where it holds more.
"""

import os
from pathlib import Path

LOCKS = Path("/proc/locks")
MOST = 4 << 20
"""Bytes of it that are read, of more than 60,000 locks."""


def rows() -> tuple[list[list[str]], bool]:
    """Return the rows of the table, in words, and whether these are all.

    Raises:
        OSError: there is none, as without Linux, or nobody may look.
    """
    data = bytearray()
    descriptor = os.open(LOCKS, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while len(data) < MOST and (piece := os.read(descriptor, MOST - len(data))):
            data += piece
    finally:
        os.close(descriptor)
    found = [line.split() for line in data.decode("ascii", errors="replace").splitlines()]
    return [each for each in found if len(each) > 5], len(data) < MOST
