"""Docker's client as people have it: of any age, with proxies and credentials of its own."""

import base64
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jailoc.bin.cli import main
from jailoc.bin.engine import client_settings, docker, door, images, witness
from jailoc.bin.host import log
from tests.engine import world
from tests.engine.conftest import CLIENT_PROXY, Sandbox
from tests.recording import CONFIG, STATUS, Player, Recorder

pytestmark = pytest.mark.engine

SERVICES = ("firewall", "opencode", "dind")


def variables(container: str) -> dict[str, str]:
    found = json.loads(world.call("docker", "inspect", container))[0]["Config"]["Env"] or []
    return dict(each.split("=", 1) for each in found)


def proxies(container: str) -> set[str]:
    return {key for key, value in variables(container).items()
            if key.lower().endswith("_proxy") or CLIENT_PROXY in value}  # fmt: skip


def test_what_the_client_is_set_to_is_in_no_container(sandbox: Sandbox, tmp_path: Path) -> None:
    """The sandbox was started by somebody whose client has a proxy with a password."""
    assert {each: proxies(sandbox.container(each)) for each in SERVICES} == {
        each: set() for each in SERVICES
    }
    inside = world.call("docker", "exec", sandbox.container("opencode"), "env")
    assert CLIENT_PROXY not in inside
    # The same client, asked by hand: it does put them in, Compose and docker alike.
    image = world.call("docker", "inspect", "--format", "{{.Config.Image}}",
                       sandbox.container("opencode")).strip()  # fmt: skip
    service = {
        "image": image, "command": ["true"], "network_mode": "none", "pull_policy": "never",
    }  # fmt: skip
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": {"it": service}}))
    given = ("env", f"DOCKER_CONFIG={sandbox.user.home}/.docker", "docker")
    by_hand = "jailoc-by-hand-it-1"
    try:
        world.call(*given, "compose", "--project-name", "jailoc-by-hand", "--file",
                   str(tmp_path / "compose.yaml"), "create")  # fmt: skip
        assert proxies(by_hand) == {"FTP_PROXY", "ftp_proxy"}
    finally:
        world.call("docker", "rm", "--force", by_hand, check=False)
    created = world.call(*given, "create", "--network", "none", image, "true").strip()
    try:
        assert proxies(created) == {"FTP_PROXY", "ftp_proxy"}
    finally:
        world.call("docker", "rm", "--force", created)


def test_a_look_into_an_image_does_not_show_it_the_proxies_either(
    sandbox: Sandbox, mine: None
) -> None:
    image = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    found = images.ask(image, "env", {}) or []
    assert any(each.startswith("PATH=") for each in found)
    assert not [each for each in found if "proxy" in each.lower()]


@pytest.fixture
def mine(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be the sandbox's user in this very process."""
    for name in list(os.environ):
        if name.startswith("XDG_") or (name.startswith("DOCKER_") and name != "DOCKER_HOST"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(sandbox.user.home))
    monkeypatch.chdir(sandbox.user.home)
    client_settings._made.cache_clear()
    yield
    client_settings._made.cache_clear()
    if log.Journal.log is not None:
        log.Journal.log.close()
        log.Journal.log = None


def clients() -> list[str]:
    """Return every docker on PATH: a machine may have one of its system and a newer one."""
    found: dict[str, str] = {}
    for folder in os.get_exec_path():
        if (path := shutil.which("docker", path=folder)) is not None:
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


@pytest.mark.parametrize("client", clients())
def test_every_client_of_this_machine_is_understood(
    sandbox: Sandbox, tmp_path: Path, client: str
) -> None:
    (tmp_path / "docker").symlink_to(client)
    path = f"{tmp_path}:{os.environ['PATH']}"
    version = world.call("docker", "--version")
    for arguments in (("up", "walled"), ("plan", "walled"), ("status", "walled"),
                      ("logs", "walled", "--tail", "1"), ("blocked", "walled")):  # fmt: skip
        result = sandbox.user.run(*arguments, PATH=path)
        assert (result.status, "defect" in result.stderr) == (0, False), version + result.stderr


def test_a_container_that_floods_a_reply_is_cut_off(sandbox: Sandbox, mine: None) -> None:
    with pytest.raises(docker.DockerError) as caught:
        docker.run(
            ["exec", sandbox.container("opencode"), "head", "-c", "400000000", "/dev/zero"],
            what="reading",
        )
    assert caught.value.cut
    state = world.call("docker", "inspect", sandbox.container("opencode"))
    (found,) = json.loads(state)
    assert witness.mounted(found["Id"], found["Image"])


@contextmanager
def registry() -> Iterator[tuple[str, list[str]]]:
    """Run a registry that lets nobody in; yield its name, and the credentials that it was shown."""
    seen: list[str] = []

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "Authorization" in self.headers:
                seen.append(self.headers["Authorization"])
            self.send_response(404 if "Authorization" in self.headers else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 -- the name is http.server's

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()


def test_the_credentials_of_a_registry_reach_it(
    mine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = base64.b64encode(b"alice:s3cret").decode()
    with registry() as (name, seen):
        settings = {"auths": {name: {"auth": login}},
                    "proxies": {"default": {"ftpProxy": CLIENT_PROXY}}}  # fmt: skip
        (tmp_path / "config.json").write_text(json.dumps(settings))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(docker.DockerError):
            images.pull(f"{name}/image:1", lambda line: None)
    assert set(seen) == {f"Basic {login}"}


def shown(capsys: pytest.CaptureFixture[str], answer: door.Answer, *options: str) -> Any:
    with door.answered(answer):
        assert main.run([*options, "status", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    for each in data["workspaces"]:
        each.pop("uptime")
    return data


def test_a_recorded_run_says_the_same_without_its_engine(
    sandbox: Sandbox, mine: None, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, update_golden: bool,
) -> None:  # fmt: skip
    recorder = Recorder()
    then = shown(capsys, recorder)
    assert any(each["workspace"] == "walled" for each in then["workspaces"])
    player = Player(recorder.entries)
    if update_golden:
        (tmp_path / "config.toml").write_text(CONFIG)
        other = Recorder()
        shown(capsys, other, "--config", str(tmp_path / "config.toml"))
        root = world.call("docker", "info", "--format", "{{.DockerRootDir}}").strip()
        STATUS.parent.mkdir(exist_ok=True)
        other.save(STATUS, sandbox.user.home, root)
    monkeypatch.setenv("PATH", "/nowhere")
    assert shown(capsys, player) == then
    assert sorted(player.asked) == sorted(arguments for arguments, _ in recorder.entries)
