"""What `docker inspect` says of one container."""

import json
from typing import Any

from jailoc.bin.engine.docker import LARGE, run
from jailoc.generators.artefacts.container_fields import anonymous


def _anonymous(mount: dict[str, Any]) -> bool:
    return mount["Type"] == "volume" and anonymous(mount.get("Name") or "")


def own_volumes(container: str) -> frozenset[str]:
    """Return where volumes lie that an image asks for; they are the container's alone."""
    mounts = _inspected(container).get("Mounts") or []
    return frozenset(each["Destination"] for each in mounts if _anonymous(each))


def addresses(container: str) -> frozenset[str]:
    """Return the addresses of a container on its networks."""
    networks = _inspected(container)["NetworkSettings"]["Networks"].values()
    return frozenset(
        each[key] for each in networks for key in ("IPAddress", "GlobalIPv6Address") if each[key]
    )


def _inspected(container: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(
        run(["inspect", container], what="inspect container", timeout=30, limit=LARGE)
    )
    return found[0]
