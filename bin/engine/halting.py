"""Halt what runs in a container, and let it go on."""

from contextlib import suppress

from jailoc.bin.engine.docker import DockerError, run


def pause(container: str) -> None:
    """Halt all processes of a container (docker-pause(1)); one that has ended has none.

    Raises:
        DockerError: it goes on.
    """
    try:
        run(["pause", container], what="pausing a container", timeout=60)
    except DockerError:
        there = ["ps", "--quiet", "--filter", f"id={container}"]
        if run(there, what="list containers", timeout=30).strip():
            raise


def resume(container: str) -> None:
    """Let a halted container go on; one that was not halted, or is gone, stays so."""
    with suppress(DockerError):
        run(["unpause", container], what="resuming a container", timeout=60)
