"""What containers use, and what the engine runs on.

A share of the processor takes two samples. Of this machine's containers the kernel is asked, while
other questions are on their way; docker(1) lets a second pass for it.
"""

import time
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from jailoc.bin.engine import cgroup, door
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.docker import DockerError, Endpoint, endpoint, run
from jailoc.generators.views.status import usages
from jailoc.model.diagnostic import Refused
from jailoc.model.size import size
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


class About(NamedTuple):
    """What an engine says of the machine that it runs on."""

    system: str
    """The operating system's name."""
    kernel: str
    """The release of its kernel (uname(2))."""
    name: str
    """The machine's."""
    root: str
    """The directory of the engine's data."""
    security: tuple[str, ...]
    """Such as `name=rootless`."""
    memory: int | None = None
    """Bytes; None if it does not tell."""


_FIELDS = ("OperatingSystem", "KernelVersion", "Name", "DockerRootDir", "MemTotal")
_ABOUT = (
    "".join(f"{{{{.{each}}}}}\n" for each in _FIELDS)
    + "{{range .SecurityOptions}}{{println .}}{{end}}"
)


def about() -> About | None:
    """Return what the engine of this run says of its machine; None if it does not in time."""
    try:
        return _about(endpoint())
    except (DockerError, Refused):
        return None


@cache
def _about(asked: Endpoint) -> About:
    what = f"asking {asked.source}"
    text = run(["info", "--format", _ABOUT], what=what, timeout=PATIENCE)
    told = [each.strip() for each in text.split("\n")]
    if len(told) < len(_FIELDS):
        raise DockerError(what, [], 0, "its answer cannot be read")
    system, kernel, name, root, memory, *security = told
    return About(system, kernel, name, root, tuple(filter(None, security)), size(memory))


def platform() -> str:
    """Return the operating system that the engine names; empty where none answers in time."""
    found = about()
    return found.system if found else ""
