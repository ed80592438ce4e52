"""How often a container was refused a process or thread, because it has as many as it may.

The kernel counts it in the container's cgroup (cgroup-v2, "pids.events"), which this machine can
see if the engine is its own; nothing is run in the container, which could not start it anyway.
"""

from contextlib import suppress
from pathlib import Path

from jailoc.bin.engine import door
from jailoc.bin.engine.cgroup import CGROUPS, contents, groups_of
from jailoc.bin.engine.docker import endpoint


def refused(pid: int, container: str) -> int | None:
    """Return how often, since the container started; None where that cannot be seen.

    Args:
        pid: Of the container's first process, as the engine reports it.
        container: Its id.
    """
    if pid <= 0 or door.replaced() or not endpoint().local:
        return None
    with suppress(OSError, ValueError):
        return count(contents(Path(f"/proc/{pid}/cgroup")), container)
    return None


def count(membership: str, container: str, cgroups: Path = CGROUPS) -> int | None:
    """Return the number, for a process with this text in its /proc/PID/cgroup (cgroups(7)).

    Raises:
        OSError: there is no such group here.
        ValueError: the kernel's file is not as it should be.
    """
    groups = groups_of(membership, container)
    controller = next((each for each in ("pids", "") if each in groups), None)
    if controller is None:
        return None
    text = contents(cgroups / controller / groups[controller] / "pids.events")
    return next(
        (int(words[1]) for words in map(str.split, text.splitlines()) if words[0] == "max"), None
    )
