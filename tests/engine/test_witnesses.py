"""Programs of the agent's that lie change no verdict, and a network that is gone is told of."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jailoc.bin.engine import witness
from jailoc.generators.assets import asset
from jailoc.generators.runtime.probes import USUAL
from jailoc.model.sandbox import AGENT_USER, WITNESS_USER
from tests.engine import world
from tests.engine.conftest import Sandbox

pytestmark = pytest.mark.engine

FOLDER = "/home/agent/.local/bin"
REPLAY = 'case "$*" in */proc/*) /bin/cat /home/agent/replay ;; *) exec /bin/cat "$@" ;; esac'
STEER = r"printf '1 1 0:1 / /\033[2J rw - x x rw\n'"
FLOOD = "exec /usr/bin/head -c 400000000 /dev/zero"
NONSENSE = "echo nonsense"


def agent(sandbox: Sandbox, *command: str, check: bool = True) -> str:
    return world.call("docker", "exec", "--user", AGENT_USER, sandbox.container("opencode"),
                      *command, check=check)  # fmt: skip


@contextmanager
def lying(sandbox: Sandbox, **lies: str) -> Iterator[None]:
    """Put programs of the agent's before those of the image."""
    for name, body in lies.items():
        script = (
            f'mkdir -p {FOLDER} && printf "%s" "$1" >{FOLDER}/{name} && chmod +x {FOLDER}/{name}'
        )
        agent(sandbox, "/bin/sh", "-c", script, "sh", f"#!/bin/sh\n{body}\n")
    try:
        yield
    finally:
        agent(sandbox, "/bin/rm", "-f", *(f"{FOLDER}/{name}" for name in lies))


def verified(sandbox: Sandbox) -> tuple[int, dict[str, Any]]:
    result = sandbox.user.run("verify", "walled", "--json")
    assert "Traceback" not in result.stderr
    assert "defect" not in result.stderr
    return result.status, json.loads(result.stdout)


def wrong(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in found["checks"] if not each["ok"]]


@pytest.mark.parametrize("lie", [STEER, FLOOD, NONSENSE], ids=["steer", "flood", "nonsense"])
def test_nothing_that_the_agents_programs_say_changes_a_verdict(sandbox: Sandbox, lie: str) -> None:
    with lying(sandbox, **dict.fromkeys(("cat", "python3", "sh", "grep", "tr"), lie)):
        # The control: whoever asks the agent's programs hears what the agent wants.
        told = agent(sandbox, "/bin/sh", "-c", "cat /proc/self/mountinfo | /usr/bin/head -c 100")
        assert (told[:1] == "\0") == (lie == FLOOD)
        assert " / / " not in told
        assert verified(sandbox)[0] == 0
        up = sandbox.user.run("up", "walled")
        assert (up.status, "already running" in up.stderr) == (0, True)
        assert "\x1b" not in sandbox.user.run("plan", "walled").stdout


def test_a_python_that_lies_hides_no_opened_wall(sandbox: Sandbox) -> None:
    wall = sandbox.container("firewall")
    lie = """exec /usr/bin/python3 -c '
import json, sys
print(json.dumps(["prohibited"] * len(json.load(sys.stdin))))'"""
    place = json.dumps([["tcp", world.CLOSED["private-10"], world.PORT]])
    world.call("docker", "exec", "--user", "0", wall,
               "iptables", "-I", "OUTPUT", "1", "-d", "10.0.0.0/8", "-j", "ACCEPT")  # fmt: skip
    try:
        with lying(sandbox, python3=lie):
            # The control: its own Python calls the wall closed.
            told = world.call(
                "docker", "exec", "--interactive", "--user", AGENT_USER,
                sandbox.container("opencode"), "python3", "-I", "-c", asset("probe.py"),
                stdin=place,
            )  # fmt: skip
            assert json.loads(told) == ["prohibited"]
            status, found = verified(sandbox)
        assert status == 2
        assert any("private (RFC 1918)" in each["subject"] and each["found"] == "open"
                   for each in wrong(found))  # fmt: skip
    finally:
        sandbox.user.ok("refresh", "walled")


def test_a_cat_that_replays_hides_no_protection_that_has_lapsed(sandbox: Sandbox) -> None:
    guarded = sandbox.user.home / "project/.envrc"
    guarded.write_text("export A=1\n")
    sandbox.user.ok("restart", "walled")
    try:
        agent(sandbox, "/bin/sh", "-c", "/bin/cat /proc/self/mountinfo >/home/agent/replay")
        with lying(sandbox, cat=REPLAY):
            fresh = guarded.with_name("fresh")
            fresh.write_text("export A=2\n")
            fresh.rename(guarded)
            # The control: the agent's own program says that all is as it was.
            assert str(guarded) in agent(sandbox, "cat", "/proc/self/mountinfo")
            assert str(guarded) not in agent(sandbox, "/bin/cat", "/proc/self/mountinfo")
            status, found = verified(sandbox)
            assert status == 2
            # The mount that is gone, and what the host executes for want of it.
            subjects = [each["subject"] for each in wrong(found)]
            assert [each.partition(": ")[0] for each in subjects] == [str(guarded)] * 2
            assert f"the protection of {guarded} has lapsed" in sandbox.user.ok("plan", "walled")
    finally:
        guarded.unlink()
        sandbox.user.ok("restart", "walled")


