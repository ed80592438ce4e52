"""What a request costs that goes through the proxy of credentials, against the host itself.

    PYTHONPATH=.pkg python -m tests.benchmarks.proxy [--rounds 7]

Needs an engine. The same client asks the same server by the same name, in turns: from the agent,
where the name leads to the proxy, and from a container beside the sandbox, where it is the host.
Both speak TLS; the proxy speaks it twice, and looks through every answer.
"""

import argparse
import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from tests.engine import world
from tests.engine.conftest import network
from tests.engine.keys import Keys, prepared, started, value

CLIENT = r"""
import http.client, json, ssl, sys, time
authority, requests, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
peer = http.client.HTTPSConnection(
    "api.creds.test", context=ssl.create_default_context(cafile=authority), timeout=60)
def ask(path):
    peer.request("GET", path, headers={"Authorization": "Bearer jailoc-api"})
    answer = peer.getresponse()
    while answer.read(1 << 16):
        pass
    return answer.status
assert ask("/whoami") == 200
took = []
for _ in range(requests):
    begin = time.perf_counter()
    ask("/whoami")
    took.append(time.perf_counter() - begin)
begin = time.perf_counter()
ask(f"/v1/big?{size}")
print(json.dumps([sorted(took)[len(took) // 2] * 1000, size / (time.perf_counter() - begin)]))
"""
INSIDE, BESIDE = "through the proxy", "direct"


@contextmanager
def beside(keys: Keys) -> Iterator[str]:
    """Run a container of the agent's image in the network of the sandbox; yield its name."""
    image = json.loads(world.call("docker", "inspect", keys.container("opencode")))[0]["Image"]
    name = world.call(
        "docker", "run", "--detach", "--rm", "--init", "--log-opt", "max-size=1m",
        "--network", network(keys.sandbox), "--volume", f"{keys.made}:/made:ro",
        "--entrypoint", "sleep", image, "1800",
    ).strip()  # fmt: skip
    try:
        yield name
    finally:
        world.call("docker", "rm", "--force", name, check=False)


def measure(rounds: int = 7, requests: int = 500, size: int = 64) -> dict[str, float]:
    """Return medians: milliseconds of a request, MiB a second, and their ratios."""
    found: dict[str, list[list[float]]] = {INSIDE: [], BESIDE: []}
    with world.home("bench") as user:
        made = user.home / "made"
        for place in (user.home / "work", made):
            place.mkdir()
            place.chmod(0o777)
        keys = Keys(user, made, {each: value(each) for each in ("api", "git", "npm")})
        prepared(keys, "")
        with started(keys), beside(keys) as other:
            for _ in range(rounds):
                for where, container, authority in (
                    (INSIDE, keys.container("opencode"), "/run/trust/bundle.pem"),
                    (BESIDE, other, "/made/ca.crt"),
                ):
                    text = world.call(
                        "docker", "exec", container, "python3", "-c", CLIENT, authority,
                        str(requests), str(size),
                    )  # fmt: skip
                    found[where].append(json.loads(text))
    seen: dict[str, float] = {}
    for index, what in enumerate(("milliseconds of a request", "MiB a second")):
        one, other_way = (
            statistics.median(each[index] for each in found[where]) for where in (INSIDE, BESIDE)
        )
        seen |= {f"{what}, {INSIDE}": one, f"{what}, {BESIDE}": other_way,
                 f"{what}, ratio": one / other_way}  # fmt: skip
    return seen


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    for name, figure in measure(parser.parse_args().rounds).items():
        print(f"{name}: {figure:.2f}")  # noqa: T201
