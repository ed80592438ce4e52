"""Where it is written down what each workspace was last started with. Light, as `paths` is.

It lies among what must last and not in the cache: whoever clears a cache would make jailoc forget
which places an agent could write.
"""

from contextlib import suppress
from functools import cache
from pathlib import Path

from jailoc.bin.host import atomic, paths

APPLIED = ".applied.json"
"""How the names of such files end."""


def record(name: str) -> Path:
    """Return where it is written down what has been applied for a workspace.

    Raises:
        OSError: what an earlier version wrote down cannot be moved there.
    """
    return _settled(paths.cache_directory(), paths.state_directory()) / f"{name}{APPLIED}"


def every() -> tuple[Path, ...]:
    """Return all that is written down, in order.

    Raises:
        OSError: what an earlier version wrote down cannot be moved there.
    """
    place = _settled(paths.cache_directory(), paths.state_directory())
    return tuple(sorted(place.glob(f"*{APPLIED}")))


def write(name: str, data: bytes) -> None:
    """Write down what has been applied for a workspace.

    Raises:
        OSError: the disk is full, or the directory cannot be written.
    """
    _write(record(name), data)


@cache
def _settled(before: Path, now: Path) -> Path:
    """Move what earlier versions have written down, once a run; what they write later counts."""
    for old in before.glob(f"*{APPLIED}"):
        # Another jailoc may do the same at this moment.
        with suppress(FileNotFoundError):
            _write(now / old.name, old.read_bytes())
            old.unlink()
    return now


def _write(place: Path, data: bytes) -> None:
    atomic.make_private(place.parent)
    atomic.write_bytes(place, data, 0o600)
