"""Halt what runs in a container, and let it go on."""

import time
from contextlib import suppress

from jailoc.bin.engine import cgroup
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.docker import DockerError, run

PATIENCE, BETWEEN = 30.0, 0.1
"""Seconds in which it is tried again, and between two tries."""
LATE = 10.0
"""Seconds for which an engine has to say that a container is halted, where it alone knows."""
_DYING = "a process that was killed for want of memory has not ended yet"


def halted(container: Container) -> bool:
    """Tell whether a container is halted, whatever the engine says where the kernel can be asked.

    An engine takes note of what happens in turn, and of a halt and its end late, behind the end of
    a program whose output an agent holds open: then it says so of one that has long gone on.

    Raises:
        DockerError: the engine did not answer.
    """
    if (frozen := cgroup.frozen(container.id, container.process)) is not None:
        return frozen
    if container.state != "paused":
        return False
    until = time.monotonic() + LATE
    while time.monotonic() < until:
        time.sleep(BETWEEN)
        words = ["inspect", "--format", "{{.State.Status}}", container.id]
        if run(words, what="inspect a container", timeout=30).strip() != "paused":
            return False
    return True


def pause(container: str) -> None:
    """Halt all processes of a container (docker-pause(1)); one that has ended has none.

    A process is halted on its way out of the kernel, and engines wait for less than a second: one
    that is in a long write(2) then goes on with all others. They do not wait for all: one that has
    been killed for want of memory may still be in such a write when all others are halted.

    Raises:
        DockerError: it goes on.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            process = _first(container)
            run(["pause", container], what="pausing a container", timeout=60)
            if process and cgroup.dying(container, process):
                resume(container)
                raise DockerError("pausing a container", ["pause", container], 1, _DYING)
        except DockerError:
            there = ["ps", "--quiet", "--filter", f"id={container}"]
            if not run(there, what="list containers", timeout=30).strip():
                return
            if time.monotonic() > until:
                raise
            time.sleep(BETWEEN)
        else:
            return


def _first(container: str) -> int | None:
    """Return the first process of a container, where one that is killed goes on when it is halted.

    It is asked before: while a container is halted and something begins in it (docker-exec(1), a
    health check), an engine answers nothing about it, and lets it go on no more.
    """
    if not cgroup.freezes_all_but_killed():
        return None
    words = ["inspect", "--format", "{{.State.Pid}}", container]
    process = run(words, what="inspect a container", timeout=30).strip()
    return int(process) if process.isdecimal() else None


def resume(container: str) -> None:
    """Let a halted container go on; one that was not halted, or is gone, stays so.

    An engine that takes note of the halt late refuses at first.
    """
    until = time.monotonic() + LATE
    with suppress(DockerError):
        while time.monotonic() < until:
            with suppress(DockerError):
                run(["unpause", container], what="resuming a container", timeout=60)
                return
            words = ["inspect", "--format", "{{.State.Running}}", container]
            if run(words, what="inspect a container", timeout=30).strip() != "true":
                return
            time.sleep(BETWEEN)
