"""Tasks of one workspace side by side: each works in its clone, and the host's repository rests."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.clones import git, repository
from tests.engine.test_task_attacks import armed, rest
from tests.engine.world import ROOT, User

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

NAMES = ("one", "two", "three")
PAGE = ROOT / "docs/how-to/run-agents-side-by-side.md"
CONFIG = f"""{world.certificates()}
[defaults]
enable_docker = false
memory = "1g"
[defaults.tasks]
limit = 3
memory = "3g"
ports = [4620, 4639]
[workspaces.api]
paths = ["~/src/api"]
port = 4219
env = ["MARK=here"]
"""


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    every = [f"jailoc-api{each}" for each in ("", *(f"_{name}" for name in NAMES),
             "_fix-login", "_docs", "_killed")]  # fmt: skip
    world.remove(*every)
    with world.home("tasks") as found:
        found.write(CONFIG)
        (found.home / ".gitconfig").write_text("[user]\n\tname = Me\n\temail = me@example.com\n")
        place = repository(found.home / "src/api")
        armed(place, found.home / "mark")
        try:
            yield found
        finally:
            world.remove(*every)


def place(user: User) -> Path:
    return user.home / "src/api"


def volumes(name: str) -> list[str]:
    label = f"label=com.docker.compose.project=jailoc-api_{name}"
    return world.call("docker", "volume", "ls", "--quiet", "--filter", label).split()


def test_three_tasks_work_side_by_side_and_come_home(user: User) -> None:
    before, head = rest(place(user)), git(place(user), "rev-parse", "HEAD")
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda name: user.run("task", "new", name, "-w", "api"), NAMES))
    assert [each.status for each in done] == [0, 0, 0], [each.stderr for each in done]
    listed = json.loads(user.ok("task", "list", "--json"))
    jsonschema.validate(listed, schema("tasks"))
    rows = listed["tasks"]
    assert {each["task"]: each["state"] for each in rows} == dict.fromkeys(NAMES, "running")
    assert sorted(each["port"] for each in rows) == [4620, 4621, 4622]
    full = user.run("task", "new", "four", "-w", "api")
    assert (full.status, "task-many" in full.stderr) == (1, True)
    for name in NAMES:
        script = (
            f'set -e; test "$MARK" = here; echo {name} > {name}; git add -A; git commit -qm {name};'
            "git rev-parse HEAD"
        )
        tip = user.ok("exec", f"api/{name}", "--", "sh", "-c", script).strip()
        refused = user.run("task", "rm", name, "-w", "api")
        assert "1 commit that did not come home" in refused.stderr
        user.ok("task", "fetch", name, "-w", "api")
        assert git(place(user), "rev-parse", f"refs/jailoc/api/{name}") == tip
        assert git(place(user), "rev-parse", f"{tip}~1") == head
        assert name in user.ok("task", "log", f"api/{name}")
        assert f"+{name}" in user.ok("task", "diff", name, "-w", "api")
        assert json.loads(user.ok("verify", f"api/{name}", "--json"))["ok"]
        assert "nothing to do" in user.ok("plan", f"api/{name}")
    assert rest(place(user)) == before
    assert not (user.home / "mark").exists()
    # No task sees another one, or the host's directory.
    seen = user.ok("exec", "api/one", "--", "sh", "-c", "ls; mount | grep -c 'src/api'")
    assert seen.split() == ["file", "one", "1"]
    kept = user.run("destroy", "api", "--yes")
    assert (kept.status, "has 3 tasks" in kept.stderr) == (1, True)
    user.ok("exec", "api/one", "--", "sh", "-c", "echo dirty >> file")
    dirty = user.run("task", "rm", "one", "-w", "api")
    assert "changes that are not committed" in dirty.stderr
    user.ok("task", "fetch", "one", "-w", "api", "--uncommitted")
    assert git(place(user), "show", "refs/jailoc/api/one.wip:file").endswith("dirty")
    assert git(place(user), "rev-parse", "refs/jailoc/api/one.wip~1") == git(
        place(user), "rev-parse", "refs/jailoc/api/one"
    )
    assert user.ok("exec", "api/one", "--", "git", "status", "--porcelain") == " M file\n"
    user.ok("task", "rm", "one", "-w", "api", "--force")
    for name in ("two", "three"):
        user.ok("task", "rm", f"api/{name}")
    assert [volumes(name) for name in NAMES] == [[], [], []]
    assert json.loads(user.ok("task", "list", "--json")) == {"tasks": []}


def test_the_page_can_be_followed(user: User) -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    assert len(lines) >= 10
    tools = user.home / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "jailoc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jailoc.bin "$@"\n')
    (tools / "jailoc").chmod(0o755)
    shutil.rmtree(place(user) / ".git/hooks", ignore_errors=True)
    (place(user) / ".git/config").write_text("[core]\n\tbare = false\n")
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line], cwd=user.home, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=600,
            env={"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"), **_engine(tools)},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stderr[-3000:]}"
    assert git(place(user), "log", "-1", "--format=%s") == "Fix the login"
    assert volumes("docs") + volumes("fix-login") == []


def _engine(tools: Path) -> dict[str, str]:
    return {"PATH": f"{tools}:{os.environ['PATH']}", "DOCKER_HOST": os.environ["DOCKER_HOST"]}


@pytest.mark.parametrize("seconds", [0.7, 1.3, 1.9, 2.5, 4.0])
def test_a_new_task_that_is_killed_is_there_or_not(user: User, seconds: float) -> None:
    before = rest(place(user))
    with user.start("task", "new", "killed", "-w", "api") as running:
        time.sleep(seconds)
        running.kill()
    assert rest(place(user)) == before
    rows = json.loads(user.ok("task", "list", "--json"))["tasks"]
    if not rows:
        # What was left of it goes with the next one.
        user.run("task", "new", "killed", "-w", "api", "--from", "nowhere")
        assert volumes("killed") == []
        return
    assert [each["task"] for each in rows] == ["killed"]
    user.ok("up", "api/killed")
    said = user.ok("exec", "api/killed", "--", "git", "status", "--porcelain", "--branch")
    assert said == "## task/killed\n"
    user.ok("task", "rm", "api/killed")
    assert volumes("killed") == []
