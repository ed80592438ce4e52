"""No name and no range opens the machine, whatever a zone answers and whatever a range holds.

The machine here is the one the tests run on: it has listeners on every address of its own.
"""

import errno
import ipaddress
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox, friend
from tests.engine.test_names import agent, state, until

pytestmark = pytest.mark.engine

ZONE = """
import socket, sys
answers = dict(each.split("=") for each in sys.argv[1:])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.bind(("", 53))
    print("ready", flush=True)
    while True:
        query, place = door.recvfrom(512)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind, address = query[at + 1 : at + 3], answers.get(".".join(labels).lower())
        found = b""
        if address and kind == b"\\0\\1":
            found = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x05\\0\\4" + socket.inet_aton(address)
        flags = b"\\x81\\x80" if address else b"\\x81\\x83"
        count = b"\\0\\1" if found else b"\\0\\0"
        head = query[:2] + flags + b"\\0\\1" + count + b"\\0" * 4
        door.sendto(head + query[12 : at + 5] + found, place)
"""
"""A zone of the attacker's: it answers for each name with the address that it was told."""
SHOUT = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for place in sys.argv[2:]:
        try:
            door.sendto(place.encode(), (place, int(sys.argv[1])))
        except OSError:
            pass
"""
POOL = "172.16.0.0/12"
WIDE = '["172.16.0.0/12", "192.168.0.0/16"]'


def config(more: str) -> str:
    return f"""{world.certificates()}
