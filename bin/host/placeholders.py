"""Make what is missing in a repository, where an agent may be at work: no link is followed."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress

from jailoc.model.repository import Placeholder

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def missing(placeholders: Iterable[Placeholder]) -> tuple[str, ...]:
    """Return the places where nothing is."""
    return tuple(each.place for each in placeholders if not os.path.lexists(each.place))


def make(placeholder: Placeholder) -> bool:
    """Make one in a single step, unless something is there; tell whether it was made.

    Every directory on the way is opened from the one above, so nobody can put a link in between.

    Raises:
        OSError: a directory on the way is missing or a link, or may not be written.
    """
    *way, name = placeholder.path.split("/")
    folder = os.open(placeholder.root, _DIRECTORY)
    try:
        for each in way:
            inner = os.open(each, _DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        try:
            if placeholder.text is None:
                os.mkdir(name, 0o755, dir_fd=folder)
                made = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    _give(made, folder)
                finally:
                    os.close(made)
            else:
                _write(folder, name, placeholder.text.encode())
        except FileExistsError:
            return False
        return True
    finally:
        os.close(folder)


def _give(made: int, folder: int) -> None:
    """Let what root has made belong to whom the directory belongs to.

    It is known by its descriptor: under its name there may be something else by now.
    """
    if os.geteuid() == 0:
        owner = os.fstat(folder)
        os.fchown(made, owner.st_uid, owner.st_gid)


def _write(folder: int, name: str, data: bytes) -> None:
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
        os.link(beside, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        with suppress(OSError):
            os.unlink(beside, dir_fd=folder)
