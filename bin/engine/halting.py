"""Halt what runs in a container, and let it go on."""

import time
from contextlib import suppress

from jailoc.bin.engine.docker import DockerError, run

PATIENCE, BETWEEN = 30.0, 0.1
"""Seconds in which it is tried again, and between two tries."""


def pause(container: str) -> None:
    """Halt all processes of a container (docker-pause(1)); one that has ended has none.

    A process is halted on its way out of the kernel, and engines wait for less than a second: one
    that is in a long write(2) then goes on with all others.

    Raises:
        DockerError: it goes on.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            run(["pause", container], what="pausing a container", timeout=60)
        except DockerError:
            there = ["ps", "--quiet", "--filter", f"id={container}"]
            if not run(there, what="list containers", timeout=30).strip():
                return
            if time.monotonic() > until:
                raise
            time.sleep(BETWEEN)
        else:
            return


def resume(container: str) -> None:
    """Let a halted container go on; one that was not halted, or is gone, stays so."""
    with suppress(DockerError):
        run(["unpause", container], what="resuming a container", timeout=60)