[defaults]
enable_docker = false
[workspaces.machine]
paths = ["~/project"]
egress = "allowlist"
{more}
"""


@pytest.fixture(scope="module")
def walled(sandbox: Sandbox) -> Iterator[Sandbox]:
    sandbox.user.ok("down", "walled")
    world.remove("jailoc-machine")
    with world.home("machine") as user:
        (user.home / "project").mkdir()
        user.write(config(""))
        user.ok("up", "machine")
        try:
            yield Sandbox(user, "machine")
        finally:
            world.remove("jailoc-machine")
            sandbox.user.ok("up", "walled")


def machine(sandbox: Sandbox) -> dict[str, str]:
    """Return addresses of this machine that the sandbox can send to, by what they are."""
    found = world.gateways(sandbox.container("firewall"))
    bridge = json.loads(world.call("docker", "network", "inspect", "bridge"))[0]["IPAM"]["Config"]
    found["other bridge"] = next(
        str(ipaddress.ip_network(each["Subnet"])[1]) for each in bridge if "." in each["Subnet"]
    )
    found["uplink"] = world.UPLINK
    found["public"] = world.OWN
    return found


def answers(sandbox: Sandbox, places: dict[str, str], port: int) -> dict[str, str]:
    targets = [(name, address, port) for name, address in places.items()]
    found = world.probe(sandbox.container("opencode"), targets)
    return {name: word for name, (word, _) in found.items()}


def opened(sandbox: Sandbox, places: dict[str, str]) -> set[str]:
    found = answers(sandbox, places, world.OTHER_PORT)
    return {name for name, word in found.items() if word == "hello"}


def renew(sandbox: Sandbox, more: str) -> None:
    sandbox.user.write(config(more))
    sandbox.user.ok("refresh", sandbox.name)


def test_no_allowed_range_opens_the_machine(walled: Sandbox) -> None:
    places = machine(walled)
    with friend(walled) as (_, neighbour):
        renew(walled, f'allowed_networks = {WIDE[:-1]}, "10.0.0.0/8", "11.0.0.0/8", "fd00::/8"]\n')
        assert not opened(walled, places)
        # The ranges are open: what they hold and is not the machine answers.
        beside = {"neighbour": neighbour, "outside": world.ALLOWED}
        assert set(answers(walled, beside, world.PORT).values()) == {"hello"}


def test_a_machines_address_that_is_named_alone_is_open(walled: Sandbox) -> None:
    places = machine(walled)
    for name in places:
        length = 128 if ":" in places[name] else 32
        renew(walled, f'allowed_networks = ["{places[name]}/{length}"]\n')
        assert opened(walled, places) == {name}


@contextmanager
def evil_zone(walled: Sandbox, places: dict[str, str]) -> Iterator[dict[str, str]]:
    """Allow the names of a zone that answers with addresses of the machine; yield the names."""
    zone = {f"{name.replace(' ', '-')}.evil.test": each for name, each in places.items()}
    zone["good.evil.test"] = world.ALLOWED
    wall = walled.container("firewall")
    with friend(walled) as (server, address):
        world.call("docker", "exec", "--detach", "--user", "0", server, "python3", "-c", ZONE,
                   *(f"{name}={each}" for name, each in zone.items()))  # fmt: skip
        renew(walled, f"allowed_hosts = {json.dumps(sorted(zone))}\n")
        inspected = json.loads(world.call("docker", "inspect", wall))[0]
        resolvers = Path(inspected["ResolvConfPath"])
        before = resolvers.read_text()
        try:
            resolvers.write_text(f"nameserver {address}\n")
            world.call("docker", "exec", wall, "sh", "/etc/jailoc/firewall.sh", "reload")
            assert until(lambda: bool(state(walled)["names"]["good.evil.test"]), 30)
            # The zone is believed, and what is not the machine opens.
            names = {name: name for name in zone}
            assert answers(walled, {"good": "good.evil.test"}, world.PORT) == {"good": "hello"}
            yield names
        finally:
            resolvers.write_text(before)
            renew(walled, "")


def addresses(walled: Sandbox) -> dict[str, str]:
    return {name: each for name, each in machine(walled).items() if ":" not in each}


def test_no_allowed_name_opens_the_machine_whatever_its_zone_answers(walled: Sandbox) -> None:
    places = addresses(walled)
    with evil_zone(walled, places) as names:
        assert not opened(walled, names)
        assert not opened(walled, places)


def renewed_resolver(sandbox: Sandbox) -> None:
    """End the resolver, and wait until there is another one."""

    def pid() -> str:
        place = "/run/jailoc/names/pid"
        return world.call("docker", "exec", sandbox.container("firewall"), "cat", place)

    before = pid()
    signal_resolver(sandbox, "TERM")
    assert until(lambda: pid() != before, 20)


@contextmanager
def blind(walled: Sandbox) -> Iterator[None]:
    """Let the resolver not see what the machine has by now."""
    program = walled.user.home / ".cache/jailoc/machine/wall/machine.py"
    text = program.read_text()
    seeing = "def by_now(tables: Path = TABLES) -> frozenset[str]:\n"
    assert seeing in text
    try:
        program.write_text(text.replace(seeing, f"{seeing}    return frozenset()\n"))
        signal_guard(walled, "TERM")
        renewed_resolver(walled)
        yield
    finally:
        program.write_text(text)
        signal_guard(walled, "TERM")
        renewed_resolver(walled)


@pytest.mark.thorough
def test_control_without_rules_for_the_machine_such_a_name_opens_it(walled: Sandbox) -> None:
    places, wall = addresses(walled), walled.container("firewall")
    with evil_zone(walled, places):
        script = ": >/run/jailoc/machine; iptables -F JAILOC-MACHINE"
        world.call("docker", "exec", "--user", "0", wall, "sh", "-c", script)
        with blind(walled):
            assert until(lambda: bool(opened(walled, places)), 30)


LATER = ipaddress.ip_network("172.29.77.0/24")
"""A network that nobody has before a test makes it."""


@contextmanager
def later_network() -> Iterator[str]:
    """Have the engine make a network, as another project's start does; yield its gateway."""
    name, gateway = "jailoc-test-later", str(LATER[1])
    world.call("docker", "network", "create", f"--subnet={LATER}", f"--gateway={gateway}", name)
    try:
        yield gateway
    finally:
        world.call("docker", "network", "rm", name)


def closed_by_now(sandbox: Sandbox) -> str:
    """Return the kernel's list of what has become the machine's."""
    return world.call("docker", "exec", "--user", "0", sandbox.container("firewall"),
                      "cat", "/proc/net/xt_recent/v4:.machine")  # fmt: skip


