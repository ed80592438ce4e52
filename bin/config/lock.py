"""The lock of images beside a configuration: which digest each has in the registry."""

import posixpath
from collections.abc import Callable
from pathlib import Path

from jailoc.bin.engine import git
from jailoc.bin.host import regular
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.document import Document
from jailoc.model.kubernetes.image_lock import ImageLock, NoLockError
from jailoc.model.kubernetes.words import LOCK_FILE

Read = Callable[[], ImageLock]
"""Reads the lock of one configuration."""


def place(config: Path) -> Path:
    """Return where the lock of a configuration is."""
    return config.absolute().parent / LOCK_FILE


def read(config: Path) -> ImageLock:
    """Return the lock of a configuration; an empty one where there is no file.

    Raises:
        Refused: it cannot be read, or is no lock.
    """
    path = place(config)
    try:
        data = regular.read(str(path))
    except FileNotFoundError:
        return ImageLock()
    except (OSError, regular.NotRegular) as error:
        raise _refused(str(path), error) from None
    return _parsed(str(path), data)


def at(top: Path, folder: str, commit: str) -> ImageLock:
    """Return the lock of a configuration as a commit has it; an empty one where it has none.

    A link is no lock there: it may lead to what the commit does not have.

    Args:
        top: The directory of the working tree.
        folder: The directory of the configuration, from there.
        commit: Its full name.

    Raises:
        Refused: it cannot be read, or is no lock.
    """
    inside = posixpath.join(folder, LOCK_FILE)
    data = git.file_at(top, commit, inside)
    return ImageLock() if data is None else _parsed(f"{inside} of commit {commit[:12]}", data)


def images(document: Document, locked: Read) -> dict[str, str]:
    """Return the digests that a configuration's lock names by their tags; none without a cluster.

    Raises:
        Refused: it cannot be read, or is no lock.
    """
    return locked().images if "kubernetes" in document.data else {}


def _parsed(path: str, data: bytes) -> ImageLock:
    try:
        return ImageLock.read(data.decode())
    except (UnicodeDecodeError, NoLockError) as error:
        raise _refused(path, error) from None


def _refused(path: str, error: Exception) -> Refused:
    return refuse(
        "kubernetes-lock",
        f"`{path}` is no lock of images: {error}",
        hint="take it from version control, or write it with `jailoc images build --push`",
    )
