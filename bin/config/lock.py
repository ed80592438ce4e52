"""The lock of images beside a configuration: which digest each has in the registry."""

from pathlib import Path

from jailoc.bin.host import regular
from jailoc.model.diagnostic import refuse
from jailoc.model.kubernetes.image_lock import ImageLock, NoLockError
from jailoc.model.kubernetes.words import LOCK_FILE


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
        return ImageLock.read(regular.read(str(path)).decode())
    except FileNotFoundError:
        return ImageLock()
    except (OSError, UnicodeDecodeError, regular.NotRegular, NoLockError) as error:
        raise refuse(
            "kubernetes-lock",
            f"`{path}` is no lock of images: {error}",
            hint="take it from version control, or write it with `jailoc images build --push`",
        ) from None
