"""A sandbox for the whole engine run: images are built once, by jailoc itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.engine import world
from tests.engine.world import User

EVIL = "/home/agent/evil.sh"
"""A file of the agent's own that every bash of its container reads first."""
HOSTILE_ENV = {
    "BASH_ENV": EVIL,
    "PATH": "/home/agent/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DOLLAR": "$HOME ${HOME} $$ ${ $",
    "YAML": "a: b # c\n- d\t'\"\\ &x *y !z %w @v",
    "WORDS": "no",
    "OCTAL": "0o14",
    "UNICODE": "äöü 🦊 \u2028 \x85 \x7f",
    "EMPTY": "",
}
CLIENT_PROXY = "ftp://user:client-s3cret@proxy.example:3128"
"""What the client puts into containers of its own accord; of a kind that no build here uses."""
HOSTILE_NAME = "a b:c $HOME #x 'y' \"z\""


@dataclass(frozen=True)
class Sandbox:
    """A running workspace with everything in it that the tests look at."""

    user: User
    name: str

    @property
    def project(self) -> str:
        return f"jailoc-{self.name}"

    def config(self, allowed: str = "") -> str:
        """Return the configuration that this sandbox was started with, and more networks."""
        return config(allowed)

    @property
    def port(self) -> int:
        """Return the port on the host, as it is published."""
        (row,) = json.loads(self.user.ok("status", self.name, "--json"))["workspaces"]
        return int(row["port"])

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"


@contextmanager
def friend(sandbox: Sandbox, *aliases: str) -> Iterator[tuple[str, str]]:
    """Run a listener on the sandbox's own network; yield its container and its IPv4 address."""
    image = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    container = world.call(
        "docker", "run", "--detach", "--init", "--network", network(sandbox),
        *(word for each in aliases for word in ("--network-alias", each)),
        "--entrypoint", "python3", image, "-c", world.LISTENER, str(world.PORT),
    ).strip()  # fmt: skip
    try:
        yield container, address(container)
    finally:
        world.call("docker", "rm", "--force", container)


def network(sandbox: Sandbox) -> str:
    return f"{sandbox.project}_jailoc"


def address(container: str) -> str:
    (found,) = json.loads(world.call("docker", "inspect", container))[0]["NetworkSettings"][
        "Networks"
    ].values()
    return str(found["IPAddress"])


def inner_image(sandbox: Sandbox) -> None:
    """Make an image in the agent's own Docker out of what the agent has: a shell and Python."""
    script = """
        set -e
        docker image inspect shell:1 >/dev/null 2>&1 && exit 0
        tools='/bin/bash /usr/bin/timeout /usr/bin/python3'
        modules=$(find /usr/lib/python3.*/lib-dynload -name '*.so')
        libraries=$(ldd $tools $modules 2>/dev/null | grep -o '/lib[^ ]*' | sort -u)
        tar -chf - --exclude=test --exclude=dist-packages --exclude=__pycache__ \
            $tools /usr/lib/python3.* $libraries 2>/dev/null | docker import - shell:1
    """
    world.call("docker", "exec", sandbox.container("opencode"), "bash", "-c", script)


def config(allowed: str = "") -> str:
    """Return the configuration of the shared sandbox."""
    quoted = ", ".join(_toml(f"{key}={value}") for key, value in HOSTILE_ENV.items())
    hosts = ", ".join(_toml(each) for each in ("friend.test", "missing.invalid"))
    return f"""{world.certificates()}
[defaults]
cpu = 2
memory = "3g"
[workspaces.walled]
paths = ["~/project", {_toml("~/" + HOSTILE_NAME)}]
env = [{quoted}]
allowed_hosts = [{hosts}, "{world.ALLOWED_IPV6}"]
allowed_networks = ["{world.ALLOWED}/32"{allowed}]
"""


def _toml(text: str) -> str:
    body = "".join(
        char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text
    )
    return f'"{body}"'


@pytest.fixture(scope="session")
def hosts() -> Iterator[None]:
    with world.hosts():
        yield


@pytest.fixture(scope="session")
def sandbox(hosts: None) -> Iterator[Sandbox]:
    world.remove("jailoc-walled")
    with world.home("walled") as user:
        user.write(config())
        (user.home / "project/.opencode/command").mkdir(parents=True)
        (user.home / "project/.opencode/command/hi.md").write_text("Say hi.\n")
        (user.home / HOSTILE_NAME).mkdir()
        (user.home / HOSTILE_NAME / "marker").write_text("here")
        (user.home / ".docker").mkdir()
        settings = {"proxies": {"default": {"ftpProxy": CLIENT_PROXY}}}
        (user.home / ".docker/config.json").write_text(json.dumps(settings))
        user.ok("up", "walled")
        try:
            yield Sandbox(user, "walled")
        finally:
            world.remove("jailoc-walled")
