"""Which engine a run is about: decided once, from what docker(1) itself goes by, for everything.

`DOCKER_HOST` wins over `DOCKER_CONTEXT`, which wins over the context that `docker context use` has
chosen; without any of them it is the default socket.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from jailoc.bin.engine import door
from jailoc.bin.host import regular
from jailoc.bin.host.unseen import LEASED
from jailoc.model.diagnostic import refuse

DEFAULT = "unix:///var/run/docker.sock"
TIMEOUT = 20
"""Seconds."""
MOST = 16 << 20
"""Bytes of a file of docker's own."""
TLS = ("DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
"""Variables that belong to `DOCKER_HOST`, not to a context."""


class EndpointKind(StrEnum):
    """How an engine is reached."""

    UNIX = "unix"
    TCP = "tcp"
    SSH = "ssh"
    NPIPE = "npipe"


@dataclass(frozen=True)
class Endpoint:
    """An engine's address, and where it comes from."""

    text: str
    """Such as `unix:///var/run/docker.sock` or `ssh://build.example.com`."""
    source: str
    """`DOCKER_HOST`, `context NAME` or `default`."""
    context: str | None = None
    """A context that has to be used by its name, because it holds certificates."""

    @property
    def kind(self) -> EndpointKind:
        """Return how it is reached; plain HTTP is TCP."""
        scheme = self.text.partition("://")[0]
        return EndpointKind(scheme) if scheme in set(EndpointKind) else EndpointKind.TCP

    @property
    def local(self) -> bool:
        """Tell whether the engine sees the files of this machine, as far as the address says.

        A socket or a port of this machine counts as local; it may be a tunnel all the same.
        """
        if self.kind in {EndpointKind.UNIX, EndpointKind.NPIPE}:
            return True
        host = self.text.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
        return self.kind is EndpointKind.TCP and (
            host in {"localhost", "::1"} or host.startswith("127.")
        )

    @property
    def variables(self) -> dict[str, str]:
        """Return what makes docker use it and nothing else."""
        if self.context:
            return {"DOCKER_CONTEXT": self.context}
        return {"DOCKER_HOST": self.text}

    def __str__(self) -> str:
        """Return the address with where it comes from."""
        return f"{self.text} ({self.source})"


def endpoint() -> Endpoint:
    """Return the engine of this run. With `DOCKER_HOST`, or without any context, nobody is asked.

    Raises:
        Refused: the chosen context does not exist, or names no engine.
    """
    names = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "HOME", "PATH")
    return _decide(tuple(os.environ.get(each, "") for each in names))


@cache
def _decide(variables: tuple[str, ...]) -> Endpoint:
    host, context, *_ = variables
    if host:
        return Endpoint(host, "DOCKER_HOST")
    name = context or _current()
    if name in {"", "default"}:
        return Endpoint(DEFAULT, "default")
    found = _inspect(name)
    address = ((found.get("Endpoints") or {}).get("docker") or {}).get("Host")
    if not address:
        raise refuse(
            "docker-context",
            f"the docker context `{name}` names no engine",
            hint=f"look at `docker context inspect {name}`, or set DOCKER_HOST",
        )
    secured = bool((found.get("TLSMaterial") or {}).get("docker"))
    return Endpoint(address, f"context {name}", name if secured else None)


def pinned(variables: dict[str, str]) -> dict[str, str]:
    """Return variables with which docker uses the engine of this run, whatever they said."""
    chosen = endpoint()
    dropped = {"DOCKER_HOST", "DOCKER_CONTEXT"}
    if chosen.source.startswith("context"):
        dropped |= {*TLS}
    return {key: value for key, value in variables.items() if key not in dropped} | chosen.variables


def recorded() -> dict[str, str]:
    """Return what makes docker use the engine of this run in another environment; no secret."""
    chosen = endpoint()
    also = ("DOCKER_CONFIG",) if chosen.source.startswith("context") else TLS
    return chosen.variables | {each: os.environ[each] for each in also if os.environ.get(each)}


