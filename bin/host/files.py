"""Files on disk: atomic replacement, exact modes, and one lock a workspace.

A kill at any moment leaves each file as it was or as it should be, because every file is written
beside its place, and moved there by one rename(2). What must outlast a loss of power is flushed.
"""

import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jailoc.bin.host import folders, lock_holder
from jailoc.bin.host.atomic import make, make_private, naming, write, write_bytes, write_in
from jailoc.model.bundle import Bundle, File
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import MACHINE_FILE

__all__ = [
    "differs",
    "locked",
    "make",
    "make_folders",
    "make_private",
    "same",
    "write",
    "write_bundle",
    "write_bytes",
    "write_files",
]


def same(path: Path | str, file: File, folder: int | None = None) -> bool:
    """Tell whether a file is already on disk as it should be: itself, and not by a link.

    No more of it is read than there should be.

    Args:
        path: The place, or the name in an open directory.
        file: As it should be.
        folder: The open directory.
    """
    kind = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    wanted = file.text.encode()
    try:
        descriptor = os.open(path, kind, dir_fd=folder)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as text:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) != file.mode:
            return False
        return found.st_size == len(wanted) and text.read(len(wanted) + 1) == wanted


def differs(files: Iterable[File], directory: Path) -> bool:
    """Tell whether a directory does not hold files as they should be."""
    return not all(same(directory / file.path, file) for file in files)


def write_files(
    files: Iterable[File], directory: Path, *, durable: bool = True, shared: Path | None = None
) -> None:
    """Write generated files; what else is there stays.

    The compose file comes last: once it is new, everything that it names is.

    Args:
        files: The files.
        directory: Where they belong.
        durable: Whether each is to outlast a loss of power; what can be made again need not.
        shared: A directory above, or the same, in which others may write, as `folders.settled` has
            it: nothing on the way may be a link, and what is there keeps its mode.

    Raises:
        Refused: a link is on the way.
        OSError: the disk is full, or a place cannot be written; it names the file.
    """
    top = shared or directory
    if shared is None:
        top.mkdir(parents=True, exist_ok=True)
    else:
        os.close(folders.walked(top, makes=True))
    way = directory.relative_to(top)
    every = sorted(files, key=_order)
    for (_, folder), members in itertools.groupby(every, key=_order):
        below = way / folder
        with folders.opened(top, below, shared=shared is not None, plain=len(way.parts)) as here:
            for file in members:
                name = Path(file.path).name
                if not same(name, file, here):
                    with naming(directory / file.path):
                        write_in(here, name, file.text.encode(), file.mode, durable=durable)


def _order(file: File) -> tuple[bool, str]:
    """Return what files are sorted by: the compose file last, else folder by folder."""
    return file.path == "docker-compose.yml", str(Path(file.path).parent)


def make_folders(directory: Path, path: str) -> None:
    """Make the folders of a generated file, whose modes hold whatever the umask says."""
    directory.mkdir(parents=True, exist_ok=True)
    with folders.opened(directory, Path(path).parent, shared=False):
        pass


def write_bundle(bundle: Bundle, directory: Path) -> None:
    """Make a directory of jailoc's own hold exactly the files of a bundle."""
    make_private(directory)
    write_files(bundle.files, directory)
    wanted = {file.path for file in bundle.files} | {MACHINE_FILE}
    for place in sorted(directory.rglob("*"), reverse=True):
        name = str(place.relative_to(directory))
        if place.is_dir() and not place.is_symlink():
            if not any(path.startswith(f"{name}/") for path in wanted):
                place.rmdir()
        elif name not in wanted:
            place.unlink()


@contextmanager
def locked(path: Path, patience: float = 0, *, discard: bool = False) -> Iterator[int | None]:
    """Hold a lock that the kernel gives back when the process ends, however it ends.

    Yields its descriptor: a process that is given it holds the lock on, if this one is killed.

    Args:
        path: The lock file.
        patience: Seconds to wait for it.
        discard: Whether the file goes at the end, because what it guards is gone.

    Raises:
        Refused: another jailoc holds it.
    """
    import filelock

    make_private(path.parent)
    lock = filelock.FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=patience)
        while not path.exists():
            # Whoever held it has taken the file away; a lock on that would keep nobody out.
            lock.release()
            lock.acquire(timeout=patience)
    except filelock.Timeout:
        holder = lock_holder.process(path)
        raise refuse(
            "locked",
            f"another jailoc is working on this: {f'process {holder}' if holder else 'it'} holds "
            f"`{path}`",
            hint="wait until it has finished, then run the command again",
        ) from None
    try:
        yield lock._context.lock_file_fd
        if discard:
            path.unlink(missing_ok=True)
    finally:
        lock.release()