def signal_resolver(sandbox: Sandbox, signal: str) -> None:
    script = f"kill -{signal} $(cat /run/jailoc/names/pid)"
    world.call("docker", "exec", "--user", "65533", sandbox.container("firewall"),
               "sh", "-c", script)  # fmt: skip


def signal_guard(sandbox: Sandbox, signal: str) -> None:
    """Send a signal to what looks at the machine's addresses."""
    script = f"kill -{signal} $(cat /proc/$(cat /run/jailoc/names/guard)/task/*/children)"
    world.call("docker", "exec", "--user", "65533", sandbox.container("firewall"),
               "sh", "-c", script)  # fmt: skip


def test_what_becomes_the_machines_later_is_closed_in_an_allowed_range(walled: Sandbox) -> None:
    renew(walled, f"allowed_networks = {WIDE}\n")
    signal_guard(walled, "STOP")
    try:
        with later_network() as gateway:
            # The control: while nobody tells the wall, the range holds it.
            assert opened(walled, {"later": gateway})
            signal_guard(walled, "CONT")
            assert until(lambda: not opened(walled, {"later": gateway}), 10)
            assert gateway in closed_by_now(walled)
    finally:
        signal_guard(walled, "CONT")
    assert until(lambda: gateway not in closed_by_now(walled), 10)


NEIGHBOURS = {"11.22.77.1/24": "11.22.77.2", "2a0f:dead:beef:1::1/64": "2a0f:dead:beef:1::2"}
"""Addresses that a provider could give this machine, with whoever is beside it then."""


@contextmanager
def neighbours() -> Iterator[list[str]]:
    """Have others behind this machine; yield commands that make it one of their networks."""
    for other in NEIGHBOURS.values():
        length, via = (128, world.DOWNLINK_IPV6) if ":" in other else (32, world.DOWNLINK)
        wide = f"{other}/{length}"
        world.call("ip", "-n", world.NAMESPACE, "address", "add", wide, "dev", "jailoc-down",
                   *(["nodad"] if ":" in wide else []))  # fmt: skip
        world.call("ip", "route", "replace", wide, "via", via)
    try:
        yield [f"{mine} dev jailoc-up{' nodad' * (':' in mine)}" for mine in NEIGHBOURS]
    finally:
        for mine, other in NEIGHBOURS.items():
            length = 128 if ":" in other else 32
            world.call("ip", "address", "delete", mine, "dev", "jailoc-up", check=False)
            world.call("ip", "route", "delete", f"{other}/{length}", check=False)
            world.call("ip", "-n", world.NAMESPACE, "address", "delete", f"{other}/{length}",
                       "dev", "jailoc-down", check=False)  # fmt: skip


def test_no_neighbour_is_reached_by_a_public_address(walled: Sandbox) -> None:
    open_internet = config("").replace('egress = "allowlist"\n', "")
    walled.user.write(open_internet)
    walled.user.ok("refresh", walled.name)
    targets = {each: each for each in NEIGHBOURS.values()}

    def reached() -> set[str]:
        found = answers(walled, targets, world.PORT)
        return {each for each, word in found.items() if word == "hello"}

    with neighbours() as commands:
        assert reached() == {*targets}, "the control: far away, they are a part of the internet"
        for each in commands:
            world.call("ip", "address", "add", *each.split())
        # What the provider gives meanwhile counts for IPv6, whose networks are of one size.
        assert until(lambda: reached() == {"11.22.77.2"}, 10)
        walled.user.ok("refresh", walled.name)
        assert not reached()
        for entry, other in (("11.22.77.2/32", "11.22.77.2"),
                             ("2a0f:dead:beef:1::/64", "2a0f:dead:beef:1::2")):  # fmt: skip
            walled.user.write(open_internet + f'allowed_networks = ["{entry}"]\n')
            walled.user.ok("refresh", walled.name)
            assert reached() == {other}, "named"
    walled.user.write(open_internet)
    walled.user.ok("refresh", walled.name)


SQUAT = """
import socket, sys
for port in map(int, sys.argv[1:]):
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family, socket.SOCK_DGRAM) as door:
            try:
                door.bind(("", port))
                print(port, "bound")
            except OSError as error:
                print(port, error.errno)
"""


