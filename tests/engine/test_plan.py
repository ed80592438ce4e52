"""Plan and apply on a real engine: the story of the tutorial, rollback, kills, and what is kept."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.world import User

pytestmark = pytest.mark.engine

PORT = 4190
PLANTED = ("planted-secret-one", "planted-secret-two", "planted-in-env")


def config(**entries: str) -> str:
    """Return a configuration with one workspace, `planned`, and more entries of it."""
    more = "".join(f"{key} = {value}\n" for key, value in entries.items())
    return f"""{world.certificates()}
[workspaces.planned]
port = {PORT}
paths = ["~/project"]
memory = "3g"
{more}"""


@pytest.fixture
def user() -> Iterator[User]:
    world.remove("jailoc-planned", "jailoc-renamed")
    with world.home("planned") as someone:
        (someone.home / "project").mkdir()
        (someone.home / "code").mkdir()
        someone.write(config())
        yield someone
        world.remove("jailoc-planned", "jailoc-renamed")


def pid(service: str = "opencode") -> str:
    return world.call(
        "docker", "inspect", "--format", "{{.State.Pid}}", f"jailoc-planned-{service}-1"
    ).strip()


def plan(user: User, *arguments: str) -> dict[str, Any]:
    """Return the plan of the workspace, checked against its schema."""
    data = json.loads(user.ok("plan", "planned", "--json", *arguments))
    jsonschema.Draft202012Validator(schema("plan")).validate(data)
    (mine,) = data["plans"]
    return dict(mine)


def actions(found: dict[str, Any]) -> dict[str, str]:
    return {each["address"]: each["action"] for each in found["changes"]}


def powers(found: dict[str, Any]) -> list[str]:
    return [each["text"] for each in found["powers"]]


def test_the_story_of_the_tutorial(user: User) -> None:
    # plan, then apply
    first = plan(user)
    assert actions(first)["service.opencode"] == "create"
    assert any(each.startswith("may change ~/project") for each in powers(first))
    assert user.run("plan", "planned", "--detailed-exitcode").status == 2
    screen = user.ok("plan", "planned").splitlines()[:24]
    assert any("may change ~/project" in each for each in screen), "the effects come first"
    assert [each for each in screen if "files: " in each], "files are one line"
    assert not [
        each for each in screen if re.search("digest [0-9a-f]|sha256|[0-9a-f]{12}", each)
    ], "nothing has a digest"
    refused = user.run("apply", "planned")
    assert refused.status == 1
    assert "nobody has agreed" in refused.stderr
    user.ok("apply", "planned", "--yes")
    user.nothing_to_do("planned")

    # an edit, its effect, and a reload in place
    user.write(config(allowed_networks='["10.1.0.0/16"]'))
    edited = plan(user)
    assert actions(edited) == {
        "file.wall/rules.v4": "update in place",
        "firewall.rules": "update in place",
    }
    assert not edited["agent_restarts"]
    text = user.ok("plan", "planned")
    assert "may reach 10.1.0.0/16 (65,536 addresses), every port" in text
    assert "config.toml:" in text
    assert "agent restarts: no" in text
    before = pid()
    user.ok("apply", "planned", "--yes")
    assert pid() == before
    user.nothing_to_do("planned")
    user.ok("verify", "planned")

    # drift by hand, found and repaired
    wall = "jailoc-planned-firewall-1"
    world.call("docker", "update", "--memory", "1g", "--memory-swap", "1g",
               "jailoc-planned-opencode-1")  # fmt: skip
    world.call("docker", "exec", "--user", "0", wall, "iptables", "-F", "JAILOC-DENY")
    world.call("docker", "network", "connect", "bridge", wall)
    drifted = plan(user)
    assert {each["address"] for each in drifted["drift"]} == {
        "service.opencode.memory", "service.opencode.memory.swap", "service.firewall.network",
        "firewall.rules",
    }  # fmt: skip
    assert actions(drifted)["service.firewall"] == "recreate"
    told = user.ok("plan", "planned").splitlines()[0]
    assert told.startswith("planned: its running wall has other rules than it was given")
    (row,) = json.loads(user.ok("status", "planned", "--json"))["workspaces"]
    assert (row["wall"], row["drift"], row["by_hand"]) == ("rules differ", True, True)
    ignored = plan(user, "--ignore", "service.firewall.*", "--ignore", "service.opencode.*")
    assert actions(ignored) == {"firewall.rules": "update in place"}
    user.ok("apply", "planned", "--yes")
    user.nothing_to_do("planned")
    assert plan(user)["drift"] == []
    (row,) = json.loads(user.ok("status", "planned", "--json"))["workspaces"]
    assert (row["wall"], row["drift"]) == ("running", False)
    user.ok("verify", "planned")

    # another workspace in the file is no difference of this one
    user.write(user.config.read_text() + "\n[workspaces.zz]\n")
    user.nothing_to_do("planned")
    (row,) = json.loads(user.ok("status", "planned", "--json"))["workspaces"]
    assert row["drift"] is False

    # a bad change rolls back: an image that has a version, as every one must, and cannot serve
    inspected = json.loads(world.call("docker", "inspect", "jailoc-planned-opencode-1"))[0]
    user.write(config(image='"broken:1"'))
    world.call(
        "docker", "build", "--quiet", "--tag", "broken:1", "-",
        stdin=f"FROM {inspected['Config']['Image']}\nUSER root\n"
        "RUN printf '#!/bin/sh\\n[ \"$1\" = --version ] && exec echo 1\\necho broken on purpose\\n"
        "exit 3\\n' > /usr/local/bin/opencode\n",
    )  # fmt: skip
    failed = user.run("apply", "planned", "--yes")
    assert failed.status == 1
    assert "broken on purpose" in failed.stderr
    assert "the previous state runs again" in failed.stderr
    now = json.loads(world.call("docker", "inspect", "jailoc-planned-opencode-1"))[0]
    assert now["Config"]["Image"] == inspected["Config"]["Image"]
    assert now["State"]["Health"]["Status"] == "healthy"
    user.write(config(allowed_networks='["10.1.0.0/16"]'))
    user.nothing_to_do("planned")
    user.ok("verify", "planned")

    # renamed: the old one is found by its labels and removed, its volumes are kept
    user.write(config().replace("workspaces.planned", "workspaces.renamed"))
    gone = json.loads(user.ok("plan", "planned", "--json"))["plans"][0]
    assert {each["action"] for each in gone["changes"]} == {"remove"}
    assert "may no longer reach 10.1.0.0/16 (65,536 addresses), every port" in powers(gone)
    every = json.loads(user.ok("plan", "--all", "--json"))
    assert [each["workspace"] for each in every["plans"]] == ["renamed", "planned"]
    user.ok("apply", "planned", "--yes")
    assert not world.call("docker", "ps", "--all", "--quiet", "--filter",
                          "label=com.docker.compose.project=jailoc-planned")  # fmt: skip
    assert not (user.home / ".cache/jailoc/planned").exists()
    kept = world.call("docker", "volume", "ls", "--quiet", "--filter",
                      "label=com.docker.compose.project=jailoc-planned").split()  # fmt: skip
    assert "jailoc-planned_opencode-data-planned" in kept
    user.ok("apply", "planned", "--prune", "--yes")
    assert not world.call("docker", "volume", "ls", "--quiet", "--filter",
                          "label=com.docker.compose.project=jailoc-planned")  # fmt: skip
    assert not (user.home / ".local/share/jailoc/planned").exists()


PAIRS: tuple[dict[str, str], ...] = (
    {"env": '["A=1", "B=$HOME ${X"]'},
    {"env": '["A=2"]', "cpu": "0.5"},
    {"mounts": '["~/code:/home/agent/code:ro"]', "memory": '"1g"'},
    {"mounts": '["~/code:/home/agent/code"]', "allowed_hosts": '["friend.test:443"]'},
    {"enable_docker": "false", "protect": '[".git/hooks"]'},
    {"enable_docker": "true", "expose_port": "false"},
    {"egress": '"allowlist"', "host_ports": "[11434]"},
    {"egress": '"none"', "git_config": "false"},
    {"allowed_networks": '[{ to = "10.2.0.0/16", ports = [5432], until = 2099-01-01 }]'},
    {"secrets.env.T": '{ from_env = "T" }', "secrets.file.key": '{ from_env = "T" }'},
)


@pytest.mark.thorough
def test_after_each_of_ten_applies_there_is_nothing_to_do_and_no_drift(user: User) -> None:
    for entries in PAIRS:
        text = config(**entries)
        if "memory" in entries:
            text = text.replace('memory = "3g"\n', "", 1)
        user.write(text)
        done = user.run("apply", "planned", "--yes", T="x")
        assert done.status == 0, done.stderr[-3000:]
        after = json.loads(user.run("plan", "planned", "--json", T="x").stdout)["plans"][0]
        assert after["changes"] == [], entries
        assert after["drift"] == [], "the model spells a container as the engine does"


def test_a_saved_plan_is_applied_as_it_is_or_not_at_all(user: User) -> None:
    kept = user.home / "planned.plan"
    user.ok("plan", "planned", "--out", str(kept))
    assert kept.stat().st_mode & 0o777 == 0o600
    user.ok("apply", str(kept))
    user.write(config(allowed_networks='["10.1.0.0/16"]'))
    user.ok("plan", "planned", "--out", str(kept))
    user.write(config(allowed_networks='["10.2.0.0/16"]'))
    moved = user.run("apply", str(kept))
    assert moved.status == 1
    assert "the configuration, or what it names, has changed" in moved.stderr
    assert moved.stdout == "", "what does not hold is not shown"
    user.write(config(allowed_networks='["10.1.0.0/16"]'))
    world.call("docker", "stop", "--time", "1", "jailoc-planned-dind-1")
    moved = user.run("apply", str(kept))
    assert moved.status == 1
    assert "service.dind" in moved.stderr
    world.call("docker", "start", "jailoc-planned-dind-1")
    user.ok("apply", str(kept))
    user.nothing_to_do("planned")
    kept.write_text("{}")
    assert "is no plan" in user.run("apply", str(kept)).stderr


KILLER = """
import os, signal, sys
from jailoc.bin.engine import docker
from jailoc.bin.host import files
left = int(sys.argv.pop(1))
def counting(real):
    def call(*arguments, **options):
        global left
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return real(*arguments, **options)
    return call
