"""A wall that observes, with two containers behind it and hosts of the test's own before it.

The wall is the real one, as it was compiled; behind it, instead of an agent's server, waits a
container as the agent and one as its Docker. Names are the engine's own, of one host with many.
"""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jsonschema

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.world import User

NETWORK = "jailoc-observed-outside"
SUBNET, HOST = "11.22.35.0/24", "11.22.35.10"
"""Public as addresses go, and nobody's here but the test's."""
CONNECT = """
import json, socket, sys
found = {}
for name, port in json.load(sys.stdin):
    try:
        with socket.create_connection((name, port), timeout=5) as peer:
            found[f"{name} {port}"] = peer.recv(5).decode()
    except OSError as error:
        found[f"{name} {port}"] = type(error).__name__
print(json.dumps(found))
"""
SCAN = """
import socket, sys
address, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(first, last):
    try:
        door.sendto(b"", (address, 1 + number % 65535))
    except OSError:
        pass
"""

Door = tuple[str, int]


@dataclass(frozen=True)
class Observed:
    """A running wall, and who is behind it."""

    user: User
    name: str

    @property
    def wall(self) -> str:
        return f"jailoc-{self.name}-firewall-1"

    def connect(self, doors: list[Door], user: str = "1000:1000") -> dict[str, str]:
        """Look names up and connect to them, one after the other."""
        text = world.call(
            "docker", "exec", "--interactive", "--user", user, f"{self.name}-inside",
            "python3", "-c", CONNECT, stdin=json.dumps(doors),
        )  # fmt: skip
        found: dict[str, str] = json.loads(text)
        return found

    def scan(self, address: str, first: int, last: int) -> None:
        """Send an empty datagram to many ports."""
        world.call("docker", "exec", f"{self.name}-inside", "python3", "-c", SCAN,
                   address, str(first), str(last))  # fmt: skip

    def learn(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.user.ok("learn", self.name, "--json", *arguments))
        jsonschema.validate(found, schema("learn"))
        return found

    def kept(self) -> dict[str, Any]:
        """Return the file as it is on the wall's volume."""
        text = world.call("docker", "exec", "--user", "65533:65533", self.wall,
                          "cat", "/evidence/evidence.json")  # fmt: skip
        found: dict[str, Any] = json.loads(text)
        return found

    def healthy(self) -> None:
        """Wait until the wall is ready."""
        for _ in range(600):
            state = json.loads(world.call("docker", "inspect", self.wall))[0]["State"]
            if state.get("Health", {}).get("Status") == "healthy":
                return
            time.sleep(0.1)
        raise AssertionError(world.logs(self.wall))

    def inside(self) -> None:
        """Start what is behind the wall: it asks the wall's resolver, and has no power."""
        image = self.image()
        world.call("docker", "rm", "--force", f"{self.name}-inside", check=False)
        place = self.user.home / ".cache/jailoc" / self.name / "agent/resolv.conf"
        world.call(
            "docker", "run", "--detach", "--rm", "--init", "--log-opt", "max-size=1m",
            "--name", f"{self.name}-inside", "--network", f"container:{self.wall}",
            "--user", "1000:1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--volume", f"{place}:/etc/resolv.conf:ro",
            "--volume", f"jailoc-{self.name}_refused:/run/jailoc-refused:ro",
            "--entrypoint", "sleep", image, "900",
        )  # fmt: skip

    def image(self) -> str:
        """Return the name of the agent's image."""
        text = self.user.ok("render", self.name, "--json")
        found: str = json.loads(text)["workspaces"][0]["agent"]["reference"]
        return found


@contextmanager
def observed(config: str, name: str, aliases: list[str]) -> Iterator[Observed]:
    """Start a wall from a configuration, and a host outside that has every alias."""
    project = f"jailoc-{name}"
    world.remove(project)
    world.call("docker", "rm", "--force", f"{name}-inside", f"{name}-host", check=False)
    world.call("docker", "network", "rm", NETWORK, check=False)
    with world.home(name) as user:
        (user.home / "project").mkdir()
        user.write(config)
        found = Observed(user, name)
        if not world.call("docker", "image", "ls", "--quiet", found.image()):
            user.ok("up", name)  # which builds the images
            world.remove(project)
        user.ok("render", name, "--native", "--out", str(user.home / "made"))
        place = user.home / ".cache/jailoc" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(user.home / "made" / name, place, dirs_exist_ok=True)
        file = str(place / "docker-compose.yml")
        try:
            world.call("docker", "network", "create", "--subnet", SUBNET, NETWORK)
            world.call("docker", "compose", "-p", project, "-f", file, "up", "--detach",
                       "--no-build", "firewall")  # fmt: skip
            world.call("docker", "network", "connect", NETWORK, found.wall)
            world.call(
                "docker", "run", "--detach", "--rm", "--init", "--log-opt", "max-size=1m",
                "--name", f"{name}-host", "--network", NETWORK, "--ip", HOST,
                *(word for each in aliases for word in ("--network-alias", each)),
                "--entrypoint", "python3", found.image(), "-c", world.LISTENER,
                str(world.PORT), str(world.OTHER_PORT),
            )  # fmt: skip
            found.healthy()
            found.inside()
            yield found
        finally:
            world.call("docker", "rm", "--force", f"{name}-inside", f"{name}-host", check=False)
            world.remove(project)
            world.call("docker", "network", "rm", NETWORK, check=False)
