"""What lies in a directory: kinds, names and small texts, and no link is followed."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jailoc.bin.host import regular, unseen
from jailoc.model.host import FileKind

MOST_CONFIG = 1 << 20
"""Bytes of one file of configuration."""
_NULL = os.stat(os.devnull).st_rdev  # noqa: PTH116 -- a device, not a path
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG})
"""What says that no program can open a file there, whoever runs it (open(2))."""


def text(path: str) -> str | None:
    """Return the beginning of a regular file; None if it is none. Nothing waits for a pipe."""
    found = beginning(path)
    return None if found is None else found[0]


def beginning(path: str) -> tuple[str, bool] | None:
    """Return the beginning of a regular file, and whether it is all of it; None if it is none."""
    try:
        data = regular.read(path, MOST_CONFIG + 1, cut=True)
    except OSError as error:
        unseen.note(path, error, _NO_FILE)
        return None
    except (regular.NotRegular, ValueError):
        return None
    return data[:MOST_CONFIG].decode(errors="replace"), len(data) <= MOST_CONFIG


def is_text(name: str) -> bool:
    """Tell whether a name is UTF-8; Python holds other bytes as surrogates (PEP 383)."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def readable(name: str) -> str:
    """Return a name with what is no UTF-8 replaced."""
    return os.fsencode(name).decode(errors="replace")


def children(directory: str, most: int) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a directory by name, hardly more than `most`; an error is noted."""
    try:
        with os.scandir(directory) as found:
            entries = []
            for entry in found:
                entries.append(entry)
                if len(entries) > most:
                    break
    except OSError as error:
        unseen.note(directory, error)
        return
    unseen.listed(directory)
    yield from sorted(entries, key=lambda each: each.name)


class TooManyEntries(Exception):  # noqa: N818 -- it is no fault, and handled at once
    """A place has more entries than are looked at."""


def with_other_names(path: str, most: int) -> str | None:
    """Return a file at or below a place that has more names than one (link(2)); None if none has.

    Links are not followed.

    Args:
        path: A file or a directory.
        most: Entries that are looked at.

    Raises:
        TooManyEntries: there are more.
    """
    waiting, left = [path], most
    while waiting:
        place = waiting.pop()
        try:
            found = os.lstat(place)
        except OSError as error:
            unseen.note(place, error)
            continue
        except ValueError:
            continue
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            return place
        if stat.S_ISDIR(found.st_mode):
            inside = [each.path for each in children(place, left)]
            left -= len(inside)
            if left < 0:
                raise TooManyEntries
            waiting += inside
    return None


def kind_at(path: str) -> FileKind | None:
    """Return what a path leads to, through links; None if to nothing."""
    try:
        return kind_of_mode(Path(path).stat().st_mode)
    except OSError as error:
        unseen.note(path, error, _NO_FILE)
        return None
    except ValueError:
        return None


def is_directory(path: str) -> bool:
    """Tell whether a path leads to a directory, through links."""
    return kind_at(path) is FileKind.DIRECTORY


def holds_directory(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a directory, and no link."""
    return kind_of(entry) is FileKind.DIRECTORY


def kind_of(entry: os.DirEntry[str]) -> FileKind:
    """Return what an entry is; a link is something else."""
    try:
        if entry.is_dir(follow_symlinks=False):
            return FileKind.DIRECTORY
        return FileKind.FILE if entry.is_file(follow_symlinks=False) else FileKind.OTHER
    except OSError as error:
        unseen.note(entry.path, error)
        return FileKind.OTHER


def is_socket(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a socket (unix(7))."""
    try:
        return stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode)
    except OSError as error:
        unseen.note(entry.path, error)
        return False


def is_endless(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is, or leads to, a pipe or a device: who reads it waits, or never ends.

    The device that is empty is none of them.
    """
    try:
        found = entry.stat()
    except OSError as error:
        unseen.note(entry.path, error, _NO_FILE)
        return False
    except ValueError:
        return False
    if stat.S_ISCHR(found.st_mode) and found.st_rdev == _NULL:
        return False
    return stat.S_IFMT(found.st_mode) in {stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK}


def kind_of_mode(mode: int) -> FileKind:
    """Return the kind of a mode (inode(7))."""
    if stat.S_ISDIR(mode):
        return FileKind.DIRECTORY
    return FileKind.FILE if stat.S_ISREG(mode) else FileKind.OTHER
