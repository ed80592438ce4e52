"""What an engine says when it cannot make a network, in words that say what to do."""

import re

from jailoc.bin.engine.docker import DockerError
from jailoc.model.diagnostic import Refused, refuse

_FULL = re.compile(
    r"non-overlapping IPv4 address pool|address pools have been fully subnetted|"
    r"could not find free subnet"
)
_OVERLAP = re.compile(r"Pool overlaps with other one|networks have overlapping IPv4|"
                      r"subnet .* is already used")  # fmt: skip
_MTU = re.compile(r"\bmtu\b.*(invalid|range|argument)|(invalid|failed).*\bmtu\b", re.IGNORECASE)


def translated(error: DockerError, workspace: str) -> Refused | None:
    """Return what the failure of a start means, if it is about the network; else None."""
    key = f"[workspaces.{workspace}.network]"
    if _FULL.search(error.tail):
        return refuse(
            "network-pools",
            "the engine has no network left to give out: all of its address pools are in use, or "
            "lie in routes of this machine (a VPN's, for example)",
            hint=f'choose one that nothing else has: subnet = "10.200.0.0/24" in {key}; '
            "`docker network prune` removes what no container uses",
        )
    if _OVERLAP.search(error.tail):
        return refuse(
            "network-overlap",
            "the engine cannot make the sandbox's network: another one has some of its addresses, "
            "of IPv4 or of IPv6",
            hint="`docker network inspect $(docker network ls --quiet)` shows which has the "
            f"`Subnet` of this one (`jailoc render`): remove that, or choose another `subnet` in "
            f"{key} for IPv4",
        )
    if _MTU.search(error.tail):
        return refuse(
            "network-mtu",
            "the engine cannot make a network with this size of packets",
            hint=f"choose another `mtu` in {key}, or leave it out",
        )
    return None