def test_neither_a_busy_resolver_nor_a_taken_port_keeps_it_open(walled: Sandbox) -> None:
    renew(walled, f"allowed_networks = {WIDE}\n")
    said = agent(walled, SQUAT, "1023", "1022")
    # Control: what nobody holds can be taken; the agent is in the same network.
    assert said.split("\n")[:4] == [
        f"1023 {errno.EADDRINUSE}", f"1023 {errno.EADDRINUSE}", "1022 bound", "1022 bound",
    ]  # fmt: skip
    signal_resolver(walled, "STOP")
    try:
        with later_network() as gateway:
            assert until(lambda: not opened(walled, {"later": gateway}), 3)
    finally:
        signal_resolver(walled, "CONT")


ENOUGH = "/home/agent/enough"
ALWAYS = """
import os, socket, sys
while not os.path.exists(sys.argv[3]):
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.2) as found:
            print("open", flush=True)
            break
    except OSError:
        pass
"""
"""Tries to connect until somebody has enough."""


def test_rules_that_are_loaded_anew_open_it_at_no_moment(walled: Sandbox) -> None:
    """What closes it leaves it to the rules once these are there, and not before."""
    renew(walled, f"allowed_networks = {WIDE}\n")
    agents = walled.container("opencode")
    world.call("docker", "exec", agents, "rm", "-f", ENOUGH)
    with later_network() as gateway:
        assert until(lambda: gateway in closed_by_now(walled), 10)
        command = ["docker", "exec", "--user", "1000:1000", agents, "/usr/bin/python3", "-c",
                   ALWAYS, gateway, str(world.OTHER_PORT), ENOUGH]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trying:
            for each in range(4):
                # Another range each time, so that there is something to load.
                renew(walled, f'allowed_networks = ["10.77.{each}.0/24", "{POOL}"]\n')
            world.call("docker", "exec", agents, "touch", ENOUGH)
            found, _ = trying.communicate(timeout=30)
        assert not found
    assert until(lambda: gateway not in closed_by_now(walled), 10)


FILL = """
import os, socket, struct, sys, time
one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
one.bind(("127.0.0.1", 7001))
other.bind(("", 7002))
end = time.monotonic() + 120
while time.monotonic() < end:
    for number in range(int(sys.argv[1])):
        if not number % 1000 and os.path.exists(sys.argv[2]):
            sys.exit()
        place = struct.pack("!I", (127 << 24) + (1 << 16) + number)
        told = struct.pack("=I4s4s", 0, place, bytes(4))
        try:
            one.sendto(b"", (socket.inet_ntoa(place), 7002))
            other.sendmsg([b""], [(socket.IPPROTO_IP, socket.IP_PKTINFO, told)], 0,
                          ("127.0.0.1", 7001))
        except OSError:
            pass
"""
"""Fills the table of connections with some that were answered, which no new one displaces."""
TRACKED = Path("/proc/sys/net/netfilter")


