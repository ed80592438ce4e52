"""Whose engine it is, is told by its own words; silence and nonsense are nobody's."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jailoc.bin.engine import ping

PODMAN = (
    b"HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nServer: Libpod/5.4.2 (linux)\r\n"
    b"Content-Length: 2\r\n\r\nOK"
)
DOCKER = b"HTTP/1.0 200 OK\r\nServer: Docker/28.5.1 (linux)\r\nApi-Version: 1.51\r\n\r\nOK"


@contextmanager
def engine(place: Path, answer: bytes) -> Iterator[list[bytes]]:
    """Answer one question at a socket."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place))
        door.listen()

        def serve() -> None:
            there, _ = door.accept()
            with there:
                asked.append(there.recv(4096))
                with suppress(BrokenPipeError):  # who has heard enough hangs up
                    for at in range(0, len(answer), 20):
                        there.sendall(answer[at : at + 20])

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join(timeout=10)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (PODMAN, True),
        (DOCKER, False),
        (b"", False),
        (b"HTTP/1.0 200 OK\r\n\r\nServer: Libpod/5.4.2", False),
        (b"x" * 1000, False),
        (DOCKER.replace(b"Api", b"X-Before: Libpod/5\r\nApi"), False),
    ],
)
def test_an_engine_names_itself(
    answer: bytes, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with engine(tmp_path / "engine.sock", answer) as asked:
        assert ping.podman() == found
    assert asked[0].startswith(b"GET /_ping HTTP/1.0\r\n")


@pytest.mark.parametrize("host", ["unix:///nowhere/x.sock", "tcp://127.0.0.1:1", "ssh://x.example"])
def test_where_none_answers_there_is_no_podman(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    assert not ping.podman()


def test_an_engine_that_says_nothing_is_waited_for_no_longer_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    monkeypatch.setattr(ping, "PATIENCE", 0.2)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "engine.sock"))
        door.listen()
        began = time.monotonic()
        assert not ping.podman()
        assert time.monotonic() - began < 10


def test_nor_one_that_says_it_byte_by_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    monkeypatch.setattr(ping, "PATIENCE", 0.3)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "engine.sock"))
        door.listen()

        def serve() -> None:
            there, _ = door.accept()
            with there, suppress(OSError):
                for _ in range(200):
                    there.sendall(b"x")
                    time.sleep(0.1)

        thread = threading.Thread(target=serve)
        thread.start()
        began = time.monotonic()
        assert not ping.podman()
        assert time.monotonic() - began < 10
        thread.join(timeout=30)
