"""Remote Dockerfiles: fetched with limits, kept for the compiler."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jailoc.bin.config import facts, remote_dockerfile
from jailoc.bin.deploy import images
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused

PAGES = {
    "/good": (200, b"FROM debian:trixie-slim\n", ""),
    "/moved": (302, b"", "/good"),
    "/loop": (302, b"", "/loop"),
    "/missing": (404, b"no", ""),
    "/created": (201, b"FROM x\n", ""),
    "/exact": (200, b"#" * (1 << 20), ""),
    "/large": (200, b"#" * ((1 << 20) + 1), ""),
    "/binary": (200, b"\xff\xfe", ""),
    "/elsewhere": (302, b"", "ftp://127.0.0.1/x"),
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body, place = PAGES[self.path]
        self.send_response(status)
        if place:
            self.send_header("Location", place)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # a client that has read enough hangs up
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{door.server_port}"
        door.shutdown()


@pytest.mark.parametrize("page", ["/good", "/moved", "/exact"])
def test_a_dockerfile_is_fetched_and_kept_privately(server: str, page: str) -> None:
    remote_dockerfile.fetch(server + page)
    place = facts.fetched(server + page)
    assert place.read_bytes() == PAGES["/good" if page == "/moved" else page][1]
    assert place.stat().st_mode & 0o777 == 0o600


def test_another_text_is_told_by_its_digest(
    server: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server + "/good"
    for _ in range(2):
        images.fetched(Terminal(), url)
    assert "has changed" not in capsys.readouterr().err
    other = b"FROM other\n"
    old, new = (hashlib.sha256(text).hexdigest()[:12] for text in (PAGES["/good"][1], other))
    monkeypatch.setitem(PAGES, "/good", (200, other, ""))
    images.fetched(Terminal(), url)
    said = capsys.readouterr().err
    assert f"{url} has changed: its digest was {old} and is {new}" in said


@pytest.mark.parametrize(
    ("page", "words"),
    [("/missing", "status 404"), ("/created", "status 201"), ("/large", "larger than 1 MiB"),
     ("/binary", "not UTF-8"), ("/loop", "fetch"), ("/elsewhere", "fetch")],
)  # fmt: skip
def test_anything_else_is_refused_and_the_kept_text_stays(
    server: str, page: str, words: str
) -> None:
    url = server + page
    place = facts.fetched(url)
    place.parent.mkdir(parents=True)
    place.write_text("kept")
    with pytest.raises(Refused, match="cannot fetch") as caught:
        remote_dockerfile.fetch(url)
    (found,) = caught.value.diagnostics
    assert url in found.message
    assert words in found.message
    assert place.read_text() == "kept"


def test_no_answer_is_refused(server: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot fetch"):
        remote_dockerfile.fetch("http://127.0.0.1:1/x")
    assert not (tmp_path / ".cache").exists()
