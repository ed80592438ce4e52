"""A container that starts: whether it runs, what is mounted in it, and when it is well."""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.engine.container_list import listed
from jailoc.bin.engine.containers import MARGIN, compose, containers
from jailoc.bin.engine.docker import LARGE, DockerError, run, stream
from jailoc.bin.engine.door import Call
from jailoc.model.agents.agent import Agent
from jailoc.model.agents.known import stranger
from jailoc.model.sandbox import AGENT


def running(project: str, service: str) -> str | None:
    """Return the id of a service's running container.

    Raises:
        DockerError: the engine did not answer.
        Refused: a container says that it is one of the project, and is none.
    """
    found = listed(project, ("status=running",))
    return next((each.id for each in found if each.service == service), None)


def wait(project: str, services: Iterable[str], limit: float, server: Agent | None) -> None:
    """Wait until services of a project are healthy; none is started again.

    Args:
        project: The Compose project.
        services: Its services.
        limit: Seconds that it may take.
        server: The agent whose server is waited for, if that is known.

    Raises:
        DockerError: one has ended, is unhealthy, or was not healthy within `limit` seconds.
    """
    what, wanted, deadline = f"starting project {project}", {*services}, time.monotonic() + limit
    while True:
        found = {each.service: each for each in containers(project) if each.service in wanted}
        sick = [f"container {project}-{name}-1 has no state" for name in wanted - found.keys()]
        for name, each in found.items():
            if each.state != "running":
                sick.append(f"container {project}-{name}-1 {each.state} ({each.exit_code})")
            elif each.health == "unhealthy":
                who = stranger(server, each.probed) if server and name == AGENT else None
                sick.append(
                    f"container {project}-{name}-1 is unhealthy" + (f": {who}" if who else "")
                )
        if not sick and all(each.health in {"healthy", ""} for each in found.values()):
            return
        if sick or time.monotonic() > deadline:
            late = f"not healthy within {limit:.0f} seconds"
            raise DockerError(what, Call(("inspect",)).command, 1, "\n".join(sick) or late)
        time.sleep(0.2)


def make(project: str, file: Path, service: str, line: Callable[[str], None]) -> None:
    """Make the container of a service, and those that it needs, where there is none; start none.

    Raises:
        DockerError: the engine refused.
        Refused: a container says that it is one of the project, and is none.
    """
    listed(project, every=True)
    words = ["--ansi", "never", "--progress", "plain", "up", "--no-start", "--no-recreate",
             "--no-build", "--quiet-pull", service]  # fmt: skip
    what = f"making a container of project {project}"
    stream(compose(project, file, words), what=what, line=line, timeout=MARGIN)


def begin(container: str) -> None:
    """Start a container that was made; what it needs runs.

    Raises:
        DockerError: the engine refused.
    """
    run(["start", container], what="starting a container", timeout=MARGIN)


class MountPoint(NamedTuple):
    """A mount of a container."""

    kind: str
    """`bind`, `volume` or `tmpfs`."""
    place: str
    source: str
    """The path on the host, as it was asked for; the name of a volume; else empty."""


def mounts(container: str) -> tuple[MountPoint, ...]:
    """Return what is mounted in a container, or will be once it starts.

    Raises:
        DockerError: the engine did not answer.
    """
    (data,) = json.loads(
        run(["inspect", container], what="inspect container", timeout=30, limit=LARGE)
    )
    host = data.get("HostConfig") or {}
    # Docker Desktop calls the sources of what it mounts otherwise.
    asked = {each["Target"]: each.get("Source") for each in host.get("Mounts") or []}
    found = {
        each["Destination"]: MountPoint(
            each["Type"],
            each["Destination"],
            each.get("Name") if each["Type"] == "volume"
            else asked.get(each["Destination"]) or each.get("Source") or "",
        )
        for each in data.get("Mounts") or []
    }  # fmt: skip
    memory = [each["Target"] for each in host.get("Mounts") or [] if each["Type"] == "tmpfs"]
    for place in (*memory, *(host.get("Tmpfs") or {})):
        found[place] = MountPoint("tmpfs", place, "")
    return tuple(found.values())


def binds(container: str) -> dict[str, str]:
    """Return what of the host is mounted in a container, by its place there."""
    return {each.place: each.source for each in mounts(container) if each.kind == "bind"}
