"""Postgres beside the agent: it answers to the agent and to nobody else, and reaches nobody."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox
from tests.engine.world import Result, User

pytestmark = [pytest.mark.engine, pytest.mark.thorough]
"""An image with a database is built, from packages."""

NAME, PORT, OTHER = "beside", 4211, 5000
IMAGE = "jailoc-test-postgres:1"
# Debian's own Postgres, started as its image on Docker Hub starts it.
DOCKERFILE = r"""
FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql python3-minimal \
 && rm -rf /var/lib/apt/lists/*
RUN printf '%s\n' '#!/bin/sh' 'set -eu' 'data=/var/lib/postgresql/data' \
    'bin=$(echo /usr/lib/postgresql/*/bin)' \
    'if [ "$(id -u)" = 0 ]; then' \
    '    chown postgres:postgres "$data" /run/postgresql' \
    '    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0"' \
    'fi' \
    '[ -s "$data/PG_VERSION" ] || "$bin/initdb" -D "$data" --auth=trust >/dev/null' \
    'grep -q "0.0.0.0/0" "$data/pg_hba.conf" ||' \
    '    echo "host all all 0.0.0.0/0 trust" >>"$data/pg_hba.conf"' \
    'python3 -c "$PROBED" &' \
    'exec "$bin/postgres" -D "$data" -c "listen_addresses=*"' >/usr/local/bin/serve \
 && chmod 755 /usr/local/bin/serve \
 && usermod -u 999 postgres && groupmod -g 999 postgres \
 && mkdir -p /var/lib/postgresql/data \
 && chown -R postgres:postgres /var/lib/postgresql /run/postgresql \
 && chmod 700 /var/lib/postgresql/data \
 && ln -s /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin/pg_isready
ENV PROBED="import socket; door = socket.create_server(('', 5000)); \
[door.accept()[0].sendall(b'hello') for _ in iter(int, 1)]"
ENTRYPOINT ["/usr/local/bin/serve"]
"""
QUERY = """
import socket, struct, sys
def message(kind, body): return kind + struct.pack("!I", len(body) + 4) + body
with socket.create_connection((sys.argv[1], 5432), timeout=10) as peer:
    start = struct.pack("!I", 196608) + b"user\\0postgres\\0database\\0postgres\\0\\0"
    peer.sendall(struct.pack("!I", len(start) + 4) + start)
    peer.sendall(message(b"Q", b"select 6 * 7\\0"))
    said = b""
    while b"SELECT 1" not in said:
        part = peer.recv(4096)
        if not part: break
        said += part
    print("42" if b"42" in said and b"SELECT 1" in said else said)
"""
CONNECT = """
import json, socket, sys
found = {}
for name, address, port in json.load(sys.stdin):
    try:
        with socket.create_connection((address, port), timeout=3) as peer:
            peer.settimeout(3)
            found[name] = peer.recv(5).decode(errors="replace") or "closed"
    except TimeoutError:
        found[name] = "silent"
    except OSError as error:
        found[name] = type(error).__name__ + " " + str(error.errno)
print(json.dumps(found))
"""

BOUND = """
import json, socket, sys
found = {}
for name, device, address, port in json.load(sys.stdin):
    try:
        with socket.socket() as peer:
            peer.settimeout(3)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            peer.connect((address, port))
            found[name] = "open"
    except TimeoutError:
        found[name] = "silent"
    except OSError as error:
        found[name] = type(error).__name__
print(json.dumps(found))
"""


def config() -> str:
    """Return a workspace with the service that the page shows, from the image of the test."""
    page = (world.ROOT / "docs/how-to/services.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    return f"""{world.certificates()}
