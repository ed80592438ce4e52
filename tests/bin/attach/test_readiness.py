"""Waiting for a server: what is waited for, what ends it, and what is said then."""

import base64
import http.client
import http.server
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from jailoc.bin.attach import readiness
from jailoc.bin.engine import containers
from jailoc.bin.engine.containers import Container
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.diagnostic import Refused
from tests.agents import OTHER

PASSWORD = "p:ä'\"\\ $"  # noqa: S105 -- a test's own
DEAD = "http://127.0.0.1:9"


def container(service: str, **changes: object) -> Container:
    given: dict[str, object] = {
        "id": service, "service": service, "project": "jailoc-api", "state": "running",
        "health": "healthy", "exit_code": 0, "ports": (), "started": "", "image": "x",
    }  # fmt: skip
    return Container.model_validate(given | changes)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Container, ...]]:
    """Return what the engine reports, look after look; the last one stays."""
    looks: list[tuple[Container, ...]] = []
    monkeypatch.setattr(
        containers, "containers", lambda project: looks.pop(0) if len(looks) > 1 else looks[0]
    )
    monkeypatch.setattr(containers, "tail", lambda container: "line one\nlast \x1b[2Jwords")
    monkeypatch.setattr(readiness, "INTERVAL", 0.001)
    return looks


def test_a_healthy_server_is_ready_at_once(seen: list[tuple[Container, ...]]) -> None:
    seen.append((container("firewall", ports=(4100,)), container("opencode")))
    found = readiness.wait(Terminal(), "api", OPENCODE_1)
    assert (found.agent.id, found.wall.id, found.port) == ("opencode", "firewall", 4100)


def test_each_thing_that_is_waited_for_is_said_once_in_a_pipe(
    seen: list[tuple[Container, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    wall, agent = container("firewall"), container("opencode", health="starting")
    seen += [
        (container("firewall", health="starting"), container("opencode", state="created")),
        (wall, container("opencode", state="created")),
        (wall, agent), (wall, agent), (wall, agent), (wall, container("opencode")),
    ]  # fmt: skip
    readiness.wait(Terminal(), "api", OPENCODE_1)
    assert capsys.readouterr().err.splitlines() == [
        "waiting for api: the firewall is being set up",
        "waiting for api: the agent's container is being started",
        "waiting for api: its server does not answer yet on port 4096 in the sandbox",
    ]


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ((container("firewall"), container("opencode", state="exited", exit_code=3)),
         "the agent has ended with exit code 3"),
        ((container("firewall"), container("opencode", state="dead", exit_code=137)),
         "the agent has ended with exit code 137"),
        ((container("firewall", state="exited", exit_code=4), container("opencode")),
         "the firewall has ended with exit code 4"),
        ((container("firewall"), container("opencode", health="unhealthy")),
         "the agent is unhealthy"),
        ((container("firewall"),), "the container of the agent is not there"),
    ],
)  # fmt: skip
def test_what_can_no_longer_become_ready_ends_the_waiting_with_its_last_lines(
    seen: list[tuple[Container, ...]],
    capsys: pytest.CaptureFixture[str],
    last: tuple[Container, ...],
    words: str,
) -> None:
    seen += [(container("firewall"), container("opencode", health="starting")), last]
    with pytest.raises(Refused, match=f"workspace `api`: .*{words}"):
        readiness.wait(Terminal(), "api", OPENCODE_1)
    if len(last) == 2:
        assert "line one\n  last \u241b[2Jwords\n" in capsys.readouterr().err


def test_a_server_that_never_answers_is_given_up(seen: list[tuple[Container, ...]]) -> None:
    seen.append((container("firewall"), container("opencode", health="starting")))
    times = iter(range(0, 1000, 30))
    with pytest.raises(Refused, match="did not answer within 90 seconds"):
        readiness.wait(Terminal(), "api", OPENCODE_1, lambda: float(next(times)))


def test_an_interrupt_is_no_timeout(seen: list[tuple[Container, ...]]) -> None:
    seen.append((container("firewall"), container("opencode", health="starting")))
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        readiness.wait(Terminal(), "api", OPENCODE_1)
    timer.join()


class Server(http.server.BaseHTTPRequestHandler):
    """A server that takes one password, as OpenCode's does."""

    def do_GET(self) -> None:
        routes = {"/global/health": "opencode", "/well": "someone"}
        wanted = base64.b64encode(f"{routes.get(self.path)}:{PASSWORD}".encode()).decode()
        known = self.headers["Authorization"] == f"Basic {wanted}"
        self.send_response(200 if known and self.path in routes else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's
        """Say nothing."""


@contextmanager
def server() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as door:
        thread = threading.Thread(target=door.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield door.server_address[1]
        finally:
            door.shutdown()
            thread.join()


def test_a_server_is_asked_directly_whatever_the_proxies_are(
    monkeypatch: pytest.MonkeyPatch, seen: list[tuple[Container, ...]]
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, DEAD)
    with server() as port:
        assert readiness.accepts(port, OPENCODE_1, PASSWORD) is True
        assert readiness.accepts(port, OPENCODE_1, "another") is False
        wall = container("firewall", ports=(port,))
        seen.append((wall, container("opencode", health="starting")))
        assert readiness.wait(Terminal(), "api", OPENCODE_1).port == port
    assert readiness.accepts(port, OPENCODE_1, PASSWORD) is None


def test_a_server_is_asked_on_the_route_and_with_the_user_of_its_agent() -> None:
    with server() as port:
        assert readiness.accepts(port, OTHER, PASSWORD) is True
        swapped = OTHER.model_copy(update={"user": "opencode"})
        assert readiness.accepts(port, swapped, PASSWORD) is False


@contextmanager
def slow(said: bytes, pause: float) -> Iterator[int]:
    """Answer everybody with a few bytes, one after the other, and then for ever with one more."""
    over = threading.Event()

    def answer(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            for each in said:
                peer.sendall(bytes([each]))
                if over.wait(pause):
                    return
            while not over.wait(pause):
                peer.sendall(b"x")

    def serve(door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(door.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=serve, args=(door,), daemon=True)
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            over.set()
            door.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_server_that_drips_its_answer_is_given_up_at_one_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 0.5)
    with slow(b"HTTP/1.1 200", 0.2) as port:
        # The control: a patience that is for each read alone is not at its end by then.
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)) as control:
            control.request("GET", "/")
            stuck = threading.Thread(target=lambda: suppressed(control.getresponse), daemon=True)
            stuck.start()
            stuck.join(1.5)
            assert stuck.is_alive()
        begun = time.monotonic()
        assert readiness.accepts(port, OPENCODE_1, PASSWORD) is None
        assert time.monotonic() - begun < 2


def suppressed(call: Callable[[], object]) -> None:
    with suppress(Exception):
        call()


@pytest.mark.parametrize("said", [b"nonsense\r\n", b"HTTP/1.1 99\r\n", b"HTTP/1.1 2000\r\n", b"\n"])
def test_what_is_no_answer_of_a_server_is_none(said: bytes) -> None:
    with slow(said, 0) as port:
        assert readiness.accepts(port, OPENCODE_1, PASSWORD) is None


def test_an_agent_in_a_network_that_its_wall_has_left_does_not_count_as_running() -> None:
    early, late = "2026-11-26T15:00:00Z", "2026-11-26T15:00:01Z"
    agent = container("opencode", joins="firewall", started=late)
    assert readiness.Services(wall=container("firewall", started=early), agent=agent).running
    cut = agent.model_copy(update={"started": early})
    assert not readiness.Services(wall=container("firewall", started=late), agent=cut).running
