"""Where no engine answers, it is said why and what to do, in no other program's words."""

import os
import socket
from pathlib import Path

import pytest

from jailoc.bin.engine import engine_errors
from jailoc.bin.engine.docker import check_engine
from jailoc.bin.engine.endpoint import Endpoint
from jailoc.model.diagnostic import Refused

START = "start Docker"


def said(text: str, address: str = "tcp://build.example:2375", source: str = "DOCKER_HOST") \
        -> tuple[str, str]:  # fmt: skip
    return engine_errors.meaning(text, Endpoint(address, source))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("error during connect: Get \"http://nonsense:2375/v1.50/version\": dial tcp: lookup "
         "nonsense on 192.0.2.1:53: no such host", "no resolver knows the name `nonsense`"),
        ("Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?",
         "nothing answers there"),
        ("dial tcp 192.0.2.1:2375: i/o timeout", "it does not answer in time"),
        ("dial tcp 192.0.2.1:2375: connect: no route to host", "no network leads there"),
        ("http: server gave HTTP response to HTTPS client",
         "it speaks without TLS, and docker asks with it"),
        ("Client sent an HTTP request to an HTTPS server.",
         "it speaks TLS, and docker asks without it"),
        ("x509: certificate signed by unknown authority", "its TLS certificate does not suit"),
        ("something new", "docker says: something new"),
    ],
)  # fmt: skip
def test_each_reason_has_words(text: str, why: str) -> None:
    found, hint = said(text)
    assert found == why
    assert hint.startswith(START)


def test_what_ssh_says_is_told_with_how_to_try_it() -> None:
    text = (
        'error during connect: Get "http://docker.example.com/v1.50/version": command [ssh -l me '
        "-- h docker system dial-stdio] has exited with exit status 255, make sure the URL is "
        "valid, and Docker 18.09 or later is installed on the remote host: stderr=ssh: connect to "
        "host h port 22: Connection refused"
    )
    why, hint = said(text, "ssh://me@h")
    assert why == "ssh says: connect to host h port 22: Connection refused"
    assert "`ssh ssh://me@h docker version`" in hint


@pytest.mark.parametrize("address", ["foo://x", "tcp://127.0.0.1:notaport"])
def test_an_address_that_is_none_is_said_to_be_none(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(Refused) as caught:
        check_engine()
    (problem,) = caught.value.diagnostics
    assert problem.message.endswith("this is no address of an engine")
    assert problem.hint == f"write {engine_errors.ADDRESSES}, or unset DOCKER_HOST"


def test_a_socket_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(name: str) -> str:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / name}")
        with pytest.raises(Refused) as caught:
            check_engine()
        return caught.value.diagnostics[0].message.rpartition(": ")[2]

    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("left")
    assert asked("none") == "there is no such file"
    assert asked("file") == "this is no socket"
    assert asked("left") == "nothing answers there"
    denied = said(
        "Got permission denied while trying to connect", f"unix://{os.fspath(tmp_path)}/left"
    )
    assert denied[0] == "you may not use this socket"
    assert "docker" in denied[1]
