"""What the engine has made of a project's network."""

import json
from typing import Any

from jailoc.bin.engine.docker import run


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
