"""What `status` and `logs` say about real containers, on a pipe and on a terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jsonschema
import pexpect
import pytest

from jailoc.bin.engine import containers, stats
from jailoc.schemas import schema
from tests.engine import world
from tests.engine.conftest import Sandbox
from tests.engine.world import ROOT, User

pytestmark = pytest.mark.engine

TALK = r"""
printf 'one\n\033[31mred\033[0m\033[2Jgone\n'
echo wrong >&2
head -c 40000 /dev/zero | tr '\0' x
printf '\ntail'
"""


def status(sandbox: Sandbox, *arguments: str) -> dict[str, Any]:
    data = json.loads(sandbox.user.ok("status", "--json", *arguments))
    jsonschema.validate(data, schema("status"))
    return {each["workspace"]: each for each in data["workspaces"]}


def until(ask: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 30) -> Any:
    """Ask until the answer is good, or time is up; return the last answer."""
    deadline = time.monotonic() + seconds
    while not good(answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def terminal(user: User, *arguments: str) -> "pexpect.spawn[str]":
    environment = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    return pexpect.spawn(
        sys.executable,
        ["-P", "-m", "jailoc.bin", *arguments],
        env={**environment, "HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"),
             "TERM": "xterm-256color"},
        cwd=str(user.home), dimensions=(30, 220), encoding="utf-8", timeout=30,
    )  # fmt: skip


def test_the_kernel_counts_what_the_engine_measures(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"HOME": str(sandbox.user.home)}  # whose sandbox it is
    for name in ("DOCKER_HOST", "PATH", "HOME"):
        monkeypatch.setenv(name, given.get(name) or os.environ[name])
    services = {each.service: each for each in containers.containers(sandbox.project)}
    wall, agent = services["firewall"].id, services["opencode"].id
    every = {each.id: each for each in services.values() if each.id in {wall, agent}}
    asked = stats.measured(every)
    monkeypatch.setattr(stats, "measured", None)
    found = stats.usage(every.values())
    assert found.keys() == asked.keys() == {wall, agent}
    for name, usage in found.items():
        assert usage.memory_limit == asked[name].memory_limit
        assert abs(usage.memory - asked[name].memory) < 48 << 20
        assert abs(usage.pids - asked[name].pids) < 16
    assert found[wall].received >= asked[wall].received * 0.9 > 0
    assert found[agent].received == found[wall].received, "they share one network"


def test_a_running_workspace_is_measured(sandbox: Sandbox) -> None:
    world.probe(sandbox.container("opencode"), [("it", world.CLOSED["private-10"], 4500)])
    row = status(sandbox, "walled")["walled"]
    assert (row["configured"], row["state"], row["drift"]) == (True, "running", False)
    assert row["image_current"] is True
    assert row["limits"] == {"cpus": 2.0, "memory": 3 << 30, "pids": 2048}
    usage = row["usage"]
    assert 10 << 20 < usage["memory"] < 3 << 30
    assert usage["memory_limit"] == 3 << 30
    assert usage["pids"] >= 2
    assert usage["received"] > 0, "the wall owns the network"
    assert 0 < row["uptime"] < 3600 * 5
    blocked = json.loads(sandbox.user.ok("blocked", "walled", "--json"))["blocked"]
    assert row["blocked"] == len(blocked) > 0
    lines = sandbox.user.ok("status", "walled").splitlines()
    assert {line[:11].strip() for line in lines} >= {
        "Workspace:", "Port:", "Status:", "CPU:", "Memory:", "PIDs:", "Net I/O:", "Block I/O:",
        "Uptime:", "Image:", "Wall:", "Docker:", "Blocked:", "Drift:",
    }  # fmt: skip
    assert "(limit: 2.0 cores)" in "\n".join(lines)
    assert any(line.startswith("Open:      every public address; ") for line in lines)
    for power in row["grave"]:
        assert f"{power['rank'].capitalize() + ':':11}{power['text']}" in lines
    plain = status(sandbox)["walled"]
    assert (plain["grave"], plain["open"]) == ([], None), "of one that is asked about alone"


def test_the_share_of_the_cpu_is_that_of_now(sandbox: Sandbox) -> None:
    """Busy while it is, idle soon after: no average since the start."""

    def cpu() -> float:
        return float(status(sandbox, "walled")["walled"]["usage"]["cpu"])

    assert until(cpu, lambda share: share < 15, 60) < 15
    # On a busy machine it gets its share of the processors, and is asked late.
    agent, enough = sandbox.container("opencode"), "/tmp/enough"  # noqa: S108 -- in the sandbox
    world.call("docker", "exec", "--detach", agent,
               "timeout", "90", "/bin/sh", "-c", f"until [ -e {enough} ]; do :; done")  # fmt: skip
    assert until(cpu, lambda share: share > 25, 60) > 25
    world.call("docker", "exec", agent, "touch", enough)
    assert until(cpu, lambda share: share < 15, 60) < 15
    world.call("docker", "exec", agent, "rm", enough)


def test_what_waits_for_an_update_is_called_drift(sandbox: Sandbox) -> None:
    text = sandbox.user.config.read_text()
    try:
        sandbox.user.write(text.replace("cpu = 2", "cpu = 1.5"))
        assert status(sandbox)["walled"]["drift"] is True
        sandbox.user.write(f'{text}\nimage = "debian:trixie-slim"\n')
        row = status(sandbox)["walled"]
        assert (row["image_current"], row["drift"], row["by_hand"]) == (False, True, False)
        sandbox.user.write("[workspaces.renamed]\n")
        rows = status(sandbox)
        assert (rows["walled"]["configured"], rows["walled"]["port"]) == (False, sandbox.port)
        assert rows["renamed"]["state"] == "not running"
        sandbox.user.write("[workspaces.walled]\ncpu = 0\n")
        broken = sandbox.user.run("status")
        assert (broken.status, "walled" in broken.stdout) == (1, True)
        assert ":2:7" in broken.stderr
    finally:
        sandbox.user.write(text)
    assert status(sandbox)["walled"]["drift"] is False


def test_a_paused_agent_is_called_so_and_the_logs_are_hinted_at(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    world.call("docker", "pause", agent)
    try:
        result = sandbox.user.run("status", "walled")
    finally:
        world.call("docker", "unpause", agent)
        well = until(lambda: status(sandbox, "walled")["walled"]["state"], "running".__eq__, 60)
        assert well == "running"
    assert "Status:    paused\n" in result.stdout
    assert "see: jailoc logs walled" in result.stderr


def test_watching_goes_on_until_it_is_interrupted(sandbox: Sandbox) -> None:
    with sandbox.user.start("status", "walled", "--watch", "--json") as running:
        assert running.stdout
        for _ in range(2):
            assert json.loads(running.stdout.readline())["workspaces"][0]["state"] == "running"
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
    screen = terminal(sandbox.user, "status", "--watch")
    for _ in range(2):
        screen.expect_exact("\x1b[H\x1b[J")
        screen.expect("walled +.*running")
    screen.sendintr()
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 0
    assert "Error" not in (screen.before or "")


def test_logs_come_from_every_service_with_its_name(sandbox: Sandbox) -> None:
    lines = sandbox.user.ok("logs", "walled").splitlines()
    assert {line.split(" | ")[0].strip() for line in lines} == {"firewall", "opencode", "dind"}
    (wall,) = {
        line.split(" | ")[0] for line in sandbox.user.ok("logs", "--service", "firewall",
                                                         "-w", "walled").splitlines()
    }  # fmt: skip
    assert wall.strip() == "firewall"
    assert len(sandbox.user.ok("logs", "walled", "--tail", "1").splitlines()) <= 3
    refused = sandbox.user.run("logs", "walled", "--service", "web")
    assert (refused.status, "firewall, opencode, dind" in refused.stderr) == (1, True)


@contextmanager
def talker() -> Iterator[str]:
    """Run a container that looks like an agent's, and only talks."""
    labels = {"project": "jailoc-talker", "service": "opencode", "oneoff": "False"}
    words = [word for key, value in labels.items()
             for word in ("--label", f"com.docker.compose.{key}={value}")]  # fmt: skip
    world.remove("jailoc-talker")
    container = world.call(
        "docker", "run", "--detach", "--name", "jailoc-talker-opencode-1", "--network", "none",
        *words, "debian:trixie-slim", "/bin/sh", "-c", TALK,
    ).strip()  # fmt: skip
    try:
        world.call("docker", "wait", container)
        yield container
    finally:
        world.remove("jailoc-talker")


