"""Files that processes of a container have mapped, so that what is written there comes to them.

A process can end while it is halted: with version 2 of cgroups (cgroups(7)) a signal ends it, of a
timer's, say. On the way out the kernel writes for each of its threads: four bytes of zeros
(CLONE_CHILD_CLEARTID, set_tid_address(2)), and a bit of a lock that it held (set_robust_list(2)).
"""

import os
from contextlib import suppress
from typing import NamedTuple

from jailoc.bin.engine import cgroup
from jailoc.bin.host import bind_mounts, links

MOST = 16 << 20
"""Bytes of what the kernel says of one process: some hundred a mapping, of which there may be
65,530 (`vm.max_map_count`)."""


class MappedFile(NamedTuple):
    """What a process has mapped."""

    name: str
    """As the container calls it."""
    device: str
    """Of its file system, as `8:1`."""
    there: bool = True
    """Whether the container has it by that name. What another one has handed on may lie in no mount
    of its, or in one that is gone, whose top then counts as the root."""


class Mapped(NamedTuple):
    """What the processes of a container may still change."""

    files: tuple[MappedFile, ...] = ()
    hidden: int = 0
    """Processes of the same user as this one that let nobody look (prctl(2), PR_SET_DUMPABLE), or
    have another group than it has (newgrp(1)). Of others the kernel tells root alone (proc(5))."""


def mapped(container: str, process: int) -> Mapped:
    """Return what the processes of a halted container have mapped to be written.

    Nothing where they are another machine's.

    Args:
        container: Its id.
        process: The number of its first process, as the engine has it.
    """
    files, hidden = dict[tuple[str, ...], MappedFile](), 0
    for each in cgroup.processes(container, process):
        try:
            text = _maps(each)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        except OSError:
            hidden += _like_ours(each)
            continue
        hidden += len(text) > MOST
        for line in text.decode(errors="replace").split("\n"):
            words = line.split(None, 5)
            if len(words) == 6 and words[1][1::2] == "ws" and words[5].startswith("/"):
                told = tuple(words[3:])
                files[told] = files.get(told) or _file(each, *told)
    return Mapped(tuple(files.values()), hidden)


def _file(process: str, numbers: str, inode: str, name: str) -> MappedFile:
    """Return a file by its device (in hexadecimal), its inode, and what the process calls it."""
    device = ":".join(str(int(each, 16)) for each in numbers.split(":"))
    place = cgroup.PROC / process
    found = links.identity(name, str(place / "root"))
    there = found is not None and found[1] == int(inode)
    return MappedFile(
        name, device, there and bind_mounts.device(name, place / "mountinfo") == device
    )


def _maps(process: str) -> bytes:
    """Return what a process has mapped; where its first thread has ended, another one has it still.

    Raises:
        OSError: it has ended, or lets nobody look.
    """
    place = cgroup.PROC / process
    with (place / "maps").open("rb") as file:
        text = file.read(MOST + 1)
    for thread in () if text else (place / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError), (thread / "maps").open("rb") as file:
            text = text or file.read(MOST + 1)
    return text


def _like_ours(process: str) -> bool:
    """Tell whether the kernel would let us look, but for what the process has asked for."""
    try:
        told = cgroup.status(process)
    except OSError:
        return False
    return os.geteuid() == 0 or {*told["Uid"].split()} == {str(os.geteuid())}
