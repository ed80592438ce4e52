"""What the Go jailoc leaves on a machine is found, taken over or left, and never both by half."""

import json
from collections.abc import Iterator

import pytest

from tests.engine import world
from tests.engine.world import User

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

NAME, PROJECT = "moved", "jailoc-moved"
PASSWORD = "5f" * 32  # of the form that it makes
CONFIG = f"""{world.certificates()}
[workspaces.moved]
port = 4207
paths = ["~/project"]
enable_docker = false
"""
COMPOSE = """\
# generated, do not edit
services:
  opencode:
    image: debian:trixie-slim
    entrypoint: ["sleep", "infinity"]
    environment: [OPENCODE_SERVER_PASSWORD]
    ports: ["127.0.0.1:4207:4096"]
    networks: [jailoc]
    volumes:
      - opencode-data-moved:/home/agent/.local/share/opencode
      - opencode-cache-moved:/home/agent/.cache
  dind:
    image: debian:trixie-slim
    entrypoint: ["sleep", "infinity"]
    networks: [jailoc]
    volumes:
      - dind-certs-ca:/certs/ca
      - dind-certs-client:/certs/client
      - dind-data:/home/rootless/.local/share/docker
networks:
  jailoc: {}
volumes:
  opencode-data-moved: {}
  opencode-cache-moved: {}
  dind-certs-ca: {}
  dind-certs-client: {}
  dind-data: {}
"""
OWN = (".cache/jailoc/moved/entrypoint.sh", ".cache/jailoc/moved/dind-entrypoint.sh")
BESIDE = (".config/jailoc/workspaces/moved/allowed-hosts", ".cache/jailoc/tui.json",
          ".cache/jailoc/tui-plugin/tui.js")  # fmt: skip


@pytest.fixture
def user() -> Iterator[User]:
    """Leave what the Go jailoc leaves: containers that run, volumes, files, the password."""
    world.remove(PROJECT)
    with world.home("moved") as someone:
        (someone.home / "project").mkdir()
        (someone.home / "project").chmod(0o777)
        someone.write(CONFIG)
        place = someone.home / ".cache/jailoc/moved/docker-compose.yml"
        for each in (place, *(someone.home / name for name in (*OWN, *BESIDE))):
            each.parent.mkdir(parents=True, exist_ok=True)
            each.write_text("old\n")
        place.write_text(COMPOSE)
        secret = someone.home / ".local/share/jailoc/moved/password"
        secret.parent.mkdir(parents=True, mode=0o700)
        secret.write_text(PASSWORD)
        secret.chmod(0o600)
        world.call(
            "env", f"OPENCODE_SERVER_PASSWORD={PASSWORD}", "docker", "compose", "--project-name",
            PROJECT, "--file", str(place), "up", "--detach",
        )  # fmt: skip
        keep = "echo kept > /home/agent/.local/share/opencode/kept"
        world.call("docker", "exec", f"{PROJECT}-opencode-1", "sh", "-c", keep)
        try:
            yield someone
        finally:
            world.remove(PROJECT)


def rows(kind: str, *words: str) -> set[str]:
    label = f"label=com.docker.compose.project={PROJECT}"
    form = "{{.Names}}" if kind == "container" else "{{.Name}}"
    text = world.call("docker", kind, "ls", *words, "--filter", label, "--format", form)
    return set(text.split())


def test_what_the_go_jailoc_left_is_explained_then_taken_over(user: User) -> None:
    (row,) = json.loads(user.ok("status", NAME, "--json"))["workspaces"]
    assert row["state"] == "running"
    before = rows("container")
    shown = user.ok("plan", NAME)
    assert "service.opencode" in shown
    assert "service.dind" in shown
    assert rows("container") == before, "a plan changes nothing"

    user.ok("up", NAME)
    assert rows("container", "--all") == {f"{PROJECT}-firewall-1", f"{PROJECT}-opencode-1"}
    assert user.password(NAME) == PASSWORD
    command = ("docker", "exec", f"{PROJECT}-opencode-1", "cat")
    found = world.call(*command, "/home/agent/.local/share/opencode/kept")
    assert found.strip() == "kept"
    assert len(rows("network")) == 1
    user.nothing_to_do(NAME)
    assert not any((user.home / each).exists() for each in OWN)
    user.ok("verify", NAME)
    # What nobody needs any more stays until it is removed, and is then known by its project.
    assert f"{PROJECT}_dind-certs-ca" in rows("volume")
    user.ok("destroy", NAME, "--yes")
    assert (rows("container", "--all"), rows("network"), rows("volume")) == (set(), set(), set())
    assert all((user.home / each).exists() for each in BESIDE), "left, as the page says"


def test_it_can_be_removed_without_ever_being_started(user: User) -> None:
    listed = user.ok("destroy", NAME, "--json")
    assert "opencode-data-moved" in listed
    user.ok("destroy", NAME, "--yes")
    assert (rows("container", "--all"), rows("network"), rows("volume")) == (set(), set(), set())
    assert not (user.home / ".cache/jailoc/moved").exists()
    assert not (user.home / ".local/share/jailoc/moved").exists()
