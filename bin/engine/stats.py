"""Slower questions to the engine: what containers use, which image a name is, and what it runs on.

docker(1) takes two samples for a share of the CPU, so one call for all containers is made.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from jailoc.bin.engine.docker import DockerError, Endpoint, endpoint, run
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


_FIELDS = ("OperatingSystem", "KernelVersion", "Name", "DockerRootDir")
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
    text = run(["info", "--format", _ABOUT], what=f"asking {asked.source}", timeout=PATIENCE)
    system, kernel, name, root, *security = (each.strip() for each in text.split("\n"))
    return About(system, kernel, name, root, tuple(filter(None, security)))


def platform() -> str:
    """Return the operating system that the engine names; empty where none answers in time."""
    found = about()
    return found.system if found else ""
