"""The agent's own Docker: when the agent starts, and what the escape hatch does not open."""

import json
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jailoc.generators.assets import asset
from tests.engine import world
from tests.engine.conftest import Sandbox

pytestmark = pytest.mark.engine


def inspected(sandbox: Sandbox, service: str) -> Any:
    return json.loads(world.call("docker", "inspect", sandbox.container(service)))[0]


def moment(text: str) -> datetime:
    """Read a time of the engine; it writes nanoseconds."""
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")


def test_the_agent_starts_when_its_docker_is_ready(sandbox: Sandbox) -> None:
    begun = int(time.time())
    world.call("docker", "rm", "--force", sandbox.container("opencode"), sandbox.container("dind"))
    sandbox.user.ok("up", "walled")
    # The engine keeps the last five checks only; its events of this start are all there.
    told = world.call(
        "docker", "events", "--since", str(begun), "--until", str(int(time.time()) + 1),
        "--filter", f"container={sandbox.container('dind')}", "--filter", "event=health_status",
        "--format", "{{.TimeNano}} {{.Action}}",
    ).splitlines()  # fmt: skip
    ready = min(int(each.split()[0]) for each in told if each.endswith(": healthy"))
    started = moment(inspected(sandbox, "opencode")["State"]["StartedAt"])
    assert started.timestamp() > ready / 1e9


def test_a_new_sidecar_leaves_the_agent_as_it_is(sandbox: Sandbox) -> None:
    before = inspected(sandbox, "opencode")
    world.call("docker", "rm", "--force", sandbox.container("dind"))
    sandbox.user.ok("up", "walled")
    after = inspected(sandbox, "opencode")
    assert (after["Id"], after["State"]["StartedAt"]) == (
        before["Id"], before["State"]["StartedAt"],
    )  # fmt: skip
    agent = sandbox.container("opencode")
    assert "Server" in world.call("docker", "exec", "--user", "1000:1000", agent, "docker", "info")


def test_its_health_checks_leave_nothing_open(sandbox: Sandbox) -> None:
    """Each connection of dockerd to rootlesskit is a descriptor of both."""
    sidecar = sandbox.container("dind")
    test = inspected(sandbox, "dind")["Config"]["Healthcheck"]["Test"][1]
    check = test.partition("ask() { ")[2].partition("; }")[0]
    assert "ps --quiet" in check

    told = world.call("docker", "top", sidecar, "-o", "pid,comm").splitlines()
    (process,) = (each.split()[0] for each in told if each.split()[1] == "dockerd")
    place = Path("/proc", process, "fd")

    def more(command: str) -> int:
        before = len(list(place.iterdir()))
        world.call("docker", "exec", sidecar, "sh", "-c", f"for i in $(seq 20); do {command}; done")
        return len(list(place.iterdir())) - before

    assert more(check) < 10
    # The control: what asks rootlesskit for its version.
    assert more(check.replace("ps --quiet", "version")) >= 15


def test_without_enable_docker_the_sidecar_goes_and_the_agent_starts(sandbox: Sandbox) -> None:
    line = "[workspaces.walled]"
    try:
        sandbox.user.write(sandbox.config().replace(line, f"{line}\nenable_docker = false"))
        sandbox.user.ok("up", "walled")
        assert inspected(sandbox, "opencode")["State"]["Health"]["Status"] == "healthy"
        label = f"label=com.docker.compose.project={sandbox.project}"
        names = world.call("docker", "ps", "--all", "--filter", label, "--format", "{{.Names}}")
        assert set(names.split()) == {sandbox.container(each) for each in ("firewall", "opencode")}
    finally:
        sandbox.user.write(sandbox.config())
        sandbox.user.ok("up", "walled")


def test_what_follows_a_start_with_every_capability_has_none_over_the_rules(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The sidecar's first lines, started with what a privileged container has more."""
    script = tmp_path / "dind.sh"
    script.write_text(asset("dind.sh").replace(
        "    user)\n", "    user)\n        grep -E 'Cap(Bnd|Prm|Inh)' /proc/self/status; exit\n"
    ))  # fmt: skip
    found = world.call(
        "docker", "run", "--rm", "--network", "none", "--cap-drop", "ALL",
        *(word for each in ("SETUID", "SETGID", "SETPCAP", "NET_ADMIN", "SYS_ADMIN")
          for word in ("--cap-add", each)),
        "--device", "/dev/net/tun", "--volume", f"{script}:/etc/jailoc/dind.sh:ro",
        "--entrypoint", "/bin/sh", inspected(sandbox, "dind")["Image"], "/etc/jailoc/dind.sh",
    )  # fmt: skip
    sets = dict(line.split(":\t") for line in found.splitlines())
    assert sets == {"CapInh": "0" * 16, "CapPrm": "0" * 16, "CapBnd": "00000000000000c0"}


def test_an_engine_that_starts_no_privileged_container_is_told_before_anything_stops(
    sandbox: Sandbox,
) -> None:
    image = inspected(sandbox, "dind")["Image"]
    done = subprocess.run(
        ["docker", "run", "--rm", "--privileged", "--entrypoint", "/bin/true", image],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        pytest.skip("this engine starts privileged containers")
    before = inspected(sandbox, "opencode")["Id"]
    line = "[workspaces.walled]"
    try:
        sandbox.user.write(sandbox.config().replace(line, f"{line}\ndind_privileged = true"))
        result = sandbox.user.run("up", "walled")
        assert result.status == 1
        assert "whoever becomes root in it is root on this machine" in result.stderr
        assert "the engine starts no privileged container: Error response" in result.stderr
        assert "starting walled" not in result.stderr
        now = inspected(sandbox, "opencode")
        assert now["Id"] == before
        assert now["State"]["Running"]
    finally:
        sandbox.user.write(sandbox.config())
