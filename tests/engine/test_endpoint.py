"""One engine for everything a run does: through a docker context, and through SSH."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.world import User

pytestmark = pytest.mark.engine

NOWHERE = "unix:///nonexistent/docker.sock"
NAME = "elsewhere"
CONFIG = f"""
[workspaces.{NAME}]
dockerfile = "~/images/Dockerfile"
enable_docker = false
expose_port = false
"""
MISLEADING = {
    "COMPOSE_FILE": "/nonexistent.yml", "COMPOSE_PROJECT_NAME": "mistaken",
    "COMPOSE_PROFILES": "mistaken", "COMPOSE_ENV_FILES": "/nonexistent.env",
    "COMPOSE_PATH_SEPARATOR": "o", "COMPOSE_REMOVE_ORPHANS": "1",
}  # fmt: skip
"""What Compose would listen to."""


def address() -> str:
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


@pytest.fixture
def user() -> Iterator[User]:
    """Somebody whose workspace needs a build of its own, so that builds are seen to go along."""
    project = f"jailoc-{NAME}"
    world.remove(project)
    with world.home(NAME) as person:
        (person.home / "images").mkdir()
        # A step that no run before this one has built.
        step = f"LABEL test={time.time_ns()}\n"
        (person.home / "images/Dockerfile").write_text(f"FROM ${{BASE}}\n{step}")
        person.write(world.certificates() + CONFIG)
        try:
            yield person
        finally:
            world.remove(project)


def lives(user: User, **environment: str) -> None:
    """Start, look at, and stop the workspace; the engine of the tests has to be the one."""
    result = user.run("up", NAME, **environment)
    assert result.status == 0, result.stderr[-4000:]
    assert "building image jailoc-overlay:" in result.stderr
    container = f"jailoc-{NAME}-opencode-1"
    tag = world.call("docker", "inspect", "--format", "{{.Config.Image}}", container).strip()
    try:
        assert tag.startswith("jailoc-overlay:")
        status = user.run("status", NAME, **environment)
        assert "Status:    running\n" in status.stdout, status.stderr
        assert user.run("logs", NAME, "--tail", "1", **environment).stdout
        assert user.run("down", NAME, **environment).status == 0
        found = world.call("docker", "ps", "--all", "--quiet", "--filter", f"name={container}")
        assert not found
    finally:
        world.remove(f"jailoc-{NAME}")
        world.call("docker", "image", "rm", "--force", tag, check=False)


@pytest.mark.skipif(
    Path("/var/run/docker.sock").exists() and address() == "unix:///var/run/docker.sock",
    reason="the engine of the tests is the default one",
)
def test_a_context_is_used_for_builds_and_all_else_whatever_else_the_environment_says(
    user: User,
) -> None:
    private = {"DOCKER_CONFIG": str(user.home / "docker"), "DOCKER_HOST": ""}
    for arguments in (("create", "tests", "--docker", f"host={address()}"), ("use", "tests")):
        subprocess.run(
            ["docker", "context", *arguments], env=os.environ | private, check=True,
            capture_output=True,
        )  # fmt: skip
    (user.home / ".env").write_text("COMPOSE_PROJECT_NAME=mistaken\nCOMPOSE_FILE=/mistaken.yml\n")
    lives(user, **private, **MISLEADING)
    # DOCKER_HOST wins over any context, and a context that is named over the chosen one.
    refused = user.run("status", **(private | {"DOCKER_HOST": NOWHERE}))
    assert f"not accessible at {NOWHERE} (DOCKER_HOST)" in refused.stderr
    other = user.run("status", **(private | {"DOCKER_CONTEXT": "default"}))
    assert "(default)" in other.stderr or Path("/var/run/docker.sock").exists()


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, Path]]:
    """Run an SSH server on loopback for one key; yield its port and a folder with `ssh` for it.

    The client takes the home directory from the user database, not from HOME, so the one that is
    found first on PATH is told where its files are.
    """
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if sshd is None:
        pytest.skip("no sshd")
    folder.mkdir()
    for name in ("host", "client"):
        world.call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    shutil.copy(folder / "client.pub", folder / "authorized")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized\nPidFile none\nPasswordAuthentication no\n"
        # What docker at the other end goes by.
        f"SetEnv DOCKER_HOST={address()}\n"
    )
    key = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {key}")
    (folder / "ssh_config").write_text(
        f"IdentityFile {folder}/client\nUserKnownHostsFile {folder}/known_hosts\n"
        "StrictHostKeyChecking yes\nIdentitiesOnly yes\n"
    )
    (folder / "bin").mkdir()
    (folder / "bin/ssh").write_text(
        f'#!/bin/sh\necho "$@" >>{folder}/calls\n'
        f'exec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n'
    )
    (folder / "bin/ssh").chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log) as run,
    ):
        try:
            for _ in range(100):
                if "Server listening" in (folder / "log").read_text():
                    break
                time.sleep(0.05)
            yield port, folder
        finally:
            run.terminate()


@pytest.mark.thorough
@pytest.mark.skipif(os.geteuid() != 0, reason="an SSH server needs root")
def test_an_engine_behind_ssh_is_used_for_builds_and_all_else(user: User) -> None:
    with server(user.home / "server") as (port, folder):
        place = f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
        lives(user, DOCKER_HOST=place, PATH=f"{folder}/bin:{os.environ['PATH']}")
        assert "docker system dial-stdio" in (folder / "calls").read_text()
