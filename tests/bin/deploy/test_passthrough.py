"""What of the user's identity goes into a sandbox is decided by what is really there."""

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.world import User

NOWHERE = "unix:///nonexistent/docker.sock"
MAGIC = "/run/host-services/ssh-auth.sock"
WANTED = "[workspaces.a]\nssh_auth_sock = true\n"


def engine(folder: Path, platform: str) -> str:
    """Put a docker on PATH whose engine runs on another system; a real one cannot be had."""
    place = folder / "fake"
    place.mkdir()
    script = place / "docker"
    script.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >>{folder}/asked\n'
        f"[ \"$1\" = info ] && [ -n '{platform}' ] && printf '%s\\n' '{platform}' 1 me /data\n"
    )
    script.chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


def mounts(user: User, **environment: str) -> dict[str, Any]:
    """Return what the agent's container gets, by the place in it."""
    result = user.run("render", "--json", **environment)
    assert result.status == 0, result.stderr
    (workspace,) = json.loads(result.stdout)["workspaces"]
    text = next(each["text"] for each in workspace["files"] if each["path"] == "docker-compose.yml")
    agent = yaml.safe_load(text)["services"]["opencode"]
    found = {each["target"]: each["source"] for each in agent["volumes"] if "source" in each}
    return found | {"SSH_AUTH_SOCK": agent["environment"].get("SSH_AUTH_SOCK")}


@pytest.fixture
def agent_socket(tmp_path: Path) -> Path:
    place = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place))
    assert stat.S_ISSOCK(place.stat().st_mode)
    return place


@pytest.mark.parametrize(
    "platform", ["Docker Desktop", "OrbStack", "Docker Desktop (containerized)"]
)
@pytest.mark.parametrize("on_host", [True, False])
def test_an_engine_in_a_virtual_machine_gets_the_agent_at_its_own_path(
    user: User, tmp_path: Path, agent_socket: Path, platform: str, on_host: bool
) -> None:
    """The file system of the host, where that path is not, is not asked."""
    user.write(WANTED)
    own = {"SSH_AUTH_SOCK": str(agent_socket)} if on_host else {}
    found = mounts(user, PATH=engine(tmp_path, platform), **own)
    assert found["/run/ssh-agent.sock"] == MAGIC
    assert found["SSH_AUTH_SOCK"] == "/run/ssh-agent.sock"


@pytest.mark.parametrize("platform", ["Debian GNU/Linux 12 (bookworm)", ""])
def test_a_native_engine_gets_the_socket_of_the_environment(
    user: User, tmp_path: Path, agent_socket: Path, platform: str
) -> None:
    user.write(WANTED)
    path = engine(tmp_path, platform)
    found = mounts(user, PATH=path, SSH_AUTH_SOCK=str(agent_socket))
    assert found["/run/ssh-agent.sock"] == str(agent_socket)


def test_rendering_needs_no_engine_for_it(user: User, agent_socket: Path) -> None:
    user.write(WANTED)
    found = mounts(user, DOCKER_HOST=NOWHERE, SSH_AUTH_SOCK=str(agent_socket))
    assert found["/run/ssh-agent.sock"] == str(agent_socket)
    no_docker = mounts(user, PATH="/nonexistent", SSH_AUTH_SOCK=str(agent_socket))
    assert no_docker == found


@pytest.mark.parametrize("kind", ["a file", "a directory", "nothing", "relative"])
def test_what_is_no_socket_is_no_agent(user: User, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "agent.sock"
    if kind == "a file":
        place.touch()
    elif kind == "a directory":
        place.mkdir()
    user.write(WANTED)
    text = "agent.sock" if kind == "relative" else str(place)
    found = mounts(user, DOCKER_HOST=NOWHERE, SSH_AUTH_SOCK=text)
    assert "/run/ssh-agent.sock" not in found
    assert found["SSH_AUTH_SOCK"] is None


def test_nobody_is_asked_what_the_engine_runs_on_unless_the_agent_is_wanted(
    user: User, tmp_path: Path
) -> None:
    path = engine(tmp_path, "Docker Desktop")
    user.write("[workspaces.a]\n")
    assert "/run/ssh-agent.sock" not in mounts(user, PATH=path)
    assert not (tmp_path / "asked").exists()


def test_known_hosts_belong_to_the_ssh_switch_and_not_to_the_socket(user: User) -> None:
    (user.home / ".ssh").mkdir()
    (user.home / ".ssh/known_hosts").write_text("git.example.com ssh-ed25519 AAAA\n")
    place = "/home/agent/.ssh/known_hosts"
    user.write(WANTED)
    assert mounts(user, DOCKER_HOST=NOWHERE)[place] == str(user.home / ".ssh/known_hosts")
    user.write("[workspaces.a]\n")
    assert place not in mounts(user, DOCKER_HOST=NOWHERE)
