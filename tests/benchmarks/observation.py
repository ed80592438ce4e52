"""What it costs that the kernel tells of connections: how many a second, with and without.

    PYTHONPATH=.pkg python -m tests.benchmarks.observation [--rounds 10]

Needs root, ip(8) and iptables. As in the firewall's benchmark everything happens in two network
namespaces of its own, in turns; the reader that the wall has runs beside, and counts.
"""

import argparse
import ipaddress
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.assets import evidence
from jailoc.model.firewall import Decision, Policy, Ruleset
from tests.benchmarks.firewall import CONNECT, INSIDE, PEER, PORT, inside, load, namespaces

READER = """
import pathlib, select, sys, tempfile, time
sys.path.insert(0, sys.argv[1])
import evidence
door = evidence.opened()
kept = evidence.Recorder(pathlib.Path(tempfile.mkdtemp()) / "evidence.json", door)
print("ready", flush=True)
while True:
    select.select([door], [], [])
    kept.read()
    time.sleep(0.05)
"""


def rules(observe: bool) -> Ruleset:
    """Return rules that let the peer through, and tell of it or not."""
    decisions = tuple(
        Decision(network=each, accept=accept, reason="allowed" if accept else "everything else")
        for each, accept in (
            (ipaddress.ip_network(f"{PEER}/32"), True),
            *((each, False) for each in walls.EVERYTHING),
        )
    )
    return walls.lower(
        Policy(decisions=decisions, published_port=None, names=(), observe=observe)
    ).ipv4


@contextmanager
def reader() -> Iterator[None]:
    """Read what the kernel tells in the namespace, as the wall's resolver does."""
    place = str(Path(evidence.__file__).parent)
    with subprocess.Popen(
        ["ip", "netns", "exec", INSIDE, sys.executable, "-c", READER, place],
        stdout=subprocess.PIPE,
    ) as running:
        try:
            assert running.stdout
            assert running.stdout.readline() == b"ready\n"
            yield
        finally:
            running.kill()


def measure(rounds: int = 10, connections: int = 1000) -> dict[str, float]:
    """Return connections a second without and with, and the ratio of the medians."""
    found: dict[bool, list[float]] = {False: [], True: []}
    with namespaces(), reader():
        for _ in range(rounds):
            for observe, rates in found.items():
                load(rules(observe))
                text = inside(sys.executable, "-c", CONNECT, PEER, str(PORT), str(connections))
                rates.append(connections / sum(json.loads(text)))
    plain, told = (statistics.median(found[each]) for each in (False, True))
    return {"plain": plain, "observed": told, "observed against plain": told / plain}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    for name, value in measure(parser.parse_args().rounds).items():
        print(f"{name}: {value:.2f}")  # noqa: T201
