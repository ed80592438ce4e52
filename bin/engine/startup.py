"""A container that starts: whether it runs, what is mounted in it, and when it is well."""

import json
import time
from collections.abc import Iterable

from jailoc.bin.engine.containers import LARGE, containers
from jailoc.bin.engine.docker import DockerError, run
from jailoc.bin.engine.door import Call
from jailoc.model.agents.agent import Agent
from jailoc.model.agents.known import stranger
from jailoc.model.sandbox import AGENT, COMPOSE_PROJECT, COMPOSE_SERVICE


def running(project: str, service: str) -> str | None:
    """Return the id of a service's running container.

    Raises:
        DockerError: the engine did not answer.
    """
    labels = (f"{COMPOSE_PROJECT}={project}", f"{COMPOSE_SERVICE}={service}")
    found = run(
        ["ps", "--quiet", "--no-trunc", "--filter", "status=running",
         *(word for label in labels for word in ("--filter", f"label={label}"))],
        what="list containers",
        timeout=30,
    ).split()  # fmt: skip
    return found[0] if found else None


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


def binds(container: str) -> dict[str, str]:
    """Return what of the host is mounted in a container, by its place there."""
    (data,) = json.loads(
        run(["inspect", container], what="inspect container", timeout=30, limit=LARGE)
    )
    return {
        each["Destination"]: each["Source"]
        for each in data.get("Mounts") or []
        if each["Type"] == "bind"
    }