[defaults]
enable_docker = false
[workspaces.{NAME}]
paths = ["~/project"]
port = {PORT}
allowed_networks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
{shown.replace("workspaces.api", f"workspaces.{NAME}").replace("postgres:17", IMAGE)}"""


@pytest.fixture(scope="module")
def beside(hosts: None) -> Iterator[Sandbox]:
    world.call("docker", "build", "--quiet", "--tag", IMAGE, "-", stdin=DOCKERFILE)
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as user:
        (user.home / "project").mkdir()
        user.write(config())
        user.ok("up", NAME)
        try:
            yield Sandbox(user, NAME)
        finally:
            world.remove(f"jailoc-{NAME}")


def addresses(container: str) -> dict[str, str]:
    (data,) = json.loads(world.call("docker", "inspect", container))
    return {
        name.rpartition("_")[2]: each["IPAddress"]
        for name, each in data["NetworkSettings"]["Networks"].items()
    }


def asked(sandbox: Sandbox, name: str = "db") -> str:
    return world.call(
        "docker", "exec", "--user", "1000:1000", sandbox.container("opencode"),
        "python3", "-c", QUERY, name,
    ).strip()  # fmt: skip


def reached(container: str, targets: list[tuple[str, str, int]], user: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        world.call("docker", "exec", "--interactive", "--user", user, container,
                   "python3", "-c", CONNECT, stdin=json.dumps(targets))
    )  # fmt: skip
    return found


def test_the_agent_gets_an_answer_and_no_other_port(beside: Sandbox) -> None:
    assert asked(beside) == "42"
    place = addresses(beside.container("db"))["services"]
    targets = [("by name", "db", OTHER), ("by address", place, OTHER), ("named", place, 5432)]
    found = reached(beside.container("opencode"), targets, "1000:1000")
    # Although the configuration allows every private network.
    assert found["by name"].startswith("ConnectionRefused")
    assert found["by address"].startswith("ConnectionRefused")
    # It says nothing by itself: the connection is made, which is what counts.
    assert found["named"] in {"silent", "closed"}
    # Control: there is somebody on that port.
    own = reached(beside.container("db"), [("own", "127.0.0.1", OTHER)], "999:999")
    assert own == {"own": "hello"}


def test_an_address_of_a_service_is_open_on_its_own_link_alone(beside: Sandbox) -> None:
    place, wall = addresses(beside.container("db"))["services"], beside.container("firewall")
    links = [each.split() for each in inside(wall, "cat", "/proc/net/route").splitlines()[1:]]
    (outward,) = {each[0] for each in links if each[1] == each[7] == "00000000"}
    (own,) = {each[0] for each in links} - {outward}
    targets = [(each, each, place, 5432) for each in (outward, own)]

    def tried() -> dict[str, str]:
        assert asked(beside) == "42"  # so that the address is known
        found: dict[str, str] = json.loads(
            world.call("docker", "exec", "--interactive", "--user", "1000:1000",
                       beside.container("opencode"), "python3", "-c", BOUND,
                       stdin=json.dumps(targets))
        )  # fmt: skip
        return found

    rule = ("JAILOC-SERVICES", "-o", outward, "-m", "comment",
            "--comment", "services are elsewhere", "-j", "RETURN")  # fmt: skip
    before = beside.user.config.read_text()
    try:
        beside.user.write(re.sub("allowed_networks = .*", "", before))
        beside.user.ok("refresh", NAME)
        assert tried() == {own: "open", outward: "ConnectionRefusedError"}
        # Control: without its first rule the packet goes out into whatever network is there.
        inside(wall, "iptables", "-D", *rule)
        assert tried()[outward] in {"open", "silent"}
    finally:
        beside.user.write(before)
        beside.user.ok("refresh", NAME)


def inside(container: str, *command: str) -> str:
    """Run a program of the container's image as root in its network."""
    (data,) = json.loads(world.call("docker", "inspect", container))
    return world.call(
        "docker", "run", "--rm", "--log-driver", "none", "--network", f"container:{container}",
        "--cap-add", "NET_ADMIN", "--user", "0", "--entrypoint", command[0], data["Image"],
        *command[1:],
    )  # fmt: skip


