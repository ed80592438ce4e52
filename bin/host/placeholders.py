"""Make what is missing in a repository, where an agent may be at work: no link is followed."""

import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from jailoc.model.repository import Made, Placeholder

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def missing(placeholders: Iterable[Placeholder]) -> tuple[str, ...]:
    """Return the places where nothing is."""
    return tuple(each.place for each in placeholders if not os.path.lexists(each.place))


def make(placeholder: Placeholder) -> Made | None:
    """Make one in a single step and return it, unless something is there.

    Every directory on the way is opened from the one above, so nobody can put a link in between.

    Raises:
        OSError: a directory on the way is missing or a link, or may not be written.
    """
    with _beside(placeholder) as (folder, name):
        try:
            if placeholder.text is None:
                os.mkdir(name, 0o755, dir_fd=folder)
                made = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    _give(made, folder)
                    found = os.fstat(made)
                finally:
                    os.close(made)
            else:
                found = _write(folder, name, placeholder.text.encode())
        except FileExistsError:
            return None
    return Made(placeholder=placeholder, device=found.st_dev, inode=found.st_ino)


def clear(placeholder: Placeholder) -> None:
    """Remove what was written beside a place by who was killed before it got there."""
    if placeholder.text is not None:
        with suppress(OSError), _beside(placeholder) as (folder, name):
            _remove_begun(folder, name, placeholder.text.encode())


def take_away(made: Made) -> bool:
    """Remove what was made, if it still is as it was; tell whether it has gone.

    Whatever somebody has put into it, or in its place, stays. Of one that was only begun, what is
    as it would have been made goes, and what was written beside it.
    """
    if made.begun:
        clear(made.placeholder)
    try:
        with _beside(made.placeholder) as (folder, name):
            if not _same(made, folder, name):
                return False
            if made.placeholder.text is None:
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)
    except OSError:  # it is gone, or in use, or not empty
        return False
    return True


def _same(made: Made, folder: int, name: str) -> bool:
    """Tell whether what is there is what was made; what a directory holds is another question."""
    found, text = os.stat(name, dir_fd=folder, follow_symlinks=False), made.placeholder.text
    if not made.begun and (found.st_dev, found.st_ino) != (made.device, made.inode):
        return False
    if text is None:
        return True
    return stat.S_ISREG(found.st_mode) and _holds(folder, name, text.encode())


def untouched(made: Made) -> bool:
    """Tell whether what was made still is as it was: what `take_away` would remove."""
    try:
        with _beside(made.placeholder) as (folder, name):
            if not _same(made, folder, name):
                return False
            if made.placeholder.text is not None:
                return True
            inside = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            try:
                return not os.listdir(inside)  # noqa: PTH208 -- a descriptor
            finally:
                os.close(inside)
    except OSError:  # it is gone, or something else
        return False


@contextmanager
def _beside(placeholder: Placeholder) -> Iterator[tuple[int, str]]:
    """Open the directory that a placeholder lies in; no link is followed on the way."""
    *way, name = placeholder.path.split("/")
    folder = os.open(placeholder.root, _DIRECTORY)
    try:
        for each in way:
            inner = os.open(each, _DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder, name
    finally:
        os.close(folder)


def _holds(folder: int, name: str, data: bytes) -> bool:
    kind = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, kind, dir_fd=folder)
    try:
        return os.read(descriptor, len(data) + 1) == data
    finally:
        os.close(descriptor)


def _remove_begun(folder: int, name: str, data: bytes) -> None:
    """Remove what `_write` has left beside a place, whole or not."""
    beside = re.compile(re.escape(f".{name}.") + "[0-9a-f]{16}")
    for each in filter(beside.fullmatch, os.listdir(folder)):
        with suppress(OSError):  # an agent may have made something else there
            if _holds(folder, each, data) or _holds(folder, each, b""):
                os.unlink(each, dir_fd=folder)


def _give(made: int, folder: int) -> None:
    """Let what root has made belong to whom the directory belongs to.

    It is known by its descriptor: under its name there may be something else by now.
    """
    if os.geteuid() == 0:
        owner = os.fstat(folder)
        os.fchown(made, owner.st_uid, owner.st_gid)


def _write(folder: int, name: str, data: bytes) -> os.stat_result:
    """Write a file beside its place and link it there: whoever looks sees all of it or nothing."""
    beside = f".{name}.{secrets.token_hex(8)}"
    descriptor = os.open(
        beside,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
        0o644,
        dir_fd=folder,
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            _give(file.fileno(), folder)
            found = os.fstat(file.fileno())
        os.link(beside, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        with suppress(OSError):
            os.unlink(beside, dir_fd=folder)
    return found
