"""One engine a run: which it is, and that docker is asked only where an engine is needed."""

import json
import os
import shutil
from pathlib import Path

import pytest

from jailoc.bin.engine import endpoint as endpoints
from jailoc.bin.engine.endpoint import DEFAULT, Endpoint, EndpointKind
from jailoc.model.diagnostic import Refused
from tests.engine.world import User

NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home without any choice, and a docker that must not be asked."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", *endpoints.TLS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(fake(tmp_path / "forbidden", "exit 64")))
    return tmp_path


def fake(folder: Path, body: str) -> Path:
    folder.mkdir()
    script = folder / "docker"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return folder


def context(home: Path, name: str, host: str) -> None:
    """Write a context as docker keeps it (docs: manage docker contexts)."""
    place = home / ".docker/contexts/meta" / name
    place.mkdir(parents=True)
    data = {"Name": name, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (place / "meta.json").write_text(json.dumps(data))


def inspecting(home: Path, monkeypatch: pytest.MonkeyPatch, data: object) -> None:
    (home / "answer.json").write_text(json.dumps(data))
    folder = fake(home / "inspecting", f'echo "$@" >>{home}/asked; cat {home}/answer.json')
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_without_any_choice_it_is_the_default_socket_and_nobody_is_asked(home: Path) -> None:
    assert endpoints.endpoint() == Endpoint(DEFAULT, "default")
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text('{"currentContext": "default"}')
    assert endpoints.endpoint().source == "default"


def test_docker_host_wins_and_nobody_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://build.example.com")
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    found = endpoints.endpoint()
    assert (found.text, found.source) == ("ssh://build.example.com", "DOCKER_HOST")
    kept = endpoints.pinned(dict(os.environ) | {"DOCKER_CERT_PATH": "/c"})
    assert kept["DOCKER_HOST"] == "ssh://build.example.com"
    assert kept["DOCKER_CERT_PATH"] == "/c"
    assert "DOCKER_CONTEXT" not in kept


def test_docker_desktop_is_known_without_asking(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not endpoints.desktop()
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text('{"currentContext": "desktop-linux"}')
    assert endpoints.desktop()
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert not endpoints.desktop()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/.docker/desktop/docker.sock")
    assert endpoints.desktop()


def test_a_chosen_context_becomes_an_address(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inspecting(home, monkeypatch, [{"Endpoints": {"docker": {"Host": "unix:///srv/e.sock"}}}])
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text('{"currentContext": "mine"}')
    found = endpoints.endpoint()
    assert str(found) == "unix:///srv/e.sock (context mine)"
    assert (home / "asked").read_text() == "context inspect -- mine\n"
    monkeypatch.setenv("DOCKER_CONTEXT", "theirs")
    assert endpoints.endpoint().source == "context theirs"
    kept = endpoints.pinned({"DOCKER_TLS_VERIFY": "1", "DOCKER_CONTEXT": "x", "A": "1"})
    assert kept == {"A": "1", "DOCKER_HOST": "unix:///srv/e.sock"}


def test_a_context_with_certificates_is_used_by_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspecting(
        home,
        monkeypatch,
        [{"Endpoints": {"docker": {"Host": "tcp://e.example:2376"}},
          "TLSMaterial": {"docker": ["ca.pem"]}}],
    )  # fmt: skip
    monkeypatch.setenv("DOCKER_CONTEXT", "secured")
    assert endpoints.pinned({"DOCKER_HOST": ""}) == {"DOCKER_CONTEXT": "secured"}
    assert endpoints.endpoint().kind is EndpointKind.TCP
    assert not endpoints.endpoint().local


@pytest.mark.parametrize("answer", [[], [{}], {}, "x", [{"Endpoints": {"docker": {"Host": ""}}}]])
def test_a_context_without_an_engine_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    inspecting(home, monkeypatch, answer)
    monkeypatch.setenv("DOCKER_CONTEXT", "odd")
    with pytest.raises(Refused, match="odd"):
        endpoints.endpoint()


@pytest.mark.parametrize(
    ("address", "kind", "local"),
    [
        ("unix:///run/docker.sock", EndpointKind.UNIX, True),
        ("npipe:////./pipe/docker_engine", EndpointKind.NPIPE, True),
        ("tcp://127.0.0.1:2375", EndpointKind.TCP, True),
        ("tcp://[::1]:2375", EndpointKind.TCP, True),
        ("tcp://localhost:2375/", EndpointKind.TCP, True),
        ("tcp://build.example.com:2376", EndpointKind.TCP, False),
        ("ssh://root@127.0.0.1:22", EndpointKind.SSH, False),
        ("http://build.example.com", EndpointKind.TCP, False),
    ],
)
def test_an_endpoint_says_how_it_is_reached_and_whether_it_is_here(
    address: str, kind: EndpointKind, local: bool
) -> None:
    found = Endpoint(address, "DOCKER_HOST")
    assert (found.kind, found.local) == (kind, local)


def test_the_sockets_of_all_contexts_are_known_without_asking(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context(home, "a", "unix:///srv/a/engine")
    context(home, "b", "unix:///srv/b//engine")
    context(home, "far", "ssh://far.example.com")
    for name, text in (("broken", "{"), ("odd", "[]"), ("odder", '{"Endpoints": []}')):
        (home / f".docker/contexts/meta/{name}").mkdir()
        (home / f".docker/contexts/meta/{name}/meta.json").write_text(text)
    assert endpoints.sockets() == ("/srv/a/engine", "/srv/b/engine")
    monkeypatch.setenv("DOCKER_HOST", "unix:///srv/c")
    assert "/srv/c" in endpoints.sockets()


def test_a_context_s_socket_is_never_mounted(user: User) -> None:
    context(user.home, "a", "unix:///srv/engine/api")
    user.write('[workspaces.a]\nmounts = ["/srv/engine/api:/api"]\n')
    result = user.run("validate", DOCKER_HOST="")
    assert result.status == 1
    assert "is an engine's socket" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("validate",), ("config",), ("render",), ("schema",),
     ("explain", "a", "10.0.0.1"), ("render", "--out", "out"), ("golden", "check", ".")],
    ids=" ".join,
)  # fmt: skip
def test_commands_without_an_engine_never_ask_docker(
    user: User, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    folder = fake(tmp_path / "fake", f'echo "$@" >>{tmp_path}/asked')
    context(user.home, "a", "unix:///srv/engine/api")
    (user.home / ".docker/config.json").write_text('{"currentContext": "a"}')
    user.write("[workspaces.a]\n")
    result = user.run(*arguments, PATH=f"{folder}:{os.environ['PATH']}", DOCKER_HOST="")
    assert result.status in {0, 2}, result.stderr
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(("host", "asked"), [(NOWHERE, 0), ("", 1)])
def test_the_context_is_looked_up_once_and_not_at_all_with_docker_host(
    user: User, tmp_path: Path, host: str, asked: int
) -> None:
    real = shutil.which("docker")
    if real is None:
        pytest.skip("no docker command")
    folder = fake(tmp_path / "fake", f'echo "$@" >>{tmp_path}/asked\nexec {real} "$@"')
    context(user.home, "a", NOWHERE)
    # docker finds a context by the digest of its name.
    meta = user.home / ".docker/contexts/meta"
    digest = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    (meta / "a").rename(meta / digest)
    (user.home / ".docker/config.json").write_text('{"currentContext": "a"}')
    user.write("[workspaces.a]\n")
    result = user.run("status", PATH=f"{folder}:{os.environ['PATH']}", DOCKER_HOST=host)
    assert result.status == 1
    source = "DOCKER_HOST" if host else "context a"
    assert f"not accessible at {NOWHERE} ({source})" in result.stderr
    calls = (tmp_path / "asked").read_text().splitlines()
    assert sum(each.startswith("context") for each in calls) == asked
    assert len(calls) > asked


def test_a_context_that_does_not_exist_is_an_error_that_says_so(user: User) -> None:
    if shutil.which("docker") is None:
        pytest.skip("no docker command")
    user.write("[workspaces.a]\n")
    result = user.run("status", DOCKER_HOST="", DOCKER_CONTEXT="nope")
    assert result.status == 1
    assert "docker has no context `nope`, which DOCKER_CONTEXT chooses" in result.stderr
