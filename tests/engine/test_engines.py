"""The core story on the other engines that can be had here: Debian's Docker and Podman.

Each is fetched once and kept (`tests/engine/engines remove` takes it away); what cannot be had is
skipped by name. `docs/reference/engines.md` tells what was seen.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.engine import world

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

SCRIPT = str(world.ROOT / "tests/engine/engines")
UNAVAILABLE = 3
CASES = [
    ("docker@trixie", "2.20.3"),
    ("docker@trixie", ""),
    ("docker@forky", "2.30.3"),
    ("docker@forky", ""),
    ("docker@forky", "5.6.1.0"),
    ("docker-rootless@trixie", ""),
    ("docker-rootless@forky", ""),
    ("podman@trixie", ""),
    ("podman@forky", ""),
    ("podman-rootless@trixie", ""),
    ("podman-rootless@forky", ""),
]
MACHINE = "docker@machine"
USERS = {
    "1000": ("--uid", "1000"),
    "1234-umask-077": ("--uid", "1234", "--umask", "077"),
    "root-whose-project-stays-root's": ("--uid", "0", "--kept"),
}
WITHOUT_SIDECAR = ("docker-rootless", "podman")
"""Engines in which no further Docker without root can run."""


def fetched(*words: str) -> None:
    """Fetch something, or skip with the reason why it cannot be had."""
    done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False)
    if done.returncode == UNAVAILABLE:
        pytest.skip(f"{' '.join(words)}: {done.stderr.strip().rpartition(chr(10))[2]}")
    assert done.returncode == 0, done.stderr


def whole(name: str, *options: str, compose: str = "") -> None:
    """Tell the story, of which every step has to go well; print it, with its figures."""
    docker = "0" if name.startswith(WITHOUT_SIDECAR) else "1"
    done = subprocess.run(
        [SCRIPT, "run", name, sys.executable, "-m", "tests.engine.story", *options],
        cwd=world.ROOT,
        env=os.environ | {"JAILOC_COMPOSE": compose, "JAILOC_STORY_DOCKER": docker},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    told = next((line for line in done.stdout.splitlines() if line.startswith("{")), None)
    assert told is not None, done.stderr[-6000:]
    sys.stdout.write(told)  # figures for the table: pytest -rP
    wrong = [each for each in json.loads(told)["steps"] if not each["ok"]]
    assert not wrong, json.dumps(wrong, indent=1)
    assert done.returncode == 0


@pytest.mark.parametrize(("name", "compose"), CASES, ids=lambda each: each or "own")
def test_the_story_is_the_same_on(name: str, compose: str) -> None:
    fetched("fetch", name)
    if compose:
        fetched("compose", compose)
    whole(name, compose=compose)


@pytest.mark.parametrize("options", USERS.values(), ids=USERS)
def test_the_story_on_this_machines_docker_is_the_same_for(options: tuple[str, ...]) -> None:
    fetched("fetch", MACHINE)
    whole(MACHINE, *options)


def test_an_engine_that_remaps_users_is_refused_before_anything_is_made() -> None:
    fetched("fetch", "docker-userns@forky")
    words = (SCRIPT, "run", "docker-userns@forky", sys.executable, "-m", "tests.engine.story")
    told = json.loads(world.call(*words, check=False).strip().rpartition("\n")[2])
    (last,) = [each for each in told["steps"] if not each["ok"]]
    assert last["step"] == "up"
    assert "`userns-remap`" in last["problem"]
    assert "starting" not in last["problem"]


def traces() -> list[str]:
    """Return what running engines have on this machine: namespaces and rules."""
    told = [world.call("ip", "netns"), *(world.call("iptables", "-t", table, "-S")
                                         for table in ("nat", "filter"))]  # fmt: skip
    lines = (line for text in told for line in text.splitlines())
    return sorted(each for each in lines if "jailoc-engine" in each or "10.252." in each)


def test_a_stopped_engine_leaves_nothing_behind() -> None:
    fetched("fetch", "docker@trixie")
    before = traces()
    script = "ip netns identify; docker version --format '{{.Server.Version}}'"
    namespace, version = world.call(SCRIPT, "run", "docker@trixie", "sh", "-c", script).split()
    assert namespace.startswith("jailoc-engine")
    assert version
    assert traces() == before


@pytest.mark.parametrize("name", ["podman@trixie", "podman-rootless@trixie"])
def test_an_agent_leaves_its_covers_behind_where_the_engine_lets_it_make_namespaces(
    name: str,
) -> None:
    """On Podman by its own profile; not by ours, given to it as its own. `up` tells which it is."""
    fetched("fetch", name)
    done = subprocess.run(
        [SCRIPT, "run", name, sys.executable, "-m", "tests.engine.namespaces"],
        cwd=world.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    line = next((each for each in done.stdout.splitlines() if each.startswith("{")), None)
    assert line is not None, done.stderr[-6000:]
    assert json.loads(line) == {
        "own": [True, {"covered": "held", "namespaces": "renamed"}],
        "ours": [False, {"covered": "held", "namespaces": "refused"}],
    }
