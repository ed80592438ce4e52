"""The notice of a newer release: only for people, never waited for, never asked for twice a day."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pexpect
import pytest

from jailoc import __version__
from jailoc.bin.cli import update
from jailoc.bin.cli.update import DAY, UpdateCheck
from tests.engine.world import User
from tests.programs import environment

NOW = 1_800_000_000.0


@dataclass
class Server:
    """A release page of the test's own, and who asked for it."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"tag_name": "v2.0.0"}'
    requests: list[dict[str, str]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server()
    state.gate.set()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(dict(self.headers))
            state.gate.wait(30)
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as door:
        threading.Thread(target=door.serve_forever, args=(0.01,), daemon=True).start()
        state.url = f"http://127.0.0.1:{door.server_port}"
        yield state
        state.gate.set()
        door.shutdown()


@dataclass
class Runs:
    """Runs of one installation, at times of the test's choice."""

    path: Path
    server: Server
    capture: pytest.CaptureFixture[str]

    def __call__(self, current: str = "1.0.0", now: float = NOW) -> str:
        """Let a run end when its question is answered, and return what it said."""
        check = UpdateCheck(self.path, current=current, url=self.server.url, clock=lambda: now)
        if check.thread is not None:
            check.thread.join(30)
        check.finish()
        return self.capture.readouterr().err

    def state(self) -> dict[str, str] | None:
        return json.loads(self.path.read_text()) if self.path.exists() else None


@pytest.fixture
def runs(tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> Runs:
    return Runs(tmp_path / "jailoc/update-state.json", server, capsys)


def test_a_newer_release_is_told_and_asked_for_once_a_day(runs: Runs) -> None:
    blank, words, page = runs().split("\n")[:3]
    assert (blank, page) == ("", update.PAGE)
    assert words == "A new release of jailoc: 1.0.0 → 2.0.0"
    assert runs.state() == {"checked_at": "2027-01-15T08:00:00+00:00", "latest_version": "v2.0.0"}
    assert runs.path.stat().st_mode & 0o777 == 0o600
    assert "2.0.0" in runs(now=NOW + DAY - 1)
    assert len(runs.server.requests) == 1
    assert "2.0.0" in runs(now=NOW + DAY)
    assert len(runs.server.requests) == 2


def test_the_question_says_who_asks(runs: Runs) -> None:
    runs()
    (headers,) = runs.server.requests
    assert headers["User-Agent"] == f"jailoc/{__version__}"
    assert headers["Accept"] == "application/vnd.github+json"


@pytest.mark.parametrize("current", ["2.0.0", "2.0.1", "10.0"])
def test_nothing_is_said_if_nothing_is_newer(runs: Runs, current: str) -> None:
    assert runs(current) == ""
    assert len(runs.server.requests) == 1


@pytest.mark.parametrize("current", ["dev", "(devel)", "0123abc", "", "1.0.dev3", "2.0.0rc1"])
def test_a_version_that_is_none_to_compare_asks_nothing(runs: Runs, current: str) -> None:
    assert runs(current) == ""
    assert runs.server.requests == []
    assert runs.state() is None


def test_a_pre_release_is_kept_and_never_told(runs: Runs) -> None:
    runs.server.body = b'{"tag_name": "v3.0.0-rc1"}'
    assert runs() == ""
    assert runs() == ""
    state = runs.state()
    assert state is not None
    assert state["latest_version"] == "v3.0.0-rc1"
    assert len(runs.server.requests) == 1


FAILURES = [
    (500, b"{}"), (404, b"{}"), (201, b'{"tag_name": "v2.0.0"}'), (200, b"no json"), (200, b"{}"),
    (200, b'{"tag_name": ""}'), (200, b'{"tag_name": 3}'), (200, b'{"tag_name": "nightly"}'),
    (200, b" " * (1 << 20) + b'{"tag_name": "v2.0.0"}'), (200, b'["v2.0.0"]'),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), FAILURES)
def test_a_failure_with_nothing_known_writes_nothing(runs: Runs, status: int, body: bytes) -> None:
    runs.server.status, runs.server.body = status, body
    assert runs() == ""
    assert runs.state() is None
    runs()
    assert len(runs.server.requests) == 2, "asked again by the next run"


@pytest.mark.parametrize(("status", "body"), FAILURES[:4])
def test_a_failure_with_something_known_asks_again_tomorrow(
    runs: Runs, status: int, body: bytes
) -> None:
    runs()
    runs.server.status, runs.server.body = status, body
    assert runs(now=NOW + DAY) == ""
    state = runs.state()
    assert state == {"checked_at": "2027-01-16T08:00:00+00:00", "latest_version": "v2.0.0"}
    assert "2.0.0" in runs(now=NOW + DAY + 1)
    assert len(runs.server.requests) == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"checked_at": "2100-01-01T00:00:00Z", "latest_version": "v1.5"}',
        '{"checked_at": "0001-01-01T00:00:00Z", "latest_version": "v1.5"}',
        '{"checked_at": "2027-01-15T07:00:00Z", "latest_version": ""}',
        '{"checked_at": "2027-01-15T07:00:00Z", "latest_version": 7}',
        '{"checked_at": "yesterday", "latest_version": "v1.5"}',
        "{", "[]", "",
    ],
)  # fmt: skip
def test_a_state_of_the_future_or_of_no_sense_counts_as_none(runs: Runs, text: str) -> None:
    runs.path.parent.mkdir()
    runs.path.write_text(text)
    assert "→ 2.0.0" in runs()
    assert len(runs.server.requests) == 1


