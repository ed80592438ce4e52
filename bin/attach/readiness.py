"""Wait until a workspace's server answers, and say what is waited for."""

import base64
import re
import socket
import time
from collections.abc import Callable

from jailoc.bin.engine import containers
from jailoc.bin.terminal.status_line import Live
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.agents.agent import Agent
from jailoc.model.agents.known import stranger
from jailoc.model.base import Model
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT, FIRST_PORT, WALL, project, typed

INTERVAL = 0.2
LIMIT = 90.0
"""Seconds; a health check has given its verdict by then."""
PATIENCE = 2.0
"""Seconds that a server may take for one answer, from the first byte that is sent to it."""
LONGEST = 4096
"""Bytes in which the first line of an answer has to end."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r\n]")
OVER = frozenset({"exited", "dead", "removing"})


class Services(Model):
    """The two containers of a workspace that an attached client depends on."""

    wall: containers.Container | None
    agent: containers.Container | None

    @property
    def running(self) -> bool:
        """Tell whether both run, in one network, and neither is known to be unwell."""
        if containers.severed(self.agent, self.wall):
            return False
        return all(
            each is not None and each.state == "running" and each.health != "unhealthy"
            for each in (self.wall, self.agent)
        )

    @property
    def port(self) -> int | None:
        """The host's port that truly leads to the server, whatever the configuration says now."""
        return self.wall.ports[0] if self.wall and self.wall.ports else None


class RunningSandbox(Model):
    """A workspace whose server answers."""

    wall: containers.Container
    agent: containers.Container
    port: int | None


def services(name: str) -> Services:
    """Ask the engine for the containers of a workspace."""
    found = {each.service: each for each in containers.containers(project(name))}
    return Services(wall=found.get(WALL), agent=found.get(AGENT))


def wait(
    terminal: Terminal, name: str, server: Agent, clock: Callable[[], float] = time.monotonic
) -> RunningSandbox:
    """Wait until the server of a workspace that is being started answers.

    Raises:
        Refused: a container has ended or is unwell, its last lines shown; or it took too long.
    """
    start = clock()
    with Live(terminal) as live:
        while True:
            found = services(name)
            wall, agent = found.wall, found.agent
            problem = _problem("firewall", wall) or _problem("agent", agent, server)
            seconds = clock() - start
            if problem is None and seconds > LIMIT:
                problem = f"the server did not answer within {LIMIT:.0f} seconds"
            if problem is not None:
                break
            if wall and agent and _answers(agent, found.port, server):
                return RunningSandbox(wall=wall, agent=agent, port=found.port)
            live.show(f"waiting for {typed(name)}: {_stage(found)}", f" ({seconds:.0f} s)")
            time.sleep(INTERVAL)
    raise _failed(terminal, name, problem, found)


def _problem(
    what: str, container: containers.Container | None, server: Agent | None = None
) -> str | None:
    if container is None:
        return f"the container of the {what} is not there"
    if container.state in OVER:
        return f"the container of the {what} has ended with exit code {container.exit_code}"
    if container.health != "unhealthy":
        return None
    who = stranger(server, container.probed) if server else None
    return f"the {what} is unhealthy" + (f": {who}" if who else "")


def _answers(agent: containers.Container, port: int | None, server: Agent) -> bool:
    """Tell whether the server is there: it says so itself, or answers anything at all."""
    if agent.state != "running":
        return False
    return agent.health in {"healthy", ""} or (
        port is not None and _status(port, server) is not None
    )


def _stage(found: Services) -> str:
    if found.wall is None or found.wall.state != "running" or found.wall.health == "starting":
        return "the firewall is being set up"
    if found.agent is None or found.agent.state != "running":
        return "the agent's container is being started"
    where = f"port {found.port}" if found.port else f"port {FIRST_PORT} in the sandbox"
    return f"its server does not answer yet on {where}"


def _failed(terminal: Terminal, name: str, problem: str, found: Services) -> Refused:
    unwell = found.agent if found.agent and _problem("firewall", found.wall) is None else found.wall
    if unwell and (lines := containers.tail(unwell.id).splitlines()):
        terminal.say(f"the last lines of {unwell.service}:", Meaning.WARNS)
        for line in lines:
            terminal.quote(line)
    return refuse(
        "not-ready",
        f"workspace `{typed(name)}`: {problem}",
        hint=f"see `jailoc logs {typed(name)}`",
    )


def accepts(port: int, server: Agent, password: str) -> bool | None:
    """Tell whether the server takes a password; None if it does not answer."""
    status = _status(port, server, password)
    return None if status is None else not server.health.refuses_login(status)


def _status(port: int, server: Agent, password: str | None = None) -> int | None:
    """Ask the server how it is, never through a proxy; None if nothing answers."""
    lines = [f"GET {server.health.path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
    if password is not None:
        token = base64.b64encode(f"{server.user}:{password}".encode()).decode()
        lines.append(f"Authorization: Basic {token}")
    try:
        return _first_line(port, "".join(f"{each}\r\n" for each in (*lines, "")).encode())
    except OSError:
        return None


def _first_line(port: int, request: bytes) -> int | None:
    """Send a request and return the status in the first line of the answer (RFC 9112).

    All of it may take `PATIENCE` seconds, however slowly its bytes come.

    Raises:
        OSError: nobody listens, the connection breaks, or it takes too long.
    """
    end = time.monotonic() + PATIENCE
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        peer.sendall(request)
        while b"\n" not in found and len(found) < LONGEST:
            left = end - time.monotonic()
            if left <= 0:
                return None
            peer.settimeout(left)
            part = peer.recv(LONGEST)
            if not part:
                break
            found += part
    match = _STATUS.match(found)
    return int(match[1]) if match else None
