"""How long rules take to load, and what they cost a connection: ratios, measured side by side.

    PYTHONPATH=.pkg python -m tests.benchmarks.firewall [--networks 10000]

Needs root, ip(8) and iptables. Everything happens in two network namespaces of its own. Each pair
of measurements is taken in turns in one run, so that a busy machine weighs on both alike; only the
ratios mean something.
"""

import argparse
import ipaddress
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.artefacts import iptables
from jailoc.model.address import Family, Network
from jailoc.model.firewall import Chain, Decision, Policy, Rule, Ruleset, Target

INSIDE, OUTSIDE = "jailoc-bench", "jailoc-bench-peer"
PEER = "10.255.255.2"
PORT = 18200

CONNECT = """
import json, socket, sys, time
place, rounds = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
found = []
for _ in range(rounds):
    start = time.perf_counter()
    with socket.create_connection(place):
        found.append(time.perf_counter() - start)
print(json.dumps(found))
"""
SEND = """
import json, socket, sys, time
place, rounds, size = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), 1 << 20
found = []
for _ in range(rounds):
    start = time.perf_counter()
    with socket.create_connection(place) as peer:
        for _ in range(64):
            peer.sendall(bytes(size))
        peer.shutdown(socket.SHUT_WR)
        peer.recv(1)
    found.append(time.perf_counter() - start)
print(json.dumps(found))
"""
MANY = """
import json, select, socket, struct, sys, time
place, rounds, at_once = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), 100
# Closed by a reset, none of them holds a port afterwards.
reset = struct.pack("ii", 1, 0)
found = []
for _ in range(rounds):
    begin = time.perf_counter()
    doors = {}
    for _ in range(at_once):
        door = socket.socket()
        door.setblocking(False)
        door.connect_ex(place)
        doors[door.fileno()] = door
    poll = select.poll()
    for each in doors:
        poll.register(each, select.POLLOUT)
    while doors:
        for each, _ in poll.poll():
            with doors.pop(each) as door:
                assert door.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
                door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                poll.unregister(each)
    found.append((time.perf_counter() - begin) / at_once)
print(json.dumps(found))
"""
"""Connections, a hundred of them at once; how long each takes of that."""
LISTEN = """
import socket, sys, threading
def swallow():
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("", int(sys.argv[1]) + 1))
        door.listen(8)
        while True:
            with door.accept()[0] as peer:
                while peer.recv(1 << 20):
                    pass
threading.Thread(target=swallow, daemon=True).start()
with socket.socket() as door:
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("", int(sys.argv[1])))
    door.listen(512)
    print("ready", flush=True)
    while True:
        door.accept()[0].close()
"""


