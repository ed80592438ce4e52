"""Where a path lies on its file system: a bind mount shows one directory at several places."""

import re
from pathlib import Path

from jailoc.model.path import first_within

TABLE = Path("/proc/self/mountinfo")


def origin(place: str) -> str | None:
    """Return the device of a path with the path on it, which is the same by whichever mount.

    Args:
        place: An absolute path without links.

    Returns:
        As `/8:1/srv/project` (proc_pid_mountinfo(5)); None where the kernel does not tell.
    """
    roots: dict[str, str] = {}
    try:
        lines = TABLE.read_bytes().splitlines()
    except OSError:
        return None
    for line in lines:
        _, _, device, root, point, *_ = map(_plain, line.split(b" "))
        # Of several at one place the last one is seen.
        roots[point] = f"/{device}{root.rstrip('/')}"
    mount = first_within(place, sorted(roots, key=len, reverse=True))
    return None if mount is None else f"{roots[mount]}{place.removeprefix(mount.rstrip('/'))}"


def _plain(field: bytes) -> str:
    """Take back what the kernel has escaped: white space and backslashes, in octal."""
    told = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field)
    return told.decode(errors="surrogateescape")
