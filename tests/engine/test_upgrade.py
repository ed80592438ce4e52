"""A newer jailoc takes over what an earlier one has started, and the earlier one takes it back.

The earlier one is the commit `EARLIER` of this repository, with the state that it leaves.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.world import ROOT, User

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

EARLIER = "399c513"
PROJECT = "jailoc-older"
CONFIG = f"""{world.certificates()}
[workspaces.older]
port = 4206
paths = ["~/project"]
enable_docker = false
"""


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Check the earlier state out; yield where it is."""
    place = tmp_path_factory.mktemp("earlier") / "jailoc"
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{EARLIER}^{{commit}}"], cwd=ROOT, capture_output=True,
        check=False,
    )  # fmt: skip
    if known.returncode:
        pytest.skip(f"commit {EARLIER} is not in this clone")
    world.call("git", "-C", str(ROOT), "worktree", "add", "--detach", str(place), EARLIER)
    try:
        yield place
    finally:
        world.call("git", "-C", str(ROOT), "worktree", "remove", "--force", str(place))


def run_earlier(place: Path, user: User, *arguments: str) -> str:
    kept = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "jailoc.bin", *arguments],
        env=kept | {"HOME": str(user.home), "PYTHONPATH": str(place / ".pkg")},
        cwd=user.home, capture_output=True, text=True, check=False, timeout=1500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-6000:]
    return done.stdout + done.stderr


def started(service: str) -> str:
    container = f"{PROJECT}-{service}-1"
    return world.call("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", container)


def found() -> str:
    kept = "cat /home/agent/.local/share/opencode/kept"
    return world.call("docker", "exec", f"{PROJECT}-opencode-1", "sh", "-c", kept).strip()


def test_a_newer_jailoc_says_what_it_would_change_takes_over_and_gives_back(earlier: Path) -> None:
    world.remove(PROJECT)
    with world.home("older") as user:
        (user.home / "project").mkdir()
        (user.home / "project").chmod(0o777)
        user.write(CONFIG)
        try:
            run_earlier(earlier, user, "up", "older")
            password = user.password("older")
            keep = "echo kept > /home/agent/.local/share/opencode/kept"
            world.call("docker", "exec", f"{PROJECT}-opencode-1", "sh", "-c", keep)
            before = {each: started(each) for each in ("firewall", "opencode")}

            plan = user.run("plan", "older", "--detailed-exitcode", "--json")
            assert plan.status == 2, plan.stderr
            (made,) = json.loads(plan.stdout)["plans"]
            assert made["changes"], "something of a sandbox changes between these two"
            shown = user.ok("plan", "older")
            assert "agent restarts: yes" in shown
            assert "service.opencode" in shown
            assert {each: started(each) for each in before} == before, "a plan starts nothing"

            user.ok("up", "older")
            after = started("opencode")
            assert after != before["opencode"]
            assert found() == "kept"
            assert user.password("older") == password
            user.nothing_to_do("older")
            user.ok("up", "older")
            assert started("opencode") == after, "a second up has nothing to do"
            user.ok("verify", "older")

            # What the page says of going back.
            assert "service.opencode" in run_earlier(earlier, user, "plan", "older")
            run_earlier(earlier, user, "up", "older")
            assert started("opencode") != after
            assert found() == "kept"
            assert user.password("older") == password
            run_earlier(earlier, user, "verify", "older")
            user.ok("up", "older")
            assert found() == "kept"
        finally:
            world.remove(PROJECT)


def test_a_record_of_a_later_form_is_refused_while_it_runs_and_the_way_out_keeps_the_volumes() -> (
    None
):
    world.remove(PROJECT)
    with world.home("later") as user:
        (user.home / "project").mkdir()
        (user.home / "project").chmod(0o777)
        user.write(CONFIG)
        record = user.home / ".local/share/jailoc/older.applied.json"
        try:
            user.ok("up", "older")
            password = user.password("older")
            keep = "echo kept > /home/agent/.local/share/opencode/kept"
            world.call("docker", "exec", f"{PROJECT}-opencode-1", "sh", "-c", keep)
            before = {each: started(each) for each in ("firewall", "opencode")}
            form = json.loads(record.read_text())["version"]
            later = record.read_text().replace(f'"version":{form}', f'"version":{form + 1}', 1)
            record.write_text(later)
            assert json.loads(later)["version"] == form + 1

            for command in (("plan", "older"), ("up", "older"), ("apply", "older", "--yes")):
                refused = user.run(*command)
                assert refused.status == 1, command
                assert "was made by a newer jailoc" in refused.stderr
                assert f"has format {form + 1}" in refused.stderr
            assert {each: started(each) for each in before} == before
            assert record.read_text() == later

            # What the page says.
            user.ok("destroy", "older", "--keep-volumes", "--yes")
            user.ok("up", "older")
            assert found() == "kept"
            assert user.password("older") != password
            user.nothing_to_do("older")
        finally:
            world.remove(PROJECT)