import subprocess
subprocess.Popen.__init__ = counting(subprocess.Popen.__init__)
os.replace = counting(os.replace)
from pathlib import Path
Path.replace = counting(Path.replace)
from jailoc.bin.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_kill_at_any_docker_call_or_write_is_finished_by_the_next_apply(user: User) -> None:
    """Each round starts from what the kill of the round before and its repair have left."""
    user.ok("apply", "planned", "--yes")
    # tests/bin/deploy/test_apply.py tries every moment in memory.
    step = 9 if os.environ.get("JAILOC_THOROUGH") == "1" else 41
    turn, killed = 0, True
    environment = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    while killed:
        user.write(config(env=f'["ROUND={turn}"]', allowed_networks=f'["10.{turn}.0.0/16"]',
                          enable_docker="false"))  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", KILLER, str(turn), "apply", "planned", "--yes"],
            env=environment | {"HOME": str(user.home), "PYTHONPATH": str(world.ROOT / ".pkg")},
            cwd=user.home, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        killed = done.returncode == -signal.SIGKILL
        assert killed or done.returncode == 0, done.stderr.decode()
        # Looking changes nothing, so only what comes after the looks is worth a kill of its own.
        if killed and not _touched(user, turn):
            turn += step
            continue
        user.ok("apply", "planned", "--yes")
        user.nothing_to_do("planned")
        turn += step
    assert turn > 20


