"""Leases that programs of sandboxes hold on files (fcntl(2), F_SETLEASE).

Whoever opens such a file waits until its holder lets go, or for `lease-break-time` (proc(5)), once
for each file: of an agent that means harm, a snapshot would wait for hours.
"""

from pathlib import Path

from jailoc.bin.engine import cgroup, containers
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import typed, workspace_of
from jailoc.model.text import number_of

LOCKS = Path("/proc/locks")


def holders(text: str) -> list[int]:
    r"""Return the numbers of the processes that hold leases, one for each lease (proc(5)).

    >>> holders("1: POSIX  ADVISORY  WRITE 7 08:01:9 0 EOF\n2: LEASE ACTIVE READ 8 08:01:9 0 9\n")
    [8]
    """
    rows = (line.split() for line in text.splitlines())
    return [int(each[4]) for each in rows if len(each) > 5 and each[1] == "LEASE"
            and each[4].isdigit()]  # fmt: skip


def check(what: str, name: str) -> None:
    """Make sure that no program of a sandbox holds one, before files of agents are read.

    Args:
        what: What they are read for.
        name: The workspace that it is about.

    Raises:
        DockerError: the engine did not answer.
        Refused: one does; with the workspace.
    """
    try:
        # The table is made anew for each reader, and is as long as there are locks.
        found = holders(LOCKS.read_text())
    except OSError:  # no Linux, or nobody may look
        return
    groups = [*map(_group, found)]
    if not groups:
        return
    for each in containers.containers():
        count = sum(each.id in (group or "") for group in groups)
        if count:
            raise _refused(what, typed(workspace_of(each.project) or each.project), count)
    # Who took one may have ended, and somebody whom it started holds it.
    if count := groups.count(None):
        raise _refused(what, typed(name), count)


def _refused(what: str, name: str, count: int) -> Refused:
    return refuse(
        "leases",
        f"{what} would wait: programs in `{name}` hold {number_of(count, 'lease')} on "
        "files (fcntl(2), F_SETLEASE), and whoever opens one is held up for a while",
        hint=f"stop them first: `jailoc down {name}`",
    )


def _group(process: int) -> str | None:
    """Return the cgroups of a process (cgroups(7)); None if it has ended."""
    try:
        return cgroup.contents(Path(f"/proc/{process}/cgroup"))
    except FileNotFoundError:
        return None
    except OSError:
        return ""
