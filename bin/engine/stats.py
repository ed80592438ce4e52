"""Slower questions to the engine: what containers use, which image a name is, and what it runs on.

docker(1) takes two samples for a share of the CPU, so one call for all containers is made.
"""

from collections.abc import Iterable

from jailoc.bin.engine.docker import DockerError, run
from jailoc.generators.views.status import usages
from jailoc.model.diagnostic import Refused
from jailoc.model.status import Usage

PATIENCE = 5
"""Seconds to wait for an engine that may not be needed."""


def usage(containers: Iterable[str]) -> dict[str, Usage]:
    """Return what running containers use now, by id; those that stopped meanwhile are missing.

    Raises:
        DockerError: the engine did not say.
    """
    wanted = list(containers)
    if not wanted:
        return {}
    template = "{{json .}}"
    return usages(
        run(
            ["stats", "--no-stream", "--no-trunc", "--format", template, *wanted],
            what="measuring containers",
            timeout=30,
        )
    )


def platform() -> str:
    """Return the operating system that the engine names; empty where none answers in time."""
    try:
        return run(
            ["info", "--format", "{{.OperatingSystem}}"], what="engine's platform", timeout=PATIENCE
        ).strip()
    except (DockerError, Refused):
        return ""
