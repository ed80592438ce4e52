"""Collect what a look at files could not see: what is not seen is not what is not there.

Who has made a directory can take its read bit away, and with that hides what is in it from whoever
looks, but not from a program that knows the names.
"""

import errno
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from jailoc.model.diagnostic import refuse
from jailoc.model.path import first_within, within
from jailoc.model.text import telling
from jailoc.model.user import DEFAULT_ID

MOST = 2_000
"""Places that are kept of one look."""
ABSENT = {errno.ENOENT, errno.ENOTDIR}
"""What says that nothing is there (path_resolution(7))."""
LEASED = "a program holds it by a lease, fcntl(2)"
"""Why a regular file cannot be opened at once (open(2), EWOULDBLOCK)."""
OTHERS_END = 1 << 16
"""From this number on users may be somebody's subordinate ones (subuid(5))."""

_FOUND: ContextVar[dict[str, str] | None] = ContextVar("unseen", default=None)


@contextmanager
def collected() -> Iterator[dict[str, str]]:
    """Collect the places that cannot be looked at, with what the system says about each."""
    found: dict[str, str] = {}
    token = _FOUND.set(found)
    try:
        yield found
    finally:
        _FOUND.reset(token)


def note(path: str, error: OSError, harmless: frozenset[int] = frozenset()) -> None:
    """Keep that a place cannot be looked at, unless nothing is there.

    Args:
        path: The place.
        error: What the system says.
        harmless: Numbers that mean here that nothing is there that anybody could use.
    """
    found = _FOUND.get()
    if found is None or error.errno in ABSENT or error.errno in harmless:
        return
    says = LEASED if error.errno == errno.EAGAIN else error.strerror or "unknown error"
    if len(found) < MOST:
        found.setdefault(path, says)


def listed(directory: str) -> None:
    """Keep a directory that was listed, if what lies in it cannot be reached (no search bit)."""
    if _FOUND.get() is not None and not os.access(directory, os.X_OK):
        note(directory, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def below(blind: Mapping[str, str], root: str) -> Iterator[tuple[str, str, bool]]:
    """Yield what of a path could not be looked at, why, and whether it is another user's."""
    for place, says in blind.items():
        if within(place, root):
            owner = another_users(place)
            whose = "" if owner is None else f"; it belongs to another user ({owner})"
            yield place, f"it cannot be looked into ({says}){whose}", owner is not None
    if len(blind) >= MOST:
        yield root, f"more than {MOST:,} places cannot be looked into", False


def released(blind: Mapping[str, str], roots: Collection[str]) -> None:
    """Make sure that no program keeps what lies outside of the paths from being read, by a lease.

    What lies in them is told there, and stops a start. A lease needs no right to write: a file that
    is mounted read-only and has the agent's number for an owner will do (fcntl(2), F_SETLEASE).

    Raises:
        Refused: one does: what such a file says is not known.
    """
    for place, says in blind.items():
        if says == LEASED and first_within(place, roots) is None:
            raise refuse(
                "leases",
                f"`{telling(place)}` cannot be read: {LEASED}",
                hint="stop the sandbox whose agent does so, `jailoc down NAME`; /proc/locks has "
                "the number of its process",
            )


def another_users(path: str) -> int | None:
    """Return whose a place is that neither the user nor an agent gets into, or can open to them.

    Only its owner can change its mode (chmod(2)). Numbers that an engine without root gives to an
    agent are not among those that are returned.
    """
    place, bit = Path(path), os.R_OK
    while True:
        try:
            found = place.lstat()
        except OSError:
            if place == place.parent:
                return None
            # What cannot be reached is as its directory is.
            place = place.parent
            continue
        break
    if place.is_dir():
        bit = os.X_OK
    owner = found.st_uid
    mine = {os.geteuid(), DEFAULT_ID}
    return None if owner in mine or owner >= OTHERS_END or os.access(place, bit) else owner


def writable(directory: str) -> bool:
    """Tell whether the user, or an agent with the same number, can make something in a directory.

    The owner can give back the write bit.
    """
    if os.access(directory, os.W_OK):
        return True
    try:
        read_only = bool(os.statvfs(directory).f_flag & os.ST_RDONLY)
        owner = os.stat(directory).st_uid  # noqa: PTH116 -- text
    except OSError:
        return False
    return not read_only and owner in {os.geteuid(), DEFAULT_ID}
