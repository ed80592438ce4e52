"""Where it is written down what each workspace was last started with. Light, as `paths` is.

It lies among what must last and not in the cache: whoever clears a cache would make jailoc forget
which places an agent could write. What a start gives an agent is written down before that begins,
for a start that fails, or whose program is killed, has let it write, too.
"""

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from jailoc.bin.host import atomic, paths, regular

APPLIED = ".applied.json"
"""How the names of such files end."""
MOST = 64 << 20
"""Bytes of one."""
BEGUN = ".begun.json"
"""The same of a start that has begun: it holds `config` and `compose` as the other one does."""


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


def starts() -> tuple[tuple[str, Path], ...]:
    """Return every workspace with what it was started with, and with what a start has begun with.

    Raises:
        OSError: what an earlier version wrote down cannot be moved there.
    """
    begun = sorted(paths.state_directory().glob(f"*{BEGUN}"))
    return (
        *((each.name.removesuffix(APPLIED), each) for each in every()),
        *((each.name.removesuffix(BEGUN), each) for each in begun),
    )


def write(name: str, data: bytes) -> None:
    """Write down what has been applied for a workspace.

    Raises:
        OSError: the disk is full, or the directory cannot be written.
    """
    _write(record(name), data)


def begin(name: str, data: bytes) -> None:
    """Write down what a workspace's agent is given, just before that begins.

    Raises:
        OSError: the disk is full, or the directory cannot be written.
    """
    _write(_begun(name), data)


def forget(name: str) -> None:
    """Forget what a start of a workspace has begun with: it is done, or all of it is removed."""
    _begun(name).unlink(missing_ok=True)


def known(name: str) -> bool:
    """Tell whether anything is written down of a workspace."""
    return any(map(os.path.lexists, (record(name), _begun(name))))


def _begun(name: str) -> Path:
    return record(name).with_name(f"{name}{BEGUN}")


@cache
def _settled(before: Path, now: Path) -> Path:
    """Move what earlier versions have written down, once a run; what they write later counts.

    Only of the usual cache: another one, which a variable names, may be what an agent writes in,
    and that is known only when the configuration has been looked at.
    """
    if before != Path(paths.home()) / ".cache/jailoc":
        return now
    for old in before.glob(f"*{APPLIED}"):
        # Another jailoc may do the same at this moment; what is no file was written by none.
        with suppress(FileNotFoundError, regular.NotRegular):
            _write(now / old.name, regular.read(str(old), MOST))
            old.unlink()
    return now


def _write(place: Path, data: bytes) -> None:
    atomic.make_private(place.parent)
    atomic.write_bytes(place, data, 0o600)