def use(variables: dict[str, str]) -> None:
    """Use the engine of an earlier run where the environment of this one names none.

    Args:
        variables: What `recorded` has returned.
    """
    if not os.environ.get("DOCKER_HOST") and not os.environ.get("DOCKER_CONTEXT"):
        known = {"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", *TLS}
        os.environ.update({key: value for key, value in variables.items() if key in known})


def sockets() -> tuple[str, ...]:
    """Return the sockets of all engines that are known here, as they are spelt and really.

    Those of `DOCKER_HOST` and of every context, whichever is in use; docker itself is not asked.
    """
    found = set()
    for address in (os.environ.get("DOCKER_HOST", ""), *_contexts()):
        if address.startswith("unix:///"):
            path = os.path.normpath(address.removeprefix("unix://"))
            found |= {path, os.path.realpath(path)}
    return tuple(sorted(found))


def desktop() -> bool:
    """Tell whether what docker goes by is Docker Desktop on Linux; nobody is asked."""
    chosen = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT") or _current()
    return chosen == "desktop-linux" or "/.docker/desktop/" in chosen


def settings_folder() -> Path | None:
    """Return the directory of docker's own configuration."""
    chosen, home = os.environ.get("DOCKER_CONFIG"), os.environ.get("HOME")
    return Path(chosen) if chosen else Path(home, ".docker") if home else None


def settings(folder: Path) -> dict[str, Any]:
    """Return what docker's own configuration in a directory says."""
    return _json(folder / "config.json")


def _current() -> str:
    """Return the name of the context that was chosen with `docker context use`."""
    folder = settings_folder()
    data = settings(folder) if folder else {}
    name = data.get("currentContext")
    return name if isinstance(name, str) else ""


def unasked() -> str:
    """Return the address of the engine of this run as files have it; docker itself is not asked.

    Empty if the chosen context names none.
    """
    if host := os.environ.get("DOCKER_HOST"):
        return host
    name, folder = os.environ.get("DOCKER_CONTEXT") or _current(), settings_folder()
    if name in {"", "default"} or folder is None:
        return DEFAULT
    # docker finds a context by the digest of its name.
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
    return _address(folder / "contexts" / "meta" / digest / "meta.json")


def _contexts() -> Iterator[str]:
    folder = settings_folder()
    for place in sorted((folder / "contexts" / "meta").glob("*/meta.json")) if folder else ():
        if address := _address(place):
            yield address


def _address(place: Path) -> str:
    """Return the address in the file of a context; empty if it has none."""
    endpoints = _json(place).get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    address = docker.get("Host") if isinstance(docker, dict) else None
    return address if isinstance(address, str) else ""


def _json(place: Path) -> dict[str, Any]:
    """Return a table from a file; what is none is empty, since docker itself will say so.

    Raises:
        Refused: a program keeps it from being read, so that nobody knows what docker would do.
    """
    try:
        data = json.loads(regular.read(str(place), MOST))
    except BlockingIOError:
        raise refuse(
            "leases",
            f"`{place}` cannot be read: {LEASED}",
            hint="stop the sandbox whose agent does so: `jailoc down NAME`",
        ) from None
    except (OSError, ValueError, RecursionError, regular.NotRegular):
        return {}
    return data if isinstance(data, dict) else {}


def _inspect(name: str) -> dict[str, Any]:
    """Ask docker about a context."""
    call = door.Call(("context", "inspect", "--", name), dict(os.environ), timeout=TIMEOUT)
    reply = door.ask(call)
    try:
        (found,) = json.loads(reply.stdout) if reply.status == 0 else (None,)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found:
        raise refuse(
            "docker-context",
            f"docker has no context `{name}`, which "
            f"{'DOCKER_CONTEXT' if os.environ.get('DOCKER_CONTEXT') else 'its configuration'} "
            "chooses",
            hint="see `docker context ls`, or set DOCKER_HOST",
        )
    return found
