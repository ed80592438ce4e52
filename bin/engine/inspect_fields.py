"""Parts of what `docker inspect` says of a container: ports, limits, its last health check."""

from collections.abc import Iterator
from typing import Any

from jailoc.model.agents.agent import ANSWER_SHOWN
from jailoc.model.base import Model


class Binding(Model):
    """A port of the host that leads to one of a container."""

    address: str
    """Of the host; empty for all of them."""
    port: int
    inside: int


def published(ports: dict[str, Any]) -> Iterator[Binding]:
    """Read the ports that are published now; one that is exposed alone has no bindings."""
    for inside, bindings in ports.items():
        number = inside.partition("/")[0]
        for each in bindings or []:
            if each.get("HostPort"):
                yield Binding(
                    address=each.get("HostIp") or "", port=int(each["HostPort"]), inside=int(number)
                )


def writable(data: dict[str, Any]) -> Iterator[str]:
    """Yield the places of the host that a container can change, as they were asked for."""
    wanted = (data.get("HostConfig") or {}).get("Mounts") or []
    # Docker Desktop calls the sources of what it mounts otherwise.
    asked = {each["Target"]: each.get("Source") for each in wanted}
    for each in data.get("Mounts") or []:
        if each.get("Type") == "bind" and each.get("RW", True):
            yield asked.get(each["Destination"]) or each["Source"]


def health(told: dict[str, Any]) -> str:
    """Return what the engine says of a container's health.

    It calls one unhealthy that was halted, until it has asked again, though no check has failed.
    """
    status = str(told.get("Status", ""))
    unasked = status == "unhealthy" and told.get("FailingStreak") == 0
    return "starting" if unasked else status


def probed(health: dict[str, Any]) -> str:
    """Return what the last health check wrote, of whoever answered it; bounded."""
    log = health.get("Log") or []
    return str(log[-1].get("Output", ""))[:ANSWER_SHOWN] if log else ""


def cpus(host: dict[str, Any]) -> float | None:
    """Return how many processors a container may use; None without a limit."""
    if nanos := host.get("NanoCpus"):
        return float(nanos) / 1e9
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or 0
    return quota / period if quota > 0 and period > 0 else None