@contextmanager
def full_table(sandbox: Sandbox) -> Iterator[None]:
    """Have the agent fill it; what it holds is forgotten soon after."""
    inspected = json.loads(world.call("docker", "inspect", sandbox.container("firewall")))[0]
    inside = ("nsenter", "--net", "--target", str(inspected["State"]["Pid"]))
    for each in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
        world.call(*inside, "sh", "-c", f"echo 20 >{TRACKED / each}")
    world.call("docker", "exec", sandbox.container("opencode"), "rm", "-f", ENOUGH)
    most = int((TRACKED / "nf_conntrack_max").read_text())

    def count() -> int:
        return int(world.call(*inside, "cat", str(TRACKED / "nf_conntrack_count")))

    world.call("docker", "exec", "--detach", sandbox.container("opencode"), "python3", "-c", FILL,
               str(most), ENOUGH)  # fmt: skip
    try:
        assert until(lambda: count() >= most, 60)
        time.sleep(5)  # until they count as answered (nf_conntrack_proto_udp.c: two seconds)
        yield
    finally:
        world.call("docker", "exec", sandbox.container("opencode"), "touch", ENOUGH)
        assert until(lambda: count() < most // 2, 90)


def untracked(sandbox: Sandbox) -> int:
    """Return how many packets of what closes such addresses were no connections to the kernel."""
    told = world.call("docker", "exec", "--user", "0", sandbox.container("firewall"),
                      "iptables", "-t", "raw", "-n", "-v", "-x", "-L", "OUTPUT")  # fmt: skip
    (rule,) = (line.split() for line in told.splitlines() if "NOTRACK" in line or "CT" in line)
    return int(rule[0])


def test_what_closes_it_takes_no_room_in_the_table_of_connections(walled: Sandbox) -> None:
    """An agent can fill that."""
    renew(walled, f"allowed_networks = {WIDE}\n")
    before = untracked(walled)
    with later_network() as gateway:
        assert until(lambda: gateway in closed_by_now(walled), 10)
    assert untracked(walled) > before


@pytest.mark.thorough
def test_a_full_table_of_connections_keeps_nothing_open(walled: Sandbox) -> None:
    """Where a connection finds no room, its first packet is dropped before any rule counts it."""
    renew(walled, f"allowed_networks = {WIDE}\n")
    with full_table(walled), later_network() as gateway:
        assert until(lambda: gateway in closed_by_now(walled), 5)


LATE = "/run/jailoc/names/guard-late"
WATCH = f"for _ in $(seq 100); do [ ! -e {LATE} ] || exec echo late; sleep .1; done"


@pytest.mark.thorough
def test_control_tracked_as_a_connection_it_is_not_counted(walled: Sandbox) -> None:
    """It is tried again at each look then, and until it has room that is no health."""
    renew(walled, f"allowed_networks = {WIDE}\n")
    wall = walled.container("firewall")
    world.call("docker", "exec", "--user", "0", wall, "iptables", "-t", "raw", "-F")
    try:
        with full_table(walled):
            command = ["docker", "exec", wall, "sh", "-c", WATCH]
            watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            with watching, later_network():
                said, _ = watching.communicate(timeout=60)
        assert said == "late\n"
    finally:
        renew(walled, "")


def test_no_allowed_name_opens_what_becomes_the_machines_later(walled: Sandbox) -> None:
    with evil_zone(walled, {"later": str(LATER[1])}) as names, later_network() as gateway:
        # The first question comes the moment that the network is there.
        assert not opened(walled, names)
        assert not opened(walled, {"later": gateway})
        assert until(lambda: not state(walled)["names"]["later.evil.test"], 5)
    assert until(lambda: str(LATER[1]) not in closed_by_now(walled), 10)


def heard(sandbox: Sandbox, *places: str) -> set[str]:
    """Have the agent send a datagram to each address, and return those that arrived here."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("", 0))
        door.settimeout(1)
        agent(sandbox, SHOUT, str(door.getsockname()[1]), *places)
        found = set()
        while True:
            try:
                found.add(door.recv(100).decode())
            except TimeoutError:
                return found


def test_no_allowed_range_carries_a_datagram_to_every_listener_of_the_machine(
    walled: Sandbox,
) -> None:
    """The broadcast addresses of its networks are addresses of the machine, too."""
    table = Path("/proc/net/fib_trie").read_text()
    every = set(re.findall(r"\|-- ([0-9.]+)\n\s+/32 link BROADCAST", table))
    places = [each for each in every if ipaddress.ip_address(each) in ipaddress.ip_network(POOL)]
    assert places
    renew(walled, "allowed_networks = [{}]\n".format(", ".join(f'"{each}/32"' for each in places)))
    assert heard(walled, *places)  # named alone they carry
    renew(walled, f"allowed_networks = {WIDE}\n")
    assert not heard(walled, *places)


def test_host_ports_open_their_port_of_the_machine_and_no_range_another(walled: Sandbox) -> None:
    places = {"gateway": world.gateways(walled.container("firewall"))["gateway"]}
    renew(walled, f"allowed_networks = {WIDE}\nhost_ports = [{world.OTHER_PORT}]\n")
    assert answers(walled, places, world.OTHER_PORT) == {"gateway": "hello"}
    assert answers(walled, places, world.THIRD_PORT) == {"gateway": "ConnectionRefusedError"}
