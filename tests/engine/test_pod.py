"""The pod of a cluster runs on Podman's `kube play`, behind the same wall and its start gate."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jailoc.generators.assets import asset
from jailoc.generators.kubernetes import sidecar
from jailoc.model.sandbox import SIDECAR_SOCKET
from tests.engine import world
from tests.engine.pod import IMAGES, NAMES, SETTINGS, TEXT, eventually
from tests.engine.test_engines import SCRIPT, fetched
from tests.generators.kubernetes.cluster import settings

pytestmark = [pytest.mark.engine, pytest.mark.thorough]


@pytest.fixture(scope="module")
def images() -> dict[str, str]:
    """Build the images on this engine, and return their tags by what they are for."""
    with world.home("pod") as user:
        user.write(world.certificates() + settings(docker="true", **SETTINGS) + TEXT)
        tags = json.loads(user.ok("images", "build", "--json"))["images"]
    by = {each.partition(":")[0]: each for each in tags}
    return {each: by[f"jailoc-{each}"] for each in IMAGES}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, images: dict[str, str]) -> dict[str, Any]:
    """Hand the images to Podman, and let the program tell."""
    fetched("fetch", "podman@trixie")
    archive = str(tmp_path_factory.mktemp("pod") / "images.tar")
    world.call("docker", "save", "--output", archive, *images.values())
    names = [f"localhost/{each}" for each in images.values()]
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


@pytest.fixture(scope="module")
def docker(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was seen of a pod with a Docker of the agent's own, in a user namespace."""
    found: dict[str, Any] = told["with docker"]
    assert "problem" not in found, json.dumps(found, indent=1)
    return found


@pytest.mark.parametrize("where", ["told", "docker"])
@pytest.mark.parametrize("name", ["names", "agent"])
def test_what_stays_in_a_pod_has_no_power(
    request: pytest.FixtureRequest, where: str, name: str
) -> None:
    told: dict[str, Any] = request.getfixturevalue(where)
    words = told[f"powers of {name}"]
    pairs = dict(pairwise(words))
    for each in ("CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"):
        assert pairs[each] == "0000000000000000"
    assert pairs["NoNewPrivs:"] == "1"
    assert pairs["Seccomp:"] == "2"
    assert pairs["Uid:"] == {"names": "65533", "agent": "1000"}[name]


@pytest.mark.parametrize("name", ["names", "agent"])
def test_the_root_of_what_stays_cannot_be_written(told: dict[str, Any], name: str) -> None:
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


def test_in_a_user_namespace_of_65536_all_of_it_holds(docker: dict[str, Any]) -> None:
    *wrong, count = docker["matrix"]
    assert (wrong, count) == ([], "17 destinations")
    assert docker["users"][2] == "65536"
    assert docker["users"][1] != "0"


def test_in_a_user_namespace_without_the_resolvers_user_nothing_starts(
    told: dict[str, Any],
) -> None:
    few = told["few users"]
    assert few["wall"][0] == 1, few
    assert few["running"] == []


def test_a_docker_of_its_own_has_what_its_price_says_and_no_more(docker: dict[str, Any]) -> None:
    pairs = dict(pairwise(docker["powers of dind"]))
    assert pairs["Uid:"] == "65532"
    assert pairs["CapBnd:"] == "00000000000000c0"  # SETGID and SETUID (capabilities(7))
    for each in ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:"):
        assert pairs[each] == "0000000000000000"
    assert (pairs["NoNewPrivs:"], pairs["Seccomp:"]) == ("0", "0")
    assert "Read-only file system" in docker["agent on the socket's place"]


def test_an_inner_container_runs_as_users_that_nobody_else_in_the_pod_is(
    docker: dict[str, Any],
) -> None:
    assert docker["users of an inner container"] == ["0", "65532", "1", "1", "2000", "63000"]


@pytest.mark.parametrize("network", ["bridge", "host"])
def test_an_inner_container_reaches_what_the_agent_does_over_ipv4_and_nothing_over_ipv6(
    docker: dict[str, Any], network: str
) -> None:
    *wrong, count = docker[f"matrix of {network}"]
    assert (wrong, count) == ([], "17 destinations")
    assert docker[f"names of {network}"] == [
        f"named.test {NAMES['named.test']}", f"public.test {NAMES['public.test']}",
        "other.invalid none",
    ]  # fmt: skip


def test_the_gate_holds_a_docker_of_its_own_where_rules_are_gone(docker: dict[str, Any]) -> None:
    assert "Cannot connect to the Docker daemon" in docker["docker without rules"]


DIRECTORIES = {"tmp": "/tmp", "run": "/run/dind", "data": "/home/rootless/.local/share"}  # noqa: S108


@pytest.mark.parametrize("program", ["dind_pod.sh", "dind.sh"])
def test_a_docker_of_its_own_works_in_directories_of_the_pods_group(
    tmp_path: Path, images: dict[str, str], program: str
) -> None:
    """As a kubelet makes them (fsGroup): everybody's, and what is in them inherits the group.

    Without what stands before dind.sh the daemon does not start in them.
    """
    control = program == "dind.sh"
    binds = []
    for name, place in DIRECTORIES.items():
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, 0, 1000)
        (tmp_path / name).chmod(0o2777)
        below = "/docker" if control and name == "data" else ""
        binds += ["--volume", f"{tmp_path / name}:{place}{below}"]
    for name, text in {each: asset(each) for each in ("dind.sh", "dind_pod.sh")}.items():
        (tmp_path / name).write_text(text)
        binds += ["--volume", f"{tmp_path / name}:/etc/jailoc/{name}:ro"]
    (tmp_path / "users").write_text(sidecar.USERS)
    for place in ("/etc/subuid", "/etc/subgid"):
        binds += ["--volume", f"{tmp_path / 'users'}:{place}:ro"]
    made = world.call(
        "docker", "run", "--detach", "--log-opt", "max-size=1m", "--network", "none",
        "--cap-drop=ALL", "--cap-add=SETUID", "--cap-add=SETGID", "--group-add=1000",
        "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
        "--security-opt", "systempaths=unconfined", "--device", "/dev/net/tun", "--read-only",
        "--user", "0:0", *binds, "--entrypoint", "/bin/sh", images["dind"],
        f"/etc/jailoc/{program}",
    ).strip()  # fmt: skip
    try:
        ask = ("docker", "exec", "--user", "1000:1000", made, "docker", "--host", SIDECAR_SOCKET)
        if control:
            eventually("its end", lambda: "operation not permitted" in world.logs(made))
            return
        eventually("docker", lambda: "Server" in world.call(*ask, "version", check=False))
        # Of another group than the pod's, as files of images are.
        script = """set -e
            mkdir -p /tmp/root/bin && cp /bin/bash /tmp/root/bin/sh
            cp --parents $(ldd /bin/bash | grep -o '/lib[^ ]*') /tmp/root
            tar -C /tmp/root --owner=0 --group=42 -c . | docker import - shell:1 >/dev/null
            docker run --rm --network none shell:1 /bin/sh -c 'echo hello'"""
        assert world.call("docker", "exec", "--env", f"DOCKER_HOST={SIDECAR_SOCKET}", made,
                          "/bin/bash", "-c", script) == "hello\n"  # fmt: skip
    finally:
        world.call("docker", "rm", "--force", made)
