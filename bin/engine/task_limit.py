"""How often a container was refused a process or thread, because it has as many as it may.

The kernel counts it in the container's cgroup (cgroup-v2, "pids.events"), which this machine can
see if the engine is its own; nothing is run in the container, which could not start it anyway.
"""

from contextlib import suppress
from pathlib import Path

from jailoc.bin.engine import door
from jailoc.bin.engine.docker import endpoint

CGROUPS = Path("/sys/fs/cgroup")
LIMIT = 64 << 10
"""Bytes of a file that are read."""


def refused(pid: int, container: str) -> int | None:
    """Return how often, since the container started; None where that cannot be seen.

    Args:
        pid: Of the container's first process, as the engine reports it.
        container: Its id.
    """
    if pid <= 0 or door.replaced() or not endpoint().local:
        return None
    with suppress(OSError, ValueError):
        return count(_read(Path(f"/proc/{pid}/cgroup")), container)
    return None


def count(membership: str, container: str, cgroups: Path = CGROUPS) -> int | None:
    """Return the number, for a process with this text in its /proc/PID/cgroup (cgroups(7)).

    Raises:
        OSError: there is no such group here.
        ValueError: the kernel's file is not as it should be.
    """
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        # The number may be another machine's, as Docker Desktop's: the path has the id.
        if container not in path or ".." in path.split("/"):
            continue
        if controllers in {"", "pids"}:
            text = _read(cgroups / controllers / path.lstrip("/") / "pids.events")
            return next(
                (int(words[1]) for words in map(str.split, text.splitlines()) if words[0] == "max"),
                None,
            )
    return None


def _read(path: Path) -> str:
    with path.open(errors="replace") as file:
        return file.read(LIMIT)
