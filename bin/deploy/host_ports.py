"""Whether the ports of this machine that a workspace publishes can be had, and who has them."""

import errno
import socket
from contextlib import suppress

from jailoc.bin.deploy import projects
from jailoc.bin.engine import container_list, containers, docker
from jailoc.bin.engine.listeners import publishing
from jailoc.bin.host.listener import listener
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Port
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.sandbox import FIRST_PORT, WALL, workspace_of


def check(bundle: Bundle) -> bool:
    """Refuse ports that somebody else holds, before anything is written.

    Returns:
        Whether the workspace itself has one, and so runs.

    Raises:
        Refused: naming the holder of each, as far as it can be known.
    """
    ports, own = bundle.compose.services[WALL].ports, bundle.compose.name
    if not ports:
        return False
    filters = (f"publish={each.published}/tcp" for each in ports)
    holders: set[str] = set()
    with suppress(docker.DockerError):  # Podman has no such filter
        holders = {each.project for each in container_list.listed(filters=filters)}
    if len(ports) == 1 and holders == {own}:
        return True
    running = [each for each in containers.containers() if each.state == "running"]
    found = (_taken(port, bundle, running) for port in ports)
    if problems := tuple(each for each in found if each is not None):
        raise Refused(problems)
    wanted = {each.published for each in ports}
    return any(
        each.project == own and wanted & {binding.port for binding in each.published}
        for each in running
    )


PORTS = 1 << 16
"""The number of ports."""


def possible(bundle: Bundle) -> None:
    """Make sure that a workspace can be started here: an engine, its Compose, the ports.

    Raises:
        Refused: with what is missing, or who holds a port.
    """
    docker.check_engine()
    if not check(bundle):
        docker.check_compose()


def _taken(port: Port, bundle: Bundle, running: list[containers.Container]) -> Diagnostic | None:
    server = port.target == FIRST_PORT
    holders = [
        each for each in running if port.published in {binding.port for binding in each.published}
    ]
    other = next((each for each in holders if each.project != bundle.compose.name), None)
    if other is not None:
        workspace = workspace_of(other.project)
        held = {binding.port for each in running for binding in each.published}
        other_port = next(
            (
                each
                for each in range(port.published + 1, PORTS)
                if each not in held and is_free(each)
            ),
            port.published,
        )
        mine = bundle.workspace
        own = (
            f"`port = {other_port}` in [workspaces.{mine}]"
            if server
            else f'`ports = ["{other_port}:{port.target}"]` in [workspaces.{mine}]'
        )
        return Diagnostic(
            code="port-taken",
            where=port.origin,
            message=f"port {port.published} is published by the running workspace `{workspace}`",
            hint=f"write {own}, or run `jailoc down {workspace}` first"
            if projects.own(workspace or "", {other.service: other})
            else f"write {own}: that workspace is another user's",
        )
    if holders or is_free(port.published):
        return None
    holder = _holder(port.published)
    return Diagnostic(
        code="port-taken",
        where=port.origin,
        message=f"port {port.published} on 127.0.0.1 is taken by another program"
        f"{f': {holder}' if holder else ''}",
        hint="stop that program, set another `port`, or set expose_port = false"
        if server
        else f'stop that program, or publish another port: ports = ["HOST:{port.target}"]',
    )


def is_free(port: int) -> bool:
    """Tell whether nothing listens on a port of the host's loopback address.

    Of another machine's that is not known before its engine tries.
    """
    if not docker.endpoint().local:
        return True
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            # Whoever runs jailoc may not have what the engine may, such as a port below 1024.
            return error.errno != errno.EADDRINUSE
    return True


def _holder(port: int) -> str | None:
    """Name who has a port: a container of the same engine, else a program of this machine."""
    try:
        names = publishing(port)
    except docker.DockerError:
        names = ()
    return f"the container `{names[0]}`" if names else listener(port)