def _touched(user: User, turn: int) -> bool:
    place = user.home / ".cache/jailoc/planned/docker-compose.yml"
    stopped = pid() == "0" if _there() else True
    return stopped or f'"{turn}"' in place.read_text()


def _there() -> bool:
    return "jailoc-planned-opencode-1" in world.call("docker", "ps", "--all", "--format",
                                                     "{{.Names}}")  # fmt: skip


def test_no_secret_is_in_any_plan_or_file(user: User) -> None:
    secrets = '{ from_env = "ONE" }'
    user.write(config(**{"env": f'["E={PLANTED[2]}"]', "secrets.env.T": secrets}))
    kept = user.home / "secret.plan"
    outputs: list[str] = []
    for value in PLANTED[:2]:
        for arguments in (
            ("plan", "planned"), ("plan", "planned", "--json"), ("plan", "planned", "--markdown"),
            ("plan", "planned", "--out", str(kept)), ("apply", "planned", "--yes"),
            ("up", "planned"), ("status",), ("config", "planned", "--json"),
        ):  # fmt: skip
            done = user.run(*arguments, ONE=value)
            assert done.status == 0, done.stderr
            outputs.append(done.stdout + done.stderr)
            if "config" not in arguments:
                assert PLANTED[2] not in outputs[-1], arguments
    assert len({each for each in outputs if "secret.T" in each}) > 1
    texts = [*outputs, *(_text(each) for each in user.home.rglob("*") if each.is_file())]
    assert not [each for each in texts for value in PLANTED[:2] if value in each]
    assert PLANTED[2] not in kept.read_text()


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def test_without_an_engine_the_files_are_compared_and_said_to_be_all(user: User) -> None:
    user.ok("apply", "planned", "--yes")
    (user.home / ".cache/jailoc/planned/wall/rules.v4").write_text("# mine\n")
    alone = user.run("plan", "planned", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert alone.status == 0, alone.stderr
    assert "only the generated files are compared" in alone.stdout
    assert "file.wall/rules.v4" in alone.stdout
    assert "service." not in alone.stdout


def test_restart_checks_and_builds_before_it_stops(user: User) -> None:
    user.ok("up", "planned")
    before = pid()
    (user.home / "Dockerfile").write_text("FROM ${BASE}\nRUN false\n")
    user.write(config(dockerfile='"~/Dockerfile"'))
    failed = user.run("restart", "planned")
    assert failed.status == 1
    assert pid() == before, "what ran still runs"
    user.write(config())
    user.ok("restart", "planned")
    assert pid() != before


def test_workspaces_are_applied_at_once_and_one_that_fails_stops_no_other(user: User) -> None:
    user.write(
        config(enable_docker="false")
        + f"""
[workspaces.renamed]
port = {PORT - 1}
enable_docker = false
image = "nobody-has-this:1"
"""
    )
    done = user.run("apply", "--all", "--yes")
    assert done.status == 1
    assert "renamed: looking" in done.stderr or "nobody-has-this:1" in done.stderr
    assert "planned: applied" in done.stderr
    user.nothing_to_do("planned")
    assert not world.call("docker", "ps", "--quiet", "--filter",
                          "label=com.docker.compose.project=jailoc-renamed")  # fmt: skip


def test_down_takes_what_a_crash_has_left(user: User) -> None:
    user.ok("up", "planned")
    world.call("docker", "rm", "--force", "jailoc-planned-opencode-1")
    user.ok("down", "planned")
    for kind in ("container", "network"):
        every = ["--all"] if kind == "container" else []
        assert not world.call("docker", kind, "ls", *every, "--quiet", "--filter",
                              "label=com.docker.compose.project=jailoc-planned")  # fmt: skip
