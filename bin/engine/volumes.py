"""Volumes that workspaces share: they are of no project, so that none takes one with it."""

from jailoc.bin.engine.docker import run
from jailoc.model.sandbox import SHARED_LABEL, shared_volume


def share(name: str) -> None:
    """Make a volume that workspaces share, if it is not there.

    Args:
        name: As the configuration has it.
    """
    run(
        ["volume", "create", "--label", f"{SHARED_LABEL}={name}", shared_volume(name)],
        what="making a shared volume",
        timeout=60,
    )
