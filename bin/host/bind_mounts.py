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
    found = _seen(place)
    if found is None:
        return None
    _, _, device, root, mount, *_ = found
    return f"/{device}{root.rstrip('/')}{place.removeprefix(mount.rstrip('/'))}"


def kind(place: str) -> str | None:
    """Return what kind of file system a path lies on, as `ext4`; None where nobody tells."""
    found = _seen(place)
    # Optional fields end with a hyphen.
    return None if found is None else found[found.index("-", 6) + 1]


def _seen(place: str) -> list[str] | None:
    """Return the fields of the mount that a path is seen by."""
    mounts: dict[str, list[str]] = {}
    try:
        lines = TABLE.read_bytes().splitlines()
    except OSError:
        return None
    for line in lines:
        fields = [_plain(each) for each in line.split(b" ")]
        # Of several at one place the last one is seen.
        mounts[fields[4]] = fields
    mount = first_within(place, sorted(mounts, key=len, reverse=True))
    return None if mount is None else mounts[mount]


def _plain(field: bytes) -> str:
    """Take back what the kernel has escaped: white space and backslashes, in octal."""
    told = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field)
    return told.decode(errors="surrogateescape")