def call(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def inside(*command: str, text: str | None = None) -> str:
    return call("ip", "netns", "exec", INSIDE, *command, text=text)


@contextmanager
def namespaces() -> Iterator[None]:
    """Make two namespaces with a wire between them, and somebody who answers at its end."""
    for name in (INSIDE, OUTSIDE):
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        call("ip", "netns", "add", name)
    try:
        call("ip", "link", "add", "wire", "netns", INSIDE, "type", "veth", "peer", "name", "wire",
             "netns", OUTSIDE)  # fmt: skip
        for name, address in ((INSIDE, "10.255.255.1/24"), (OUTSIDE, f"{PEER}/24")):
            call("ip", "-n", name, "address", "add", address, "dev", "wire")
            for device in ("wire", "lo"):
                call("ip", "-n", name, "link", "set", device, "up")
        with subprocess.Popen(
            ["ip", "netns", "exec", OUTSIDE, sys.executable, "-c", LISTEN, str(PORT)],
            stdout=subprocess.PIPE,
        ) as listener:
            try:
                assert listener.stdout
                listener.stdout.readline()
                yield
            finally:
                listener.kill()
    finally:
        for name in (INSIDE, OUTSIDE):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def networks(count: int) -> list[Network]:
    """Return networks that are all different; the last one holds the peer."""
    numbers = random.Random(1).sample(range(1 << 20), count - 1)  # noqa: S311 -- no secret
    found: list[Network] = [
        ipaddress.ip_network(((10 << 24) + (number << 4), 28)) for number in sorted(numbers)
    ]
    return [*found, ipaddress.ip_network(f"{PEER}/32")]


def tree(count: int) -> Ruleset:
    """Return the rules that jailoc makes of so many networks."""
    decisions = [Decision(network=each, accept=True, reason="allowed") for each in networks(count)]
    decisions += [
        Decision(network=each, accept=False, reason="everything else") for each in walls.EVERYTHING
    ]
    return walls.lower(Policy(decisions=tuple(decisions), published_port=None, names=())).ipv4


def flat(count: int) -> Ruleset:
    """Return the same as one long chain, for comparison."""
    rules = tree(1).rules
    allowed = tuple(
        Rule(chain=Chain.OUTPUT, target=Target.ACCEPT, destination=each, comment="allowed")
        for each in networks(count)
    )
    return Ruleset(family=Family.IPV4, rules=(*allowed, *rules))


NONE = "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n"
"""No wall at all."""


def load(rules: Ruleset) -> float:
    """Load rules in one transaction; return the seconds it took."""
    return load_text(iptables.restore(rules))


def load_text(text: str) -> float:
    """Load the text of rules in one transaction; return the seconds it took."""
    start = time.perf_counter()
    inside("iptables-restore", text=text)
    return time.perf_counter() - start


def one_by_one(count: int) -> float:
    """Append as many rules, one process each, as the reference does; return the seconds."""
    inside("iptables", "-F", "OUTPUT")
    wanted = networks(count)
    start = time.perf_counter()
    for each in wanted:
        inside("iptables", "-A", "OUTPUT", "-d", str(each), "-j", "ACCEPT")
    return time.perf_counter() - start


def latency(
    walls: tuple[str, ...], rounds: int, connections: int, program: str = CONNECT
) -> list[float]:
    """Return the median seconds of a connection behind each wall, taken in turns.

    Args:
        walls: The rules, as iptables-restore(8) reads them.
        rounds: Turns that each gets.
        connections: Connections in each turn, of MANY hundreds of them.
        program: What connects; SEND carries 64 MiB away by each.
    """
    port = PORT + 1 if program is SEND else PORT
    found: list[list[float]] = [[] for _ in walls]
    for _ in range(rounds):
        for times, each in zip(found, walls, strict=True):
            load_text(each)
            text = inside(sys.executable, "-c", program, PEER, str(port), str(connections))
            times.extend(json.loads(text)[connections // 10 :])
    return [statistics.median(each) for each in found]


def measure(
    count: int, processes: int, rounds: int = 6, connections: int = 400
) -> dict[str, float]:
    """Return the ratios.

    Args:
        count: Allowed networks.
        processes: Rules that are really loaded one by one; each costs the more the more there are,
            so to multiply their mean by `count` favours the other side.
        rounds: Turns that each set of rules gets.
        connections: Connections in each turn.
    """
    few, many, long = tree(10), tree(count), flat(count)
    with namespaces():
        whole = statistics.median(load(many) for _ in range(3))
        single = one_by_one(processes) / processes * count
        texts = (NONE, *map(iptables.restore, (few, many, long)))
        none, small, large, linear = latency(texts, rounds, connections)
        free, walled = latency((texts[0], texts[2]), rounds, 5, SEND)
        open_, behind_few, behind_many = latency(texts[:3], rounds, 50, MANY)
    return {
        "load: one process a rule / one transaction": single / whole,
        f"latency: {count} networks / no wall": large / none,
        f"latency: {count} networks / 10 networks": large / small,
        f"64 MiB sent: {count} networks / no wall": walled / free,
        "connections a second: 10 networks / no wall": open_ / behind_few,
        f"connections a second: {count} networks / no wall": open_ / behind_many,
        f"latency: {count} networks in one flat chain / 10 networks": linear / small,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=500)
    options = parser.parse_args()
    for name, ratio in measure(options.networks, options.processes).items():
        sys.stdout.write(f"{ratio:10.2f}  {name}\n")


if __name__ == "__main__":
    main()
