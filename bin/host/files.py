"""Files on disk: atomic replacement, exact modes, and one lock a workspace.

A kill at any moment leaves each file as it was or as it should be, because every file is written
beside its place, and moved there by one rename(2). What must outlast a loss of power is flushed.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jailoc.bin.host.atomic import make, make_private, write, write_bytes
from jailoc.model.bundle import DIRECTORY_MODE, Bundle, File
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


def same(path: Path, file: File) -> bool:
    """Tell whether a file is already on disk as it should be."""
    try:
        return path.stat().st_mode & 0o7777 == file.mode and path.read_bytes() == file.text.encode()
    except OSError:
        return False


def differs(files: Iterable[File], directory: Path) -> bool:
    """Tell whether a directory does not hold files as they should be."""
    return not all(same(directory / file.path, file) for file in files)


def write_files(files: Iterable[File], directory: Path, *, durable: bool = True) -> None:
    """Write generated files; what else is there stays.

    The compose file comes last: once it is new, everything that it names is.

    Args:
        files: The files.
        directory: Where they belong.
        durable: Whether each is to outlast a loss of power; what can be made again need not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    every = sorted(files, key=lambda each: each.path == "docker-compose.yml")
    # Of the files of one folder, one makes it.
    for path in {Path(file.path).parent: file.path for file in every}.values():
        make_folders(directory, path)
    for file in every:
        place = directory / file.path
        if not same(place, file):
            write(place, file.text, file.mode, durable=durable)


def make_folders(directory: Path, path: str) -> None:
    """Make the folders of a generated file, whose modes hold whatever the umask says."""
    directory.mkdir(parents=True, exist_ok=True)
    for parent in reversed(Path(path).parents[:-1]):
        folder = directory / parent
        folder.mkdir(exist_ok=True)
        folder.chmod(DIRECTORY_MODE)


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
def locked(path: Path, patience: float = 0, *, discard: bool = False) -> Iterator[None]:
    """Hold a lock that the kernel gives back when the process ends, however it ends.

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
        raise refuse(
            "locked",
            f"another jailoc is working on this: `{path}` is locked",
            hint="wait until it has finished, then run the command again",
        ) from None
    try:
        yield
        if discard:
            path.unlink(missing_ok=True)
    finally:
        lock.release()
