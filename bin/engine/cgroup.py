"""What a container uses, as the kernel of this machine counts it (cgroups(7), proc(5)).

Nothing is started for it, neither in the container nor beside it. Where the container's processes
are another machine's, or its cgroup cannot be seen, the engine has to be asked.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from jailoc.model.status import Usage

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
LIMIT = 1 << 16
"""Bytes of a file; the longest are some kilobytes."""


class Sample(NamedTuple):
    """What was counted at one moment."""

    moment: float
    """Seconds of a clock that only goes forward."""
    cpu: float
    """Seconds of all processors since the start."""
    usage: Usage
    """Without the share of the processor, which takes two samples."""


def sample(container: str, process: int) -> Sample | None:
    """Return what a running container uses; None where that cannot be seen from here.

    Args:
        container: Its id.
        process: The number of its first process, as the engine has it.
    """
    with suppress(OSError, ValueError, LookupError):
        place = PROC / str(process)
        groups = groups_of(contents(place / "cgroup"), container)
        return _v1(place, groups) if "memory" in groups else _v2(place, groups[""])
    return None


def share(first: Sample, second: Sample) -> Usage:
    """Return the later use, with the share of one processor between the two, in per cent."""
    seconds = second.moment - first.moment
    cpu = 100 * max(0.0, second.cpu - first.cpu) / seconds if seconds > 0 else 0.0
    return second.usage.model_copy(update={"cpu": round(cpu, 2)})


def groups_of(text: str, container: str) -> dict[str, str]:
    """Return a container's cgroup in each hierarchy, by controller; version 2 has one, unnamed.

    It is the part of a path that ends with the id: there may be groups in it. Where no path has the
    id, the number of the process is another machine's.
    """
    found: dict[str, str] = {}
    for line in filter(None, text.split("\n")):
        _, controllers, path = line.split(":", 2)
        above, id_, rest = path.partition(container)
        # From within a group of its own (cgroup_namespaces(7)) others lie above: they are not seen.
        if id_ and ".." not in path.split("/"):
            group = f"{above}{id_}{rest.partition('/')[0]}".lstrip("/")
            found |= dict.fromkeys(controllers.split(","), group)
    return found


def _v2(process: Path, group: str) -> Sample:
    place = CGROUPS / group
    cpu, memory = _numbers(contents(place / "cpu.stat")), _numbers(contents(place / "memory.stat"))
    counted = [_pairs(line) for line in _lines(place / "io.stat")]
    limit = contents(place / "memory.max").strip()
    return _sample(
        process,
        cpu=cpu["usage_usec"] / 1e6,
        memory=int(contents(place / "memory.current")) - memory["inactive_file"],
        limit=None if limit == "max" else int(limit),
        pids=int(contents(place / "pids.current")),
        read=sum(each.get("rbytes", 0) for each in counted),
        written=sum(each.get("wbytes", 0) for each in counted),
    )


def _v1(process: Path, groups: dict[str, str]) -> Sample:
    place = {name: CGROUPS / name / path for name, path in groups.items()}
    memory = _numbers(contents(place["memory"] / "memory.stat"))
    # Each line: the device, what was done, bytes.
    counted = [line.split() for line in
               _lines(place["blkio"] / "blkio.throttle.io_service_bytes")]  # fmt: skip
    return _sample(
        process,
        cpu=int(contents(place["cpuacct"] / "cpuacct.usage")) / 1e9,
        memory=int(contents(place["memory"] / "memory.usage_in_bytes"))
        - memory["total_inactive_file"],
        limit=int(contents(place["memory"] / "memory.limit_in_bytes")),
        pids=int(contents(place["pids"] / "pids.current")),
        read=sum(int(each[2]) for each in counted if each[1:2] == ["Read"]),
        written=sum(int(each[2]) for each in counted if each[1:2] == ["Write"]),
    )


def _sample(
    process: Path, *, cpu: float, memory: int, limit: int | None, pids: int, read: int, written: int
) -> Sample:
    whole = int(contents(PROC / "meminfo").split()[1]) << 10
    # After two lines of headings: the device, then eight numbers of what came and eight of what
    # went.
    devices = [line.partition(":") for line in _lines(process / "net/dev")[2:]]
    counters = [rest.split() for name, _, rest in devices if name.strip() != "lo"]
    usage = Usage(
        cpu=0.0,
        memory=max(0, memory),
        memory_limit=min(whole, limit) if limit else whole,
        pids=pids,
        received=sum(int(each[0]) for each in counters),
        sent=sum(int(each[8]) for each in counters),
        read=read,
        written=written,
    )
    return Sample(time.monotonic(), cpu, usage)


def processes(container: str, process: int) -> Iterator[str]:
    """Yield the numbers of a container's processes; none where they are another machine's.

    Args:
        container: Its id.
        process: The number of its first one, as the engine has it.
    """
    yield from _listed(container, process, "cgroup.procs")


def _listed(container: str, process: int, name: str) -> Iterator[str]:
    """Yield what the lists of a name have, in the group of a container and in those below it."""
    with suppress(OSError, ValueError, LookupError):
        for each in _group(container, process).rglob(name):
            yield from each.read_text().split()


def _group(container: str, process: int) -> Path:
    """Return the cgroup of a container, of version 1 that of the freezer.

    Raises:
        OSError: the process is not there.
        LookupError: it is another machine's.
    """
    groups = groups_of(contents(PROC / str(process) / "cgroup"), container)
    v1 = "freezer" in groups
    return CGROUPS / "freezer" / groups["freezer"] if v1 else CGROUPS / groups[""]


def frozen(container: str, process: int) -> bool | None:
    """Tell whether the kernel has halted all of a container; None where that is not seen from here.

    Engines halt its group, or one in it that has all of its processes.

    Args:
        container: Its id.
        process: The number of its first process, as the engine has it.
    """
    with suppress(OSError, ValueError, LookupError):
        lists = [*_group(container, process).rglob("cgroup.procs")]
        held = [_frozen(each.parent) for each in lists if each.read_text().strip()]
        return all(held) if held else None
    return None


def _frozen(group: Path) -> bool:
    """Tell whether a cgroup is halted, by itself or with one that it is in."""
    state = group / "freezer.state"
    if state.exists():
        return contents(state).strip() == "FROZEN"
    return _numbers(contents(group / "cgroup.events"))["frozen"] == 1


KILLED, EXITING = 1 << 8, 1 << 2
"""SIGKILL in a set of signals (proc(5), SigPnd), and PF_EXITING (linux/sched.h)."""


def freezes_all_but_killed() -> bool:
    """Tell whether the groups here are of version 1, whose freezer lets some go on (`dying`)."""
    return (CGROUPS / "freezer").is_dir()


def dying(container: str, process: int) -> bool:
    """Tell whether a thread of a halted container is on its way out: it may still be writing.

    The freezer of version 1 waits for all but those that are killed for want of memory. False where
    that cannot be seen from here.

    Args:
        container: Its id.
        process: The number of its first process, as the engine has it.
    """
    return any(map(_ends, _listed(container, process, "tasks")))


def _ends(thread: str) -> bool:
    """Tell whether a thread has been killed, or is ending, and has not ended."""
    with suppress(OSError, ValueError, LookupError):
        states = status(thread)
        # Behind its name, which may hold any character: state, four numbers, and flags.
        state, *numbers = contents(PROC / thread / "stat").rpartition(")")[2].split()
        ending = bool(int(numbers[5]) & EXITING) and state not in {"Z", "X"}
        return ending or bool(int(states["SigPnd"], 16) & KILLED)
    return False


def status(process: str) -> dict[str, str]:
    """Return what the kernel tells of a process or thread, by name.

    It may have called itself anything: a line ends with a line feed, and with nothing else.

    Raises:
        OSError: it has ended.
    """
    pairs = (each.partition(":") for each in contents(PROC / process / "status").split("\n"))
    return {name: value.strip() for name, _, value in pairs}


def contents(place: Path) -> str:
    """Return the text of a file of the kernel's, as far as it may go.

    Raises:
        OSError: it cannot be read.
    """
    with place.open("rb") as file:
        return file.read(LIMIT).decode(errors="replace")


def _lines(place: Path) -> list[str]:
    return contents(place).splitlines()


def _numbers(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in map(str.split, text.splitlines())}


def _pairs(line: str) -> dict[str, int]:
    pairs = (each.partition("=") for each in line.split()[1:])
    return {name: int(value) for name, _, value in pairs}