def test_the_agent_cannot_touch_who_looks_at_it(sandbox: Sandbox) -> None:
    (found,) = json.loads(world.call("docker", "inspect", sandbox.container("firewall")))
    for user, gone in ((WITNESS_USER, False), (AGENT_USER, True)):  # the second is the control
        looker = world.call(
            "docker", "run", "--detach", "--rm", "--network", "none", "--user", user,
            "--pid", f"container:{sandbox.container('opencode')}", "--cap-drop", "ALL",
            "--entrypoint", "/bin/sleep", found["Image"], "876543",
        ).strip()  # fmt: skip
        try:
            number = agent(sandbox, "/usr/bin/pgrep", "-f", "876543").split()[0]
            told = agent(sandbox, "/bin/sh", "-c", f"kill -9 {number} && echo sent || true")
            assert (told == "sent\n") == gone
            time.sleep(1)
            there = world.call("docker", "ps", "--quiet", "--no-trunc", "--filter", f"id={looker}")
            assert (there.strip() == "") == gone
        finally:
            world.call("docker", "rm", "--force", looker, check=False)


def test_a_process_that_the_engine_is_putting_there_is_no_difference(sandbox: Sandbox) -> None:
    (wall,) = json.loads(world.call("docker", "inspect", sandbox.container("firewall")))
    (found,) = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))
    # As each `docker exec` is for its first instants, those of the health check, too.
    world.call("docker", "exec", "--detach", "--user", "0", found["Id"],
               "/bin/sleep", "15")  # fmt: skip
    _, text = witness.look(found["Id"], wall["Image"])
    assert "Uid:\t0\t0\t0\t0" in text, "the control: a look at all processes would call it one"
    status, checks = verified(sandbox)
    assert (status, wrong(checks)) == (0, [])


def test_what_verify_tries_is_no_news_and_what_the_agent_tries_is(sandbox: Sandbox) -> None:
    def blocked() -> dict[tuple[str, str, int | None], int]:
        rows = json.loads(sandbox.user.ok("blocked", "walled", "--json"))["blocked"]
        # The kernel looks for routers on its own.
        return {(row["target"], row["protocol"], row["port"]): row["times"] for row in rows
                if not row["target"].startswith("ff02:")}  # fmt: skip

    before = blocked()
    sandbox.user.ok("verify", "walled")
    assert blocked() == before
    place = "192.168.255.250"  # the very one that verify tries
    world.probe(sandbox.container("opencode"), [("a", place, USUAL), ("b", place, USUAL + 1)])
    after = blocked()
    assert after.keys() - before.keys() == {(place, "tcp", USUAL), (place, "tcp", USUAL + 1)}
    assert after[place, "tcp", USUAL] == 1
    (row,) = json.loads(sandbox.user.ok("status", "walled", "--json"))["workspaces"]
    assert row["blocked"] >= len(after)
    sandbox.user.ok("verify", "walled")
    assert blocked() == after


@pytest.mark.parametrize(
    ("command", "cause"),
    [("restart", "the firewall restarted"), ("kill", "the firewall has ended")],
)
def test_an_agent_in_a_dead_network_is_told_of_and_brought_back(
    sandbox: Sandbox, command: str, cause: str
) -> None:
    def answers() -> bool:
        told = world.probe(sandbox.container("opencode"), [("it", world.ALLOWED, world.PORT)])
        return told["it"][0] == "hello"

    def well() -> bool:
        """Run the health check of the agent as the engine does."""
        (agent,) = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))
        test = agent["Config"]["Healthcheck"]["Test"][1]
        script = f"({test}) >/dev/null && echo well"
        said = world.call("docker", "exec", agent["Id"], "/bin/sh", "-c", script, check=False)
        return said == "well\n"

    assert answers()
    assert well()
    try:
        world.call("docker", command, sandbox.container("firewall"))
        assert not answers(), "the control: its network is gone"
        assert not well()
        (row,) = json.loads(sandbox.user.ok("status", "walled", "--json"))["workspaces"]
        assert row["state"] == row["docker"] == f"no network: {cause}"
        assert row["drift"] is True
        planned = sandbox.user.run("plan", "walled", "--detailed-exitcode")
        assert planned.status == 2
        if command == "restart":
            assert f"it has no network any more: {cause}" in planned.stdout
            status, found = verified(sandbox)
            assert status == 2
            assert {each["subject"] for each in wrong(found)} >= {
                "network of opencode", "network of dind"
            }  # fmt: skip
            assert any(cause in each["found"] for each in wrong(found))
    finally:
        up = sandbox.user.run("up", "walled")
    assert up.status == 0, up.stderr
    assert answers()
    assert sandbox.user.run("verify", "walled").status == 0
    assert "already running" in sandbox.user.run("up", "walled").stderr
