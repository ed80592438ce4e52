"""The pod of a cluster runs on Podman's `kube play`, behind the same wall and its start gate."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from tests.engine import world
from tests.engine.pod import NAMES, SETTINGS, TEXT
from tests.engine.test_engines import SCRIPT, fetched
from tests.generators.kubernetes.cluster import settings

pytestmark = [pytest.mark.engine, pytest.mark.thorough]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Build the images on this engine, hand them to Podman, and let the program tell."""
    fetched("fetch", "podman@trixie")
    with world.home("pod") as user:
        user.write(world.certificates() + settings(**SETTINGS) + TEXT)
        tags = json.loads(user.ok("images", "build", "--json"))["images"]
    archive = str(tmp_path_factory.mktemp("pod") / "images.tar")
    world.call("docker", "save", "--output", archive, *tags)
    names = [f"localhost/{each}" for each in tags]
    done = subprocess.run(
        [SCRIPT, "run", "podman@trixie", sys.executable, "-m", "tests.engine.pod", *names],
        cwd=world.ROOT, env=os.environ | {"JAILOC_ENGINES_IMAGES": archive},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    line = next((each for each in done.stdout.splitlines() if each.startswith("{")), None)
    assert line is not None, done.stderr[-6000:]
    found: dict[str, Any] = json.loads(line)
    assert "problem" not in found, json.dumps(found, indent=1)
    assert found["play"][0] == 200, json.dumps(found, indent=1)
    return found


def test_the_wall_of_a_pod_loads_its_rules_and_ends(told: dict[str, Any]) -> None:
    status, said = told["wall"]
    assert status == 0
    assert "rules loaded and verified" in said[0]
    assert all(count > 40 for count in told["rules"])


@pytest.mark.parametrize("name", ["names", "agent"])
def test_what_stays_in_a_pod_has_no_power(told: dict[str, Any], name: str) -> None:
    words = told[f"powers of {name}"]
    pairs = dict(pairwise(words))
    for each in ("CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"):
        assert pairs[each] == "0000000000000000"
    assert pairs["NoNewPrivs:"] == "1"
    assert pairs["Seccomp:"] == "2"
    assert pairs["Uid:"] == {"names": "65533", "agent": "1000"}[name]
    assert "Read-only file system" in told[f"root of {name}"]


def test_a_pod_reaches_what_its_rules_open_and_nothing_else(told: dict[str, Any]) -> None:
    *wrong, count = told["matrix"]
    assert wrong == []
    assert count == "17 destinations"


def test_names_resolve_in_a_pod_and_open_no_address_of_the_cluster(told: dict[str, Any]) -> None:
    assert told["resolved"] == {
        **{name: [address] for name, address in NAMES.items()}, "other.invalid": [],
    }  # fmt: skip


def test_an_agent_that_restarts_alone_passes_the_gate(told: dict[str, Any]) -> None:
    assert told["restarted alone"] < 90


def test_the_gate_holds_where_rules_are_gone(told: dict[str, Any]) -> None:
    """The file that says which network is closed is still right."""
    assert told["rules flushed"][1] is False


def test_the_gate_holds_in_a_new_network_without_a_wall(told: dict[str, Any]) -> None:
    """Without it the agent would run there: no rule is loaded."""
    rules, served = told["in a new network"]
    assert rules == [0, 0]
    assert served is False


def test_a_pod_that_is_stopped_and_started_has_its_wall_again(told: dict[str, Any]) -> None:
    _, rules = told["stopped and started"]
    assert rules == told["rules"]
