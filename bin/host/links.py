"""Where paths lead: every symbolic link on the way, and a look at a place that follows none."""

import errno
import os
import stat
from pathlib import Path

_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
MOST_LINKS = 40
"""Links that the kernel follows on one way (path_resolution(7))."""


PROCESSES = "/proc"
"""Where the same name is another thing for every process (`/proc/self/cwd`): how a way goes on from
there depends on who goes."""


class Links:
    """Paths as they lie now; each place is asked about once."""

    def __init__(self, *, others: bool = False) -> None:
        """Know nothing yet.

        Args:
            others: Whether another program goes there, so that what each process has is the end.
        """
        self._end = f"{PROCESSES}/" if others else ""
        self._targets: dict[str, str | None] = {}
        self._missing: set[str] = set()

    def trace(self, path: str) -> tuple[str, tuple[str, ...]]:
        """Return where an absolute path leads, and the places on the way that decide it.

        These are the links, and the directories that a link leaves by `..`: whoever can put
        something else there decides where the path leads. What is missing leads to itself.
        """
        rest = path.split("/")[::-1]
        here, crossed, left = "", dict[str, None](), MOST_LINKS
        gone = 0  # parts of the way that lie below what is missing
        while rest:
            name = rest.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                crossed |= {here: None} if here else {}
                here, gone = here.rpartition("/")[0], max(0, gone - 1)
                continue
            place = f"{here}/{name}"
            if self._end and place.startswith(self._end):
                more = [part for part in rest[::-1] if part not in {"", ".", ".."}]
                return "/".join((place, *more)), (*crossed, place)
            target = None if gone else self._target(place)
            gone += gone > 0 or place in self._missing
            left -= target is not None
            if target is None or left < 0:
                here = place
                continue
            crossed[place] = None
            here = "" if target.startswith("/") else here
            rest += target.split("/")[::-1]
        return here or "/", tuple(crossed)

    def _target(self, place: str) -> str | None:
        if place not in self._targets:
            try:
                self._targets[place] = os.readlink(place)  # noqa: PTH115 -- text, of very many
            except ValueError:  # NUL, in what somebody has written
                self._targets[place] = None
            except OSError as error:
                if error.errno in _MISSING:
                    # Not kept by all that is said to lie below it: that may be without end.
                    self._missing.add(place)
                self._targets[place] = None
        return self._targets[place]


def real(path: str) -> str:
    """Return where a path leads.

    Unlike `os.path.realpath` it takes what was a link a moment ago for what it is by now.
    """
    return Links().trace(path if path.startswith("/") else f"{Path.cwd()}/{path}")[0]


def real_for_others(path: str) -> str:
    """Return where an absolute path leads another program: the same whoever asks, from wherever."""
    return Links(others=True).trace(path)[0]


Identity = tuple[int, int]
"""Device and inode of a file or directory (stat(2))."""


def identity(path: str, root: str = "/") -> Identity | None:
    """Return what lies at a path in which nothing is a symbolic link; None if it is not so.

    Args:
        path: Absolute and clean.
        root: The directory that the path begins in.
    """
    try:
        here = _walk(path, root)
    except OSError:
        return None
    try:
        found = os.fstat(here)
    finally:
        os.close(here)
    # A link in last place can be opened, too, and is the same on both sides of a mount.
    return None if stat.S_ISLNK(found.st_mode) else (found.st_dev, found.st_ino)


def create(directory: str, name: str, text: str) -> None:
    """Write a new file in a directory on whose way nothing is a symbolic link.

    Raises:
        OSError: it is there already, a link is on the way, or it cannot be written.
    """
    folder = _walk(directory, "/")
    try:
        kind = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(name, kind, 0o666, dir_fd=folder), "w", encoding="utf-8") as file:
            file.write(text)
    finally:
        os.close(folder)


def _walk(path: str, root: str) -> int:
    """Open what lies at a path below a directory; the caller closes it."""
    kind = os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
    here = os.open(root, os.O_DIRECTORY | os.O_CLOEXEC)
    for name in filter(None, path.split("/")):
        try:
            below = os.open(name, kind, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here