@pytest.fixture(scope="module")
def talk() -> Iterator[tuple[User, str]]:
    with world.home("talker") as user, talker() as container:
        yield user, container


def test_the_log_of_a_stopped_container_is_whole(talk: tuple[User, str]) -> None:
    user, _ = talk
    lines = user.ok("logs", "talker").splitlines()
    raw = [line.removeprefix("opencode | ")
           for line in user.ok("logs", "talker", "--raw").splitlines()]  # fmt: skip
    found = [line.removeprefix("opencode | ") for line in lines]
    assert sorted(found) == sorted(["one", "red\u241b[2Jgone", "wrong", "x" * 40000, "tail"])
    assert sorted(raw) == sorted(
        ["one", "\x1b[31mred\x1b[0m\x1b[2Jgone", "wrong", "x" * 40000, "tail"]
    )
    assert found[-1] == "tail", "a last line without its end"
    assert user.ok("logs", "talker", "--tail", "1") == "opencode | tail\n"
    assert user.ok("logs", "talker", "--since", "1s").count("\n") <= 5
    wrong = user.run("logs", "talker", "--since", "nonsense")
    assert (wrong.status, "nonsense" in wrong.stderr, wrong.stdout) == (1, True, "")


def test_a_log_cannot_steer_the_terminal(talk: tuple[User, str]) -> None:
    screen = terminal(talk[0], "logs", "talker")
    screen.expect(pexpect.EOF)
    screen.close()
    assert "red\u241b[2Jgone" in (screen.before or "")
    assert "\x1b[2J" not in (screen.before or "")


def test_following_goes_on_with_what_starts_later_and_ends_well(talk: tuple[User, str]) -> None:
    user, container = talk
    screen = terminal(user, "logs", "talker", "--follow", "--tail", "1")
    screen.expect_exact("tail\r\n")
    for _ in range(2):
        world.call("docker", "start", container)
        screen.expect_exact("one\r\n")
        screen.expect_exact("tail\r\n")
    screen.sendintr()
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 0
    assert "Error" not in (screen.before or "")
    assert "cancel" not in (screen.before or "")


COUNTED = """
import sys
from jailoc.model.document import Document
parse, count = Document._parse, 0
def counting(self, text):
    global count
    count += self.file.endswith("config.toml")
    return parse(self, text)
Document._parse = counting
from jailoc.bin.cli.main import run
status = run(sys.argv[1:])
print(f"\\nparsed {count}", file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize(
    "line",
    ["plan walled", "explain walled 10.0.0.1", "verify walled", "blocked walled", "status walled",
     "up walled"],
)  # fmt: skip
def test_a_command_parses_the_configuration_once(sandbox: Sandbox, line: str) -> None:
    environment = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, *line.split()],
        env={**environment, "HOME": str(sandbox.user.home), "PYTHONPATH": str(ROOT / ".pkg")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "parsed 1"
