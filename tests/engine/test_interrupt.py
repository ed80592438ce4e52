"""Ctrl-C at any moment of `up` leaves what was before, or nothing, and says which."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jailoc.bin.__main__ import TOGETHER
from tests.engine import world
from tests.engine.world import ROOT, User

pytestmark = pytest.mark.engine

PROJECT = "jailoc-cut"
LIMIT = 90.0


def config(memory: str = "2g") -> str:
    return f"""{world.certificates()}
[workspaces.cut]
port = 4192
paths = ["~/project"]
enable_docker = false
memory = "{memory}"
"""


@pytest.fixture
def user() -> Iterator[User]:
    world.remove(PROJECT)
    with world.home("cut") as someone:
        (someone.home / "project").mkdir()
        (someone.home / "project").chmod(0o777)
        someone.write(config())
        yield someone
        world.remove(PROJECT)


@contextmanager
def starting(user: User) -> Iterator[subprocess.Popen[str]]:
    """Run `up` with its talk in a pipe; each step is told when it begins."""
    environment = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    words = [sys.executable, "-u", "-P", "-m", "jailoc.bin", "up", "cut"]
    with subprocess.Popen(
        ["env", "--default-signal=INT", *words],
        env=environment | {"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg")},
        cwd=user.home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        try:
            yield running
        finally:
            running.kill()


def interrupted(user: User, line: str, seconds: float = 0.0) -> str:
    """Interrupt an `up` so many seconds after a line; return what it says from there on."""
    with starting(user) as running:
        assert running.stderr
        if line:
            for each in running.stderr:
                if each.startswith(line):
                    break
            else:
                raise AssertionError(f"`{line}` was never said")
        time.sleep(seconds)
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
        status = running.wait(LIMIT)
        # An interpreter that has not begun with jailoc says nothing, and ends by the signal.
        early = status == -signal.SIGINT and not line and not rest
        assert status == 1 or "cut started" in rest or early, rest
    return rest


def containers() -> dict[str, tuple[str, str]]:
    """Return id and state of each container of the workspace, by service."""
    found = world.call("docker", "ps", "--all", "--no-trunc", "--format", "{{json .}}",
                       "--filter", f"label=com.docker.compose.project={PROJECT}")  # fmt: skip
    rows = [json.loads(line) for line in found.splitlines()]
    return {each["Names"].split("-")[2]: (each["ID"], each["State"]) for each in rows}


def volumes() -> str:
    label = f"label=com.docker.compose.project={PROJECT}"
    return world.call("docker", "volume", "ls", "--quiet", "--filter", label)


def nothing(user: User) -> None:
    """Make sure that nothing is there that was not there before."""
    assert containers() == {}
    assert volumes() == ""
    label = f"label=com.docker.compose.project={PROJECT}"
    assert world.call("docker", "network", "ls", "--quiet", "--filter", label) == ""
    assert not (user.home / ".cache/jailoc/cut").exists()
    assert not (user.home / ".local/share/jailoc/cut.applied.json").exists()


def memory() -> int:
    (found,) = json.loads(world.call("docker", "inspect", f"{PROJECT}-opencode-1"))
    assert found["State"]["Health"]["Status"] == "healthy"
    return int(found["HostConfig"]["Memory"])


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        pytest.param("starting the firewall", 0.5, marks=pytest.mark.thorough),
        ("starting cut", 0.7),
    ],
)
def test_an_interrupted_first_start_leaves_nothing(user: User, line: str, seconds: float) -> None:
    world.call("git", "init", "--quiet", str(user.home / "project"))
    world.call("chown", "-R", "1000:1000", str(user.home / "project"))
    before = {each.name for each in (user.home / "project/.git").iterdir()}
    said = interrupted(user, line, seconds)
    assert "cut: nothing runs, as before" in said
    assert said.endswith("interrupted\n")
    nothing(user)
    assert {each.name for each in (user.home / "project/.git").iterdir()} == before


def test_an_interrupted_change_leaves_what_ran(user: User) -> None:
    user.ok("up", "cut")
    wall = containers()["firewall"]
    user.write(config("3g"))
    said = interrupted(user, "starting cut", 0.3)
    assert "cut: the previous state runs again" in said
    assert memory() == 2 << 30
    assert containers()["firewall"] == wall
    changes = json.loads(user.ok("plan", "cut", "--json"))["plans"][0]["changes"]
    assert "service.opencode" in {each["address"] for each in changes}, "the change still waits"
    with starting(user) as running:
        assert running.stderr
        for each in running.stderr:
            if each.startswith("starting cut"):
                break
        running.send_signal(signal.SIGINT)
        for each in running.stderr:
            if "previous state" in each:
                break
        time.sleep(TOGETHER)
        running.send_signal(signal.SIGINT)
        begun = time.monotonic()
        rest = running.stderr.read()
        assert running.wait(LIMIT) == 1
    assert time.monotonic() - begun < 2
    assert "what was begun of cut is left as it is: `jailoc up cut` goes on with it" in rest
    user.ok("up", "cut")
    assert memory() == 3 << 30


@pytest.mark.thorough
@pytest.mark.parametrize("tenths", range(0, 90, 8))
def test_an_interrupt_at_any_moment_of_a_first_start(user: User, tenths: int) -> None:
    said = interrupted(user, "", tenths / 10)
    if "cut started" in said:
        return  # it was too late
    assert containers() == {}, said
    nothing(user)


@pytest.mark.thorough
@pytest.mark.parametrize("tenths", range(5, 105, 12))
def test_an_interrupt_at_any_moment_of_a_change(user: User, tenths: int) -> None:
    user.ok("up", "cut")
    user.write(config("3g"))
    said = interrupted(user, "", tenths / 10)
    if "cut started" in said:
        assert memory() == 3 << 30
        return
    assert "the way back failed" not in said
    assert memory() == 2 << 30, said


def test_what_a_start_that_is_killed_has_given_an_agent_is_known(user: User) -> None:
    project, private = user.home / "project", user.home / "private"
    private.mkdir()
    (project / "d").symlink_to(private)
    narrow = config().replace("~/project", "~/project/d")
    user.write(narrow)
    assert user.run("validate").status == 0, "control: no agent was there"
    (project / "d").unlink()
    user.write(config())
    with starting(user) as running:
        deadline = time.monotonic() + LIMIT
        while not serving():
            assert time.monotonic() < deadline
            assert running.poll() is None, "it is killed while the agent's server begins"
            time.sleep(0.05)
        running.kill()
    assert not (user.home / ".local/share/jailoc/cut.applied.json").exists()
    # The agent goes on, and nobody has written down that the start was done.
    command = f"ln -s {private} {project}/d"
    world.call("docker", "exec", f"{PROJECT}-opencode-1", "sh", "-c", command)
    user.write(narrow)
    for words in (("validate",), ("up", "cut")):
        refused = user.run(*words)
        assert (refused.status, "[steering]" in refused.stderr) == (1, True), refused.stderr
        assert "could write when it was last started" in refused.stderr
    (project / "d").unlink()
    user.write(config())
    user.ok("up", "cut")
    places = user.home / ".local/share/jailoc"
    assert [each.name for each in places.glob("cut.*")] == ["cut.applied.json"]
    user.ok("destroy", "cut", "--yes")
    assert not [*places.glob("cut*")]


def serving() -> bool:
    """Tell whether the agent's server runs: what waits for its password is a shell."""
    words = ["docker", "top", f"{PROJECT}-opencode-1", "-eo", "pid,args"]
    found = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return any(" serve " in each and "agent.sh" not in each for each in found.splitlines())
