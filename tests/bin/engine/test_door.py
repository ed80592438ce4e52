"""Every call of docker is bounded, timed and recorded, and may be answered by a stand-in."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc.bin.attach import pty
from jailoc.bin.attach.watchdog import Watch
from jailoc.bin.engine import docker, door
from jailoc.bin.engine.door import Call, Reply
from jailoc.bin.host import log
from jailoc.model.diagnostic import Refused
from tests.engine.world import ROOT, User

FLOOD = "exec head -c 400000000 /dev/zero"


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Open a log of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    log.start(verbose=False)
    yield tmp_path / "cache/jailoc/jailoc.log"
    if log.Journal.log is not None:
        log.Journal.log.close()
    log.Journal.log = None


def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a program named docker first on PATH."""
    script = tmp_path / "fake/docker"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")


def test_what_docker_reads_and_writes_comes_through_whole(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "cat; echo told >&2; exit 3")
    data = os.urandom(500_000)
    reply = door.ask(Call(("x",), os.environ, data))
    assert reply == Reply(3, data, b"told\n")
    assert 'argv="docker x" status=3 seconds=' in journal.read_text()


@pytest.mark.parametrize("redirect", ["", ">&2"])
def test_a_flood_is_ended_and_said_so_and_costs_no_memory(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redirect: str
) -> None:
    fake(tmp_path, monkeypatch, FLOOD + redirect)
    script = """
import resource, sys
from jailoc.bin.engine import docker
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    docker.run(["exec", "x", "cat"], what="reading")
except docker.DockerError as error:
    print(error.cut, error.status, error.tail)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".pkg")},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    said, grown = done.stdout.splitlines()
    assert said == "True 141 it was ended: its answer has more than 1024 KiB"
    assert int(grown) < 32


def test_who_needs_more_says_so(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "exec head -c 3000000 /dev/zero")
    with pytest.raises(docker.DockerError):
        docker.run(["inspect"], what="inspect")
    assert len(docker.run(["inspect"], what="inspect", limit=docker.LARGE)) == 3_000_000


def test_a_docker_that_says_nothing_is_ended_with_its_time(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, f"echo $$ >{tmp_path}/pid; exec sleep 600")
    for ask in (
        lambda: docker.run(["ps"], what="list", timeout=0.5),
        lambda: docker.stream(["ps"], what="list", line=print, timeout=0.5),
    ):
        begin = time.monotonic()
        with pytest.raises(docker.DockerError) as caught:
            ask()
        assert time.monotonic() - begin < 5
        assert (caught.value.status, caught.value.cut) == (124, True)
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)
    text = journal.read_text()
    assert text.count("status=124") == text.count('cut="no answer within 0 seconds"') == 2


def test_what_docker_leaves_behind_is_not_waited_for(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, f"sleep 600 & echo $! >{tmp_path}/pid; echo done")
    try:
        begin = time.monotonic()
        assert docker.run(["ps"], what="list") == "done\n"
        assert time.monotonic() - begin < 10
    finally:
        os.kill(int((tmp_path / "pid").read_text()), 15)


def test_a_stream_comes_line_by_line_and_a_line_without_end_in_parts(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "echo a; echo b >&2; head -c 200000 /dev/zero; exit 4")
    seen: list[str] = []
    with pytest.raises(docker.DockerError) as caught:
        docker.stream(["build"], what="building", line=seen.append)
    assert caught.value.status == 4
    assert seen[:2] == ["a", "b"]
    assert [len(each) for each in seen[2:]] == [65536, 65536, 65536, 200000 - 3 * 65536]


def test_what_is_followed_is_recorded_when_its_reader_has_enough(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "echo one; exec sleep 600")
    running = docker.start(["logs", "--follow", "x"])
    lines = running.lines()
    assert next(lines) == b"one\n"
    running.stop()
    assert list(lines) == []
    assert running.wait() != 0
    assert len(re.findall('argv="docker logs --follow x" status=-15', journal.read_text())) == 1


def watch() -> Watch:
    return Watch(lambda: None)


@pytest.mark.parametrize("standing_in", [False, True])
def test_a_client_on_a_terminal_passes_the_door_and_no_value_is_recorded(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standing_in: bool
) -> None:
    fake(tmp_path, monkeypatch, "printf %s hello; exit 7")
    inner, outer = os.pipe()
    words = ["exec", "--tty", "--env", "TOKEN=s3cret", "box", "client"]
    command: list[list[str]] = []

    def start(argv: list[str], environment: dict[str, str]) -> pty.Ended:
        command.append(argv)
        assert environment["DOCKER_HOST"] == "unix:///nowhere.sock"
        with Path(os.devnull).open("rb") as keys:
            return pty.run(argv, environment, watch(), "hint", keys=keys.fileno(), screen=outer)

    if standing_in:
        with door.answered(lambda call: Reply(7, b"hello")):
            ended = docker.attend(words, start)
    else:
        ended = docker.attend(words, start)
        assert command[0][1:] == words
    os.close(outer)
    with os.fdopen(inner, "rb") as shown:
        assert b"hello" in shown.read()
    assert ended.code == 7
    text = journal.read_text()
    assert 'argv="docker exec --tty --env TOKEN box client" status=7' in text
    assert "s3cret" not in text


def test_a_stand_in_answers_everything_and_docker_is_never_started(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, f"touch {tmp_path}/started")
    calls: list[Call] = []

    def answer(call: Call) -> Reply:
        calls.append(call)
        return Reply(0, b"one\ntwo\n")

    seen: list[str] = []
    with door.answered(answer):
        assert docker.run(["ps"], what="list", stdin=b"data") == "one\ntwo\n"
        docker.stream(["build"], what="build", line=seen.append)
        assert list(docker.start(["logs"]).lines()) == [b"one\n", b"two\n"]
    assert seen == ["one", "two"]
    assert [each.arguments for each in calls] == [("ps",), ("build",), ("logs",)]
    assert calls[0].stdin == b"data"
    assert not (tmp_path / "started").exists()
    docker.run(["ps"], what="list")
    assert (tmp_path / "started").exists()


def test_a_stand_in_is_held_to_the_same_bounds(journal: Path) -> None:
    with (
        door.answered(lambda call: Reply(0, bytes((1 << 20) + 1))),
        pytest.raises(docker.DockerError) as caught,
    ):
        docker.run(["ps"], what="list")
    assert caught.value.cut


def test_without_docker_every_way_says_what_is_missing(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (
        lambda: docker.run(["ps"], what="list"),
        lambda: docker.stream(["ps"], what="list", line=print),
        lambda: docker.start(["ps"]),
        lambda: docker.attend(["ps"], lambda argv, given: pytest.fail("begun")),
    ):
        with pytest.raises(Refused, match="not installed or not on PATH"):
            ask()


def test_many_calls_at_once_end_each_with_its_own_answer(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, 'echo "$1"')
    found: dict[int, str] = {}

    def one(number: int) -> None:
        found[number] = docker.run([str(number)], what="counting")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == {number: f"{number}\n" for number in range(16)}


# How clients of several ages answer; old ones know no `--format json`.
def versions(api: str, compose: str = "2.26.1") -> "door.Answer":
    def answer(call: Call) -> Reply:
        match call.arguments:
            case ("version", "--format", "{{.Server.APIVersion}}"):
                return Reply(0, f"{api}\n".encode())
            case ("version", "--format", template):
                return Reply(0, template.encode())
            case ("compose", "version", "--short"):
                return Reply(0, f"{compose}\n".encode())
        raise AssertionError(call.arguments)

    return answer


@pytest.mark.parametrize(
    ("api", "compose", "code"),
    [
        ("1.41", "2.26.1-4", None),
        ("1.50", "v2.40.0", None),
        ("1.40", "2.26.1", "engine-old"),
        ("json", "2.26.1", "engine"),
        ("", "2.26.1", "engine"),
        ("1.41", "2.19.9", "compose-old"),
    ],
)
def test_the_versions_are_asked_in_a_form_that_every_client_knows(
    journal: Path, api: str, compose: str, code: str | None
) -> None:
    with door.answered(versions(api, compose)):
        if code is None:
            docker.check()
            return
        with pytest.raises(Refused) as caught:
            docker.check()
    assert caught.value.diagnostics[0].code == code


def test_an_engine_that_does_not_answer_is_named(user: User) -> None:
    result = user.run("status", DOCKER_HOST="unix:///nowhere.sock")
    assert result.status == 1
    assert "not accessible at unix:///nowhere.sock (DOCKER_HOST)" in result.stderr
