"""Whether an agent can use io_uring(7), whose memory no limit of a container counts.

What waits in a ring also outlives the signal that ends its process, for as long as the kernel works
on it: meanwhile nothing stops or freezes the container.
"""

import re
from pathlib import Path

from jailoc.bin.engine import docker

SETTING = Path("/proc/sys/kernel/io_uring_disabled")
"""0, or from Linux 6.6 on 1 (for root alone) or 2 (for nobody)."""
REFUSED_SINCE = (1, 44)
"""API of Docker Engine 25, whose own seccomp profile has it no more; Podman's has it not."""


def off(setting: Path = SETTING) -> bool:
    """Tell whether this machine's kernel refuses it to whoever is not root."""
    try:
        return int(setting.read_text()) > 0
    except (OSError, ValueError):
        return False


def mend(setting: Path = SETTING) -> str:
    """Return what an administrator can do against it."""
    if setting.exists():
        return "sudo sysctl -w kernel.io_uring_disabled=2"
    return "install Docker Engine 25 or newer"


def passes() -> bool:
    """Tell whether the engine lets an agent's calls through, and this machine's kernel takes them.

    Raises:
        DockerError: the engine does not answer.
    """
    if off() or not docker.endpoint().local or docker.product() is docker.Product.PODMAN:
        return False
    found = re.match(r"(\d+)\.(\d+)", docker.api())
    return found is not None and (int(found[1]), int(found[2])) < REFUSED_SINCE
