"""Where a path lies on its file system: a bind mount shows one directory at several places."""

import re
from collections.abc import Iterable
from functools import lru_cache
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


def called(place: str) -> tuple[str, ...]:
    """Return a path with its name on its file system, where the kernel tells.

    Args:
        place: An absolute path without links.
    """
    found = origin(place)
    return (place,) if found is None else (place, found)


def device(place: str, table: Path) -> str | None:
    """Return the device of the file system that a path lies on, as `8:1`; None where nobody tells.

    Args:
        place: An absolute path without links.
        table: The mounts of who calls it so.
    """
    found = _seen(place, table)
    return None if found is None else found[2]


def devices(roots: Iterable[str]) -> frozenset[str]:
    """Return the devices of the file systems that directories lie on, and of those in them.

    Args:
        roots: Absolute paths without links.
    """
    mounts, named = _mounts_in(TABLE), [*roots]
    own = filter(None, (first_within(each, mounts) for each in named))
    below = (each for each in mounts if first_within(each, named) is not None)
    return frozenset(mounts[each][2] for each in (*own, *below))


def kind(place: str) -> str | None:
    """Return what kind of file system a path lies on, as `ext4`; None where nobody tells."""
    found = _seen(place)
    # Optional fields end with a hyphen.
    return None if found is None else found[found.index("-", 6) + 1]


def _seen(place: str, table: Path | None = None) -> tuple[str, ...] | None:
    """Return the fields of the mount that a path is seen by."""
    mounts = _mounts_in(table or TABLE)
    mount = first_within(place, mounts)
    return None if mount is None else mounts[mount]


def _mounts_in(table: Path) -> dict[str, tuple[str, ...]]:
    """Return what `_mounts` does of a file; nothing where the kernel does not tell."""
    try:
        return _mounts(table.read_bytes())
    except OSError:
        return {}


@lru_cache(maxsize=8)
def _mounts(table: bytes) -> dict[str, tuple[str, ...]]:
    """Return the fields of each mount by its place, the longest first."""
    # Of several at one place the last one is seen.
    rows = [tuple(map(_plain, line.split(b" "))) for line in table.splitlines()]
    found = {each[4]: each for each in rows}
    return {each: found[each] for each in sorted(found, key=len, reverse=True)}


def _plain(field: bytes) -> str:
    """Take back what the kernel has escaped: white space and backslashes, in octal."""
    told = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field)
    return told.decode(errors="surrogateescape")
