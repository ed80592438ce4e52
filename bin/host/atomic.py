"""Replace a file in one step, and make directories that only their owner can enter. Light."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write(path: Path, text: str, mode: int, *, durable: bool = True) -> None:
    """Replace a text file in one step; `mode` holds whatever the umask says.

    Args:
        path: The file.
        text: What is to be in it.
        mode: Its permissions.
        durable: Whether it is to outlast a loss of power, for which the disk is waited for.
    """
    write_bytes(path, text.encode(), mode, durable=durable)


def write_bytes(path: Path, data: bytes, mode: int, *, durable: bool = True) -> None:
    """Replace a file in one step; `mode` holds whatever the umask says.

    Raises:
        OSError: the disk is full, or the directory cannot be written; it names the file.
    """
    with naming(path):
        _replace(path, data, mode, durable)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Make errors of the system name a file: a write to what is open names none."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _replace(path: Path, data: bytes, mode: int, durable: bool) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        _fill(descriptor, data, mode, durable)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def write_in(folder: int, name: str, data: bytes, mode: int, *, durable: bool = True) -> None:
    """Replace a file of an open directory in one step; no link is followed.

    Raises:
        OSError: the disk is full, or the directory cannot be written.
    """
    kind = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    temporary = f".{name}.{secrets.token_hex(8)}"
    descriptor = os.open(temporary, kind, 0o600, dir_fd=folder)
    try:
        _fill(descriptor, data, mode, durable)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _fill(descriptor: int, data: bytes, mode: int, durable: bool) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), mode)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def make(directory: Path, mode: int) -> None:
    """Make a directory and the parents it needs, none of them wider than `mode`.

    With a umask of 000 anybody could put a directory of theirs in the place of ours otherwise.
    What is there already stays as it is.
    """
    for parent in reversed(directory.parents):
        if not parent.exists():
            parent.mkdir(mode, exist_ok=True)
    directory.mkdir(mode, exist_ok=True)


def make_private(directory: Path) -> None:
    """Make a directory that only its owner can enter, whatever it was before."""
    make(directory, 0o700)
    directory.chmod(0o700)
