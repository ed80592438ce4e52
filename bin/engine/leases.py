"""Leases that programs of sandboxes hold on files (fcntl(2), F_SETLEASE).

Whoever opens such a file waits until its holder lets go, or for `lease-break-time` (proc(5)), once
for each file: of an agent that means harm, a snapshot would wait for hours.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from jailoc.bin.engine import cgroup, containers
from jailoc.bin.host import lock_table
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import typed, workspace_of
from jailoc.model.text import number_of


def holders(rows: Iterable[list[str]], kind: str | None = "LEASE") -> list[int]:
    """Return the numbers of the processes that hold leases, one for each lease (proc(5)).

    Args:
        rows: Those of the table of locks.
        kind: What kind of locks they hold; None for every kind.

    >>> rows = "1: FLOCK ADVISORY WRITE 7 8:1:9 0 EOF", "2: LEASE ACTIVE READ 8 8:1:9 0 EOF"
    >>> holders(map(str.split, rows)), holders(map(str.split, rows), None)
    ([8], [7, 8])
    """
    return [int(each[4]) for each in rows if kind in {each[1], None} and each[4].isdigit()]


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
        rows, whole = lock_table.rows()
    except OSError:  # no Linux, or nobody may look
        return
    found = Counter(holders(rows, "LEASE" if whole else None))
    if not found:
        return
    groups = [(_group(process), count) for process, count in found.items()]
    there = {
        typed(workspace_of(each.project) or each.project): count
        for each in containers.containers()
        if (count := sum(held for group, held in groups if each.id in (group or "")))
    }
    # Who took one may have ended, and somebody whom it started holds it.
    ended = sum(held for group, held in groups if group is None)
    if whole and (there or ended):
        raise _refused(what, *next(iter(there.items()), (typed(name), ended)))
    # Among very many locks a lease would not be seen: of sandboxes these are no honest ones.
    if not whole and 2 * sum(there.values()) > len(rows):
        raise _crowded(what, max(there, key=there.__getitem__))


def _refused(what: str, name: str, count: int) -> Refused:
    return refuse(
        "leases",
        f"{what} would wait: programs in `{name}` hold {number_of(count, 'lease')} on "
        "files (fcntl(2), F_SETLEASE), and whoever opens one is held up for a while",
        hint=f"stop them first: `jailoc down {name}`",
    )


def _crowded(what: str, name: str) -> Refused:
    return refuse(
        "leases",
        f"{what} may wait: programs in `{name}` hold so many locks on files that leases among them "
        "are not seen (fcntl(2), F_SETLEASE)",
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