def test_it_reaches_nobody(beside: Sandbox) -> None:
    wall = addresses(beside.container("firewall"))
    (network,) = json.loads(world.call("docker", "network", "inspect", f"jailoc-{NAME}_services"))
    gateways = [each["Gateway"] for each in network["IPAM"]["Config"] if "Gateway" in each]
    targets = [
        ("agent", wall["services"], 4096),
        ("agent elsewhere", wall["jailoc"], 4096),
        ("resolver", wall["services"], 53),
        ("internet", world.PUBLIC, world.PORT),
        ("private", world.ALLOWED, world.PORT),
        ("metadata", world.CLOSED["metadata"], world.PORT),
        ("host", world.UPLINK, world.OTHER_PORT),
        ("host outside", world.OWN, world.OTHER_PORT),
        *(("gateway", each, world.OTHER_PORT) for each in gateways),
    ]
    found = reached(beside.container("db"), targets, "999:999")
    for name, answer in found.items():
        assert answer == "silent" or answer.startswith(("OSError 101", "OSError 113")), name
    # No name but those of services is looked up, either.
    asked_name = reached(beside.container("db"), [("name", "one.test", 80)], "999:999")
    assert asked_name["name"].startswith("gaierror")
    # Controls: the agent's port answers on loopback, and the host's on the ordinary network.
    port = [("agent", "127.0.0.1", 4096)]
    assert reached(beside.container("opencode"), port, "1000:1000")["agent"] == "silent"
    stranger = [("host", world.UPLINK, world.OTHER_PORT), ("internet", world.PUBLIC, world.PORT)]
    seen = json.loads(
        world.call("docker", "run", "--rm", "--interactive", "--log-driver", "none",
                   "--entrypoint", "python3", IMAGE, "-c", CONNECT, stdin=json.dumps(stranger))
    )  # fmt: skip
    assert seen == {"host": "hello", "internet": "hello"}


SHOUT = """
import json, socket, sys
for name, place in json.load(sys.stdin):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        door.sendto(name.encode(), (place, 18177))
"""


def test_datagrams_of_a_service_are_dropped_where_paths_are_checked(beside: Sandbox) -> None:
    places = {"broadcast": "255.255.255.255", "multicast": "224.0.0.1", "address": world.UPLINK}
    setting = Path("/proc/sys/net/ipv4/conf/all/rp_filter")
    before = setting.read_text()

    def heard() -> set[str]:
        found = set[str]()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.bind(("", 18177))
            door.settimeout(3)
            world.call("docker", "exec", "--interactive", "--user", "999:999",
                       beside.container("db"), "python3", "-c", SHOUT,
                       stdin=json.dumps([*places.items()]))  # fmt: skip
            with suppress(TimeoutError):
                while True:
                    found.add(door.recv(100).decode())
        return found

    def warned() -> bool:
        (row,) = [each for each in json.loads(beside.user.run("doctor", "--json").stdout)["checks"]
                  if each["check"] == "services"]  # fmt: skip
        return bool(row["state"] == "warn")

    try:
        setting.write_text("2")
        assert heard() == set()
        assert not warned()
        # Control: what is told of does happen.
        setting.write_text("0")
        if Path("/proc/sys/net/ipv4/conf/default/rp_filter").read_text().strip() == "0":
            assert heard() == set(places)
            assert warned()
    finally:
        setting.write_text(before)


