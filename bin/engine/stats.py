"""What containers use, and what the engine runs on.

A share of the processor takes two samples. Of this machine's containers the kernel is asked, while
other questions are on their way; docker(1) lets a second pass for it.
"""

import time
from collections.abc import Iterable

from jailoc.bin.engine import cgroup, door
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.docker import DockerError, endpoint, run
from jailoc.generators.views.status import usages
from jailoc.model.diagnostic import Refused
from jailoc.model.status import Usage

BETWEEN = 0.2
"""Seconds from one sample of the kernel's counters to the next."""
PATIENCE = 5
"""Seconds to wait for an engine that may not be needed."""


def usage(containers: Iterable[Container]) -> dict[str, Usage]:
    """Return what running containers use now, by id; those that stopped meanwhile are missing.

    Raises:
        DockerError: the engine did not say.
    """
    wanted = {each.id: each for each in containers}
    if not wanted:
        return {}
    found = _here(wanted)
    return measured(wanted) if found is None else found


def _here(wanted: dict[str, Container]) -> dict[str, Usage] | None:
    """Return what containers of this machine use; None if they are another's, or not to be seen."""
    if door.replaced() or not endpoint().local:
        return None
    first = {id_: cgroup.sample(id_, each.process) for id_, each in wanted.items()}
    if None in first.values():
        return None
    time.sleep(BETWEEN)
    return {
        id_: cgroup.share(before, after)
        for id_, before in first.items()
        if before and (after := cgroup.sample(id_, wanted[id_].process))
    }


def measured(containers: Iterable[str]) -> dict[str, Usage]:
    """Return what running containers use now, by id, as docker(1) measures it: for two seconds.

    Raises:
        DockerError: the engine did not say.
    """
    template = "{{json .}}"
    return usages(
        run(
            ["stats", "--no-stream", "--no-trunc", "--format", template, *containers],
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