def test_a_state_that_cannot_be_written_is_nobodys_concern(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.path.parent.write_text("a file in the way")
    monkeypatch.setattr(update, "wanted", lambda: True)
    monkeypatch.setattr(update, "LATEST", runs.server.url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(runs.path.parent.parent))
    with update.notice(["status"]):
        pass
    assert runs.capture.readouterr().err == ""


def test_an_answer_that_is_not_there_yet_is_not_waited_for(runs: Runs) -> None:
    runs.server.gate.clear()
    check = UpdateCheck(runs.path, current="1.0.0", url=runs.server.url, clock=lambda: NOW)
    check.finish()
    assert check.thread is not None
    assert check.thread.is_alive()
    assert check.thread.daemon, "it must not keep the process"
    assert runs.capture.readouterr().err == ""
    assert runs.state() is None


@pytest.mark.parametrize("name", update.OFF)
def test_a_variable_switches_it_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for each in update.OFF:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert update.wanted()
    monkeypatch.setenv(name, "")
    assert update.wanted()
    monkeypatch.setenv(name, "1")
    assert not update.wanted()


WITH = """
import sys
from jailoc.bin.cli import update
from jailoc.bin.cli.main import run
first = update.UpdateCheck.__init__
def begin(self, path):
    first(self, path, current="1.0.0", url=sys.argv[1])
    self.thread and self.thread.join(30)
update.UpdateCheck.__init__ = begin
sys.exit(run(sys.argv[2:]))
"""
"""jailoc with the address of the test's page in place of ours; it gives the answer its time."""


def on_terminal(user: User, server: Server, *arguments: str, **more: str) -> str:
    """Run jailoc where somebody looks on, and return what they see, less its colours."""
    child = pexpect.spawn(sys.executable, ["-c", WITH, server.url, *arguments],
                          env=environment(user, **more), encoding="utf-8", timeout=60)  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    return re.sub(r"\x1b\[[0-9;]*m", "", str(child.before))


@pytest.mark.parametrize("line", ["config", "--help", "--version", "config nobody", "--bogus"])
def test_on_a_terminal_the_notice_comes_last_after_an_error_too(
    user: User, server: Server, line: str
) -> None:
    seen = on_terminal(user, server, *line.split())
    end = f"\r\n\r\nA new release of jailoc: 1.0.0 → 2.0.0\r\n{update.PAGE}\r\n"
    assert seen.endswith(end)
    assert len(server.requests) == 1


@pytest.mark.parametrize("line", ["completion bash", "__complete up "])
def test_a_shell_that_asks_for_completions_is_told_nothing(
    user: User, server: Server, line: str
) -> None:
    assert "release" not in on_terminal(user, server, *line.split(" "))
    assert server.requests == []


@pytest.mark.parametrize("name", update.OFF)
def test_on_a_terminal_a_variable_switches_it_off(user: User, server: Server, name: str) -> None:
    assert "release" not in on_terminal(user, server, "config", **{name: "1"})
    assert server.requests == []


def test_nothing_is_asked_where_standard_error_is_no_terminal(user: User, server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH, server.url, "config"], env=environment(user),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert server.requests == []
    assert not (user.home / ".cache/jailoc/update-state.json").exists()
