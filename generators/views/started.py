"""What is said of a workspace that has started: where it is, how to attach, and what is open."""

import re
from collections.abc import Iterable, Iterator

from jailoc.model.address import Network, is_single, written
from jailoc.model.egress import Egress
from jailoc.model.path import tilde
from jailoc.model.published_port import reached
from jailoc.model.sandbox import task_of, typed
from jailoc.model.workspace import Workspace

NAMED = 4
"""So many of what is open are named; the rest is counted."""


def place(workspace: Workspace) -> str:
    """Say where the server of a workspace can be found, in a few words."""
    if not workspace.expose_port:
        return "exec-only, port not exposed"
    return f"on port {workspace.port}"


def started(workspace: Workspace, home: str) -> Iterator[str]:
    """Yield lines: the address, the command to go on with, what runs and listens, what is open."""
    if workspace.expose_port:
        yield f"server: http://127.0.0.1:{workspace.port}"
    yield f"attach: {attach(workspace, home)}"
    if workspace.ports:
        yield f"ports:  {reached((each.published, each.target) for each in workspace.ports)}"
    doors = [_door(each.name, port) for each in workspace.services for port in each.ports]
    if doors:
        yield f"beside: {_some(doors)}"
    yield f"open:   {opened(workspace)}"


def opened(workspace: Workspace) -> str:
    """Say in one line what a workspace may reach."""
    if workspace.egress is Egress.NONE:
        return "nothing"
    named = [_door(each.name, each.port) for each in workspace.allowed_names]
    named += [_door(_network(each.network), each.port) for each in workspace.allowed_networks]
    ports = [str(each.port) for each in workspace.host_ports]
    parts = ["every public address"] if workspace.egress is Egress.PUBLIC else []
    if named:
        parts.append(f"{'' if parts else 'only '}{_some(named)}")
    if ports:
        parts.append(f"of this machine port{'s' * (len(ports) > 1)} {_some(ports)}")
    hosts = [host.text for each in workspace.credentials for host in each.hosts]
    if hosts:
        parts.append(f"with a credential, through the proxy, {_some(hosts)}")
    return "; ".join(parts) or "nothing"


def _network(network: Network) -> str:
    return written(network.network_address if is_single(network) else network)


def _door(text: str, port: int | None) -> str:
    if port is None:
        return text
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def _some(items: Iterable[str]) -> str:
    every = tuple(dict.fromkeys(items))
    more = len(every) - NAMED
    return ", ".join(every[:NAMED]) + (f" and {more} more" if more > 0 else "")


def attach(workspace: Workspace, home: str) -> str:
    """Write the command that opens a client on a workspace, as a shell takes it."""
    for each in () if task_of(workspace.name) else workspace.paths:
        if re.fullmatch(r"[\w@%+=:,./-]+", each.path, re.ASCII):
            return f"jailoc {tilde(each.path, home)}"
    return f"jailoc -w {typed(workspace.name)}"
