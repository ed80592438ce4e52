"""Folders below one, made and opened each from the one above: nobody can put a link in between."""

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jailoc.bin.host import atomic, programs
from jailoc.bin.host.links import Links
from jailoc.model.bundle import DIRECTORY_MODE
from jailoc.model.diagnostic import refuse

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_WAY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
"""A directory that is only passed: who may not list it may do that."""


def refuse_file(place: Path, what: str) -> None:
    """Refuse a place where a directory is to be made, if something else is there or above it.

    Raises:
        Refused: so it is.
    """
    there = next((each for each in (place, *place.parents) if os.path.lexists(each)), place)
    if os.path.lexists(there) and not there.is_dir():
        raise refuse(
            "directory", f"`{there}` is no directory, and {what} names one", hint="name another"
        )


def settled(path: Path) -> Path:
    """Return where a file or directory that is about to be written for the user really is.

    What it names may be a link itself.

    Raises:
        Refused: a link on the way is an agent's, who decides where it leads.
    """
    place = path.absolute()
    parent, hops = Links().trace(str(place.parent))
    # It is the directory with the link that counts: the user's own may lead to where agents write.
    if any(programs.changeable(posixpath.dirname(each)) for each in hops):
        raise refuse(
            "folder-link",
            f"`{path}`: an agent decides where a link on the way leads",
            hint="name another place, or the one that it leads to",
        )
    return Path(parent, place.name) if place.name != ".." else Path(parent).parent


def write(path: Path, text: str, mode: int) -> None:
    """Replace a text file that the user has named, in one step, by no link of an agent's.

    Raises:
        Refused: one is on the way, or has come meanwhile.
        OSError: the disk is full, or the directory cannot be written; it names the file.
    """
    place = settled(path)
    with atomic.naming(path):
        folder = walked(place.parent)
        try:
            atomic.write_in(folder, place.name, text.encode(), mode)
        finally:
            os.close(folder)


def resolved(path: Path) -> Path:
    """Return a path without links on the way; what it names may be one itself."""
    place = path.absolute()
    parent = os.path.realpath(place.parent)
    return Path(parent, place.name) if place.name != ".." else Path(parent).parent


@contextmanager
def opened(
    top: Path,
    path: Path,
    *,
    shared: bool,
    plain: int = 0,
    makes: bool = True,
    at: int | None = None,
) -> Iterator[int]:
    """Make what is missing on the way from a directory to one below it; yield its descriptor.

    What is made has the mode of generated folders, whatever the umask says.

    Args:
        top: The directory, which is there.
        path: The way from it, without `..`.
        shared: Whether others may write there: then nothing on the way to it is a link either, nor
            is it itself, and only what is made here gets a mode.
        plain: How many folders of the way have the mode of any new one.
        makes: Whether anything is made.
        at: The descriptor of the directory, where it is open already; it stays open.

    Raises:
        Refused: a link is on the way.
        OSError: it cannot be made or opened.
    """
    if at is not None:
        here = os.dup(at)
    else:
        here = walked(top) if shared else _open(top, None, _DIRECTORY, top)
    try:
        for number, name in enumerate(path.parts):
            place = top.joinpath(*path.parts[: number + 1])
            made = makes and _make(name, here, place)
            below = _open(Path(name), here, _DIRECTORY | os.O_NOFOLLOW, place)
            os.close(here)
            here = below
            if number >= plain and (made or not shared):
                os.fchmod(here, DIRECTORY_MODE)
        yield here
    finally:
        os.close(here)


def walked(top: Path, *, makes: bool = False) -> int:
    """Open a directory by an absolute path without links, step by step; the caller closes it.

    Args:
        top: The directory.
        makes: Whether what is missing is made.

    Raises:
        Refused: a link is on the way by now.
        OSError: it cannot be made or opened.
    """
    here = os.open("/", _DIRECTORY if top == Path("/") else _WAY)
    for number, name in enumerate(top.parts[1:], 2):
        kind = _WAY if number < len(top.parts) else _DIRECTORY | os.O_NOFOLLOW
        place = Path(*top.parts[:number])
        try:
            if makes and not _there(name, here):
                _make(name, here, place)
            below = _open(Path(name), here, kind, place)
        finally:
            os.close(here)
        here = below
    return here


def _make(name: str, folder: int, place: Path) -> bool:
    """Make a directory below an open one; False if something is there."""
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:
        return False
    except OSError as error:
        error.filename = str(place)
        raise
    return True


def _there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _open(name: Path, folder: int | None, kind: int, place: Path) -> int:
    try:
        return os.open(name, kind, dir_fd=folder)
    except OSError as error:
        if place.is_symlink():
            raise refuse(
                "folder-link",
                f"`{place}` is a symbolic link: what is written below it would go elsewhere",
                hint="remove it, or name the directory that it leads to",
            ) from None
        error.filename = str(place)
        raise
