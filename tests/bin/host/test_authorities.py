"""Who has signed what a host shows, seen from a machine with an authority of its own."""

import base64
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jailoc.bin.host import authorities
from jailoc.model.doctor import Signed

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
EXTENSION = "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n"


def openssl(place: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)


def authority(place: Path, name: str) -> Path:
    openssl(place, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.crt", "-days", "2", "-subj", f"/CN={name}")  # fmt: skip
    return place / f"{name}.crt"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two authorities, and a certificate for `localhost` that the first one has signed."""
    made = tmp_path_factory.mktemp("authorities")
    authority(made, "inspecting")
    authority(made, "other")
    (made / "more").write_text(EXTENSION)
    openssl(made, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "host.key", "-out", "host.csr",
            "-subj", "/CN=localhost")  # fmt: skip
    openssl(made, "x509", "-req", "-in", "host.csr", "-CA", "inspecting.crt", "-CAkey",
            "inspecting.key", "-days", "2", "-extfile", "more", "-out", "host.crt")  # fmt: skip
    return made


class Server:
    """Speaks TLS on loopback, or is a proxy that leads to one that does; it keeps what it heard."""

    def __init__(self, place: Path, onward: int | None = None) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(place / "host.crt", place / "host.key")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.onward, self.heard = onward, b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, suppress(OSError):
                    if self.onward is not None:
                        self.heard += connection.recv(4096)
                        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    with self.context.wrap_socket(connection, server_side=True) as tls:
                        self.heard += tls.recv(4096) if self.onward is None else b""


@pytest.fixture
def server(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for each in ("https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    running = Server(place)
    yield running
    running.listener.close()


def test_an_authority_of_the_machines_own_is_found_and_named(server: Server, place: Path) -> None:
    mine = [str(place / "other.crt"), str(place / "inspecting.crt")]
    found = authorities.signer("localhost", server.port, mine)
    assert (found.signed, found.authority) == (Signed.OWN, mine[1])
    assert server.heard == b"", "nothing is asked but the certificate"


def test_one_that_nobody_here_trusts_is_told(server: Server, place: Path) -> None:
    for mine in ([], [str(place / "other.crt")]):
        found = authorities.signer("localhost", server.port, mine)
        assert (found.signed, found.authority) == (Signed.UNKNOWN, "")
        assert found.reason


def test_one_that_every_machine_trusts_is_nobodys_own(
    server: Server, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(place / "inspecting.crt"))  # what OpenSSL trusts
    found = authorities.signer("localhost", server.port, [str(place / "other.crt")])
    assert found.signed is Signed.PUBLIC


def test_a_certificate_for_another_name_is_none(server: Server, place: Path) -> None:
    found = authorities.signer("127.0.0.1", server.port, [str(place / "inspecting.crt")])
    assert found.signed is Signed.UNKNOWN


def test_what_does_not_answer_is_no_judgement(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        found = authorities.signer("localhost", port, [str(place / "other.crt")], patience=0.2)
        assert found.signed is Signed.UNSEEN
    assert authorities.signer("localhost", port, []).signed is Signed.UNSEEN


def test_the_proxy_of_the_environment_is_asked_to_lead_there(
    place: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    proxy = Server(place, onward=server.port)
    monkeypatch.setenv("https_proxy", f"http://me:s%3Acret@127.0.0.1:{proxy.port}")
    # No such port is anywhere: only the proxy can have answered.
    found = authorities.signer("localhost", 1, [str(place / "inspecting.crt")])
    assert found.signed is Signed.OWN
    assert proxy.heard.startswith(b"CONNECT localhost:1 HTTP/1.")
    assert base64.b64encode(b"me:s:cret") in proxy.heard
    monkeypatch.setenv("no_proxy", "localhost")
    assert authorities.signer("localhost", 1, []).signed is Signed.UNSEEN


def test_files_that_hold_no_certificate_are_none(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "anchors/company"
    folder.mkdir(parents=True)
    (folder / "text.crt").write_text("no certificate")
    (folder / "readme.txt").write_text((place / "other.crt").read_text())
    shutil.copy(place / "inspecting.crt", folder / "it.crt")
    monkeypatch.delenv(authorities.VARIABLE, raising=False)
    assert authorities.own([str(tmp_path / "anchors"), "/none"]) == (str(folder / "it.crt"),)
    monkeypatch.setenv(authorities.VARIABLE, str(place / "other.crt"))
    assert authorities.own([]) == (str(place / "other.crt"),)
