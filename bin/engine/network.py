"""What the engine has made of a project's network, and its end."""

import json
import time
from typing import Any

from jailoc.bin.engine.docker import DockerError, run

TRIES = 6
BETWEEN = 0.5
"""Seconds between two tries to remove one."""


def settings(project: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the size of packets that the network was made with, and its subnets.

    Raises:
        DockerError: there is no such network, or the engine did not answer.
    """
    text = run(["network", "inspect", f"{project}_jailoc"], what="inspect network", timeout=30)
    data: dict[str, Any] = json.loads(text)[0]
    options, pools = data.get("Options") or {}, (data.get("IPAM") or {}).get("Config") or []
    # Podman has a name of its own.
    mtu = options.get("com.docker.network.driver.mtu") or options.get("mtu")
    return mtu, tuple(str(each.get("Subnet")) for each in pools)


def remove(name: str) -> None:
    """Remove a network that no container uses.

    An engine that is busy counts a container for a moment that is gone already.

    Raises:
        DockerError: it could not be removed.
    """
    for left in reversed(range(TRIES)):
        try:
            run(["network", "rm", name], what="remove network", timeout=60)
        except DockerError as error:
            if not left or "has active endpoints" not in error.tail:
                raise
            time.sleep(BETWEEN)
        else:
            return