def test_a_stranger_does_not_reach_it(beside: Sandbox) -> None:
    place = addresses(beside.container("db"))["services"]
    targets = [("by address", place, 5432), ("other", place, OTHER), ("by name", "db", 5432)]

    def from_(network: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(
            world.call("docker", "run", "--rm", "--interactive", "--log-driver", "none",
                       "--network", network, "--entrypoint", "python3", IMAGE, "-c", CONNECT,
                       stdin=json.dumps(targets))
        )  # fmt: skip
        return found

    for network in ("bridge", f"jailoc-{NAME}_jailoc"):
        for name, answer in from_(network).items():
            known = ("gaierror", "OSError 101", "OSError 113")
            assert answer == "silent" or answer.startswith(known), (network, name)
    # Control: whoever is put into its network by hand reaches it.
    assert from_(f"jailoc-{NAME}_services")["other"] == "hello"


def test_its_container_is_bare(beside: Sandbox) -> None:
    (data,) = json.loads(world.call("docker", "inspect", beside.container("db")))
    host = data["HostConfig"]
    assert (host["ReadonlyRootfs"], host["Privileged"], host["CapAdd"]) == (True, False, None)
    assert host["CapDrop"] == ["ALL"]
    assert [each for each in data["Mounts"] if each["Type"] == "bind"] == []
    status = world.call("docker", "exec", beside.container("db"), "cat", "/proc/1/status")
    assert [each.split()[1] for each in status.splitlines() if each.startswith("Cap")] == [
        "0000000000000000"
    ] * 5
    place = world.call(
        "docker", "exec", beside.container("db"), "stat", "-c", "%u", "/run/postgresql"
    )
    assert place == "999\n"


def test_verify_plan_and_status_know_it(beside: Sandbox) -> None:
    result = beside.user.run("verify", NAME, "--all")
    assert result.status == 0, result.stdout + result.stderr
    assert "db" in result.stdout
    beside.user.nothing_to_do(NAME)
    (row,) = json.loads(beside.user.ok("status", NAME, "--json"))["workspaces"]
    assert row["services"] == {"db": "running"}
    assert row["docker"] == "off"
    assert "db" in beside.user.ok("logs", NAME, "--service", "db", "--tail", "1")


def test_a_service_that_cannot_start_touches_nothing_and_has_no_log(beside: Sandbox) -> None:
    before = beside.user.config.read_text()
    agent = beside.container("opencode")
    table = f"[workspaces.{NAME}.services.queue]"
    try:
        beside.user.write(
            f'{before}\n{table}\nimage = "jailoc-test-none:1"\nports = [6000]\n'
            'user = "999:999"\nhealthcheck = ["true"]\n'
        )
        log = beside.user.run("logs", NAME, "--service", "queue")
        assert log.status == 1
        assert f"service `queue` of workspace `{NAME}` has no container yet" in log.stderr
        assert f"hint: `jailoc up {NAME}` starts it" in log.stderr
        failed = beside.user.run("up", NAME)
        assert failed.status == 1
        assert f"{NAME}: nothing that runs was touched" in failed.stderr
        assert beside.container("opencode") == agent
    finally:
        beside.user.write(before)
    other = beside.user.run("logs", NAME, "--service", "nosuch")
    assert f"workspace `{NAME}` has no service `nosuch`" in other.stderr


def test_a_service_that_moves_is_followed(beside: Sandbox) -> None:
    database, network = beside.container("db"), f"jailoc-{NAME}_services"
    before = addresses(database)["services"]
    world.call("docker", "network", "disconnect", network, database)
    holder = world.call(
        "docker", "run", "--detach", "--rm", "--log-driver", "none", "--network", network, "--ip",
        before, "--entrypoint", "sleep", IMAGE, "60", check=False,
    ).strip()  # fmt: skip
    try:
        world.call("docker", "network", "connect", "--alias", "db", network, database)
        assert asked(beside) == "42"
    finally:
        if holder:
            world.call("docker", "rm", "--force", holder, check=False)
    beside.user.ok("up", NAME)


def removed(user: User) -> Result:
    return user.run("destroy", NAME, "--yes")


def test_what_it_keeps_outlasts_a_start_and_goes_with_the_workspace(beside: Sandbox) -> None:
    beside.user.ok("restart", NAME)
    assert asked(beside) == "42"
    result = removed(beside.user)
    assert result.status == 0, result.stderr
    label = f"label=com.docker.compose.project=jailoc-{NAME}"
    for kind in ("volume", "network", "container"):
        assert world.call("docker", kind, "ls", "--quiet", "--filter", label) == ""
