"""Whether a workspace's agent runs on another engine of this machine than the one of this run.

The engine of a run is what DOCKER_HOST or a context says, and of what runs on another one it tells
nothing: the agent there would go on in the same files, and nobody would know of it any more.
"""

import shlex
from contextlib import suppress

from jailoc.bin.deploy import observe
from jailoc.bin.engine import container_list, containers, docker, door, endpoint
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import AGENT, SIDECAR, project, typed

PATIENCE = 10.0
"""Seconds that the other engine has for its answer."""


def running(name: str) -> str | None:
    """Return the address of another engine that it, or its Docker, runs on; None if there is none.

    It is the one that it was started on last. Of one that does not answer nothing is known; one of
    another machine has other files.

    Raises:
        DockerError: the engine of this run does not answer.
    """
    applied = observe.last(name)
    address = applied.engine.get("DOCKER_HOST", "") if applied else ""
    if applied is None or not address or address == endpoint.endpoint().text:
        return None
    if not endpoint.Endpoint(address, "record").local:
        return None
    kept = {key: value for key, value in docker.environment().items()
            if key not in {"DOCKER_HOST", "DOCKER_CONTEXT", *endpoint.TLS}}  # fmt: skip
    call = tuple(container_list.call(project(name)))
    reply = door.ask(door.Call(call, kept | applied.engine, timeout=PATIENCE))
    if reply.status != 0 or reply.cut:
        return None
    there = {
        each.id
        for each in container_list.read(reply.stdout.decode(errors="replace"))
        if each.service in {AGENT, SIDECAR} and not each.feigned
    }
    if not there:
        return None
    # An engine may have more than one address.
    here = {each.id for each in containers.containers(project(name))}
    return None if there <= here else address


def told(name: str) -> str | None:
    """Say that it runs on another engine; None if that is not so, or nobody can tell."""
    with suppress(docker.DockerError):
        if (address := running(name)) is not None:
            return f"its agent runs on another engine, at {address}"
    return None


def check(name: str) -> None:
    """Refuse to work in the files of an agent that runs on another engine.

    Raises:
        DockerError: the engine of this run does not answer.
        Refused: it does.
    """
    if (address := running(name)) is not None:
        raise refuse(
            "engine-other",
            f"the agent of workspace `{typed(name)}` runs on another engine, at {address}, and can "
            "write in the same files",
            hint=f"`DOCKER_HOST={shlex.quote(address)} jailoc down {typed(name)}` stops it there",
        )
