"""Tell a wall which addresses are the machine's, as far as it cannot see them itself.

They are no generated file: the engine's bridges come and go, and a workspace that has not changed
must not differ because of them. They are renewed whenever a wall loads its rules.
"""

import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jailoc.bin.engine import docker
from jailoc.bin.host import files
from jailoc.model.address import written
from jailoc.model.sandbox import MACHINE_FILE


def hand(directory: Path) -> None:
    """Write the addresses beside the generated files of a wall, where the wall finds them.

    Args:
        directory: Of the workspace's generated files.
    """
    place = directory / MACHINE_FILE
    if place.parent.is_dir():
        every = sorted({*_host(), *_networks()})
        files.write(place, "".join(f"{each}\n" for each in every), 0o644)


def _host() -> Iterator[str]:
    """Yield this machine's addresses, broadcast and anycast ones too, as the kernel has them.

    See proc(5). Elsewhere than on Linux there are none, and the engine's are not this machine's.
    """
    table = _read("/proc/net/fib_trie")
    yield from re.findall(r"\|-- ([0-9.]+)\n\s+/32 (?:host LOCAL|link BROADCAST)", table)
    for name, column in (("if_inet6", 0), ("anycast6", 2)):
        for line in _read(f"/proc/net/{name}").splitlines():
            yield written(ipaddress.IPv6Address(int(line.split()[column], 16)))


def _networks() -> Iterator[str]:
    """Yield the gateways of the engine's networks: its machine may be another one.

    Raises:
        DockerError: the engine does not tell; a wall that knew only some would leave others open.
    """
    for network in _inspected():
        for each in (network.get("IPAM") or {}).get("Config") or []:
            if gateway := each.get("Gateway"):
                yield gateway.partition("/")[0]


def _inspected(tries: int = 5) -> list[dict[str, Any]]:
    listed = docker.run(["network", "ls", "--quiet"], what="list networks", timeout=30).split()
    if not listed:
        return []
    try:
        found: list[dict[str, Any]] = json.loads(
            docker.run(["network", "inspect", *listed], what="inspect networks", timeout=30)
        )
    except docker.DockerError:
        if tries == 1:
            raise
        return _inspected(tries - 1)  # one of them has gone away in between
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
