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
from typing import Any

import jsonschema
import pexpect
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
secrets.env.TOKEN = {{ from_file = "~/token" }}
secrets.file.key = {{ from_file = "~/token" }}
"""


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    every = [f"jailoc-api{each}" for each in ("", *(f"_{name}" for name in NAMES),
             "_fix-login", "_docs", "_killed", "_every", "_rest", "_gone")]  # fmt: skip
    world.remove(*every)
    with world.home("tasks") as found:
        found.write(CONFIG)
        (found.home / "token").write_text("of-the-user")
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


def differing(user: User, task: str) -> list[dict[str, Any]]:
    """Return what of a task is not as its model says."""
    checks = json.loads(user.run("verify", task, "--json").stdout)["checks"]
    return [each for each in checks if not each["ok"]]


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
            'set -e; test "$MARK" = here; test "$TOKEN" = of-the-user; '
            f"test $(cat /run/secrets/key) = of-the-user; echo {name} > {name}; git add -A; "
            f"git commit -qm {name}; git rev-parse HEAD"
        )
        tip = user.ok("exec", f"api/{name}", "--", "sh", "-c", script).strip()
        refused = user.run("task", "rm", name, "-w", "api")
        assert "1 commit that did not come home" in refused.stderr
        user.ok("task", "fetch", name, "-w", "api")
        assert git(place(user), "rev-parse", f"refs/jailoc/api/{name}") == tip
        assert git(place(user), "rev-parse", f"{tip}~1") == head
        assert name in user.ok("task", "log", f"api/{name}")
        assert f"+{name}" in user.ok("task", "diff", name, "-w", "api")
        assert differing(user, f"api/{name}") == []
        user.nothing_to_do(f"api/{name}")
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
    user.ok("exec", "api/one", "--", "sh", "-c", "echo more >> file")
    more = user.run("task", "rm", "one", "-w", "api")
    assert (more.status, "changes that are not committed" in more.stderr) == (1, True)
    user.ok("task", "fetch", "one", "-w", "api", "--uncommitted")
    went = user.run("task", "rm", "one", "-w", "api")
    assert went.status == 0, went.stderr
    assert "refs/jailoc/api/one.wip stays; `git -C" in went.stderr
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
    (tools / "jailoc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m jailoc.bin "$@"\n')
    (tools / "jailoc").chmod(0o755)
    shutil.rmtree(place(user) / ".git/hooks", ignore_errors=True)
    (place(user) / ".git/config").write_text("[core]\n\tbare = false\n")
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line], cwd=user.home, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=600,
            env=_environment(user) | {"PATH": f"{tools}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stderr[-3000:]}"
    assert git(place(user), "log", "-1", "--format=%s") == "Fix the login"
    assert volumes("docs") + volumes("fix-login") == []


def _environment(user: User) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    return kept | {"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg")}


@pytest.fixture(scope="module")
def task(user: User) -> str:
    user.ok("task", "new", "every", "-w", "api")
    return "api/every"


def stood(user: User, at: Path) -> str:
    """Return where a program begins in the task of a user who stands somewhere."""
    words = (sys.executable, "-P", "-m", "jailoc.bin", "exec", "api/every", "--", "pwd")
    done = subprocess.run(words, cwd=at, env=_environment(user), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout


def test_what_takes_a_workspace_takes_a_task(user: User, task: str) -> None:
    user.nothing_to_do(task)
    assert "running" in user.ok("status", task)
    (row,) = json.loads(user.ok("status", task, "--json"))["workspaces"]
    assert (row["workspace"], row["port"]) == ("api_every", 4620)
    assert differing(user, task) == []
    assert json.loads(user.ok("blocked", task, "--json"))["blocked"] == []
    for words in (("logs", task, "--tail", "1"), ("graph", task), ("refresh", task),
                  ("explain", task, "1.1.1.1"), ("apply", task, "--yes")):  # fmt: skip
        user.ok(*words)
    assert user.ok("exec", task, "--", "pwd").strip() == str(place(user))
    # Where the user stands may be nowhere in the clone.
    new = place(user) / "new"
    new.mkdir()
    assert stood(user, new).strip() == str(place(user))
    user.ok("exec", task, "--", "mkdir", "-p", str(new))
    assert stood(user, new).strip() == str(new)
    user.ok("exec", task, "--", "rmdir", str(new))
    new.rmdir()
    user.ok("restart", task)
    user.ok("down", task)
    assert f"{task} is not running" in user.run("down", task).stderr
    user.ok("up", task)


def test_a_client_opens_on_a_task_in_its_clone(user: User, task: str) -> None:
    for words in (("--exec", "-w", task), ("--exec", "-w", task, "src/api")):
        with pexpect.spawn(
            sys.executable, ["-P", "-m", "jailoc.bin", *words], cwd=str(user.home),
            dimensions=(30, 100), env=_environment(user) | {"TERM": "xterm-256color"},
        ) as terminal:  # fmt: skip
            terminal.expect_exact(b"Ask anything", timeout=90)
            top = world.call("docker", "top", _agent("every"), "-eo", "pid,args")
            assert f"--dir {place(user)}" in top
            time.sleep(0.5)
            terminal.send("\x03")
            terminal.expect(pexpect.EOF, timeout=60)
            terminal.close()
            assert terminal.exitstatus == 0, terminal.before


def _agent(name: str) -> str:
    return world.call("docker", "ps", "--quiet", "--filter",
                      f"label=com.docker.compose.project=jailoc-api_{name}", "--filter",
                      "label=com.docker.compose.service=opencode").strip()  # fmt: skip


def test_an_editor_speaks_with_the_agent_of_a_task(user: User, task: str) -> None:
    only_here = place(user) / "only-here"
    only_here.mkdir()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "jailoc.bin", "acp", "-w", task], cwd=place(user), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={key: text for key, text in _environment(user).items() if key != "DOCKER_HOST"},
    ) as running:  # fmt: skip
        assert running.stdin
        assert running.stdout

        def asked(number: int, method: str, **params: object) -> dict[str, Any]:
            assert running.stdin
            assert running.stdout
            message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            running.stdin.write(json.dumps(message) + "\n")
            running.stdin.flush()
            while (found := json.loads(running.stdout.readline())).get("id") != number:
                pass
            answer: dict[str, Any] = found
            return answer

        assert asked(1, "initialize", protocolVersion=1)["result"]["protocolVersion"] == 1
        session = asked(2, "session/new", cwd=str(place(user)), mcpServers=[])
        assert session["result"]["sessionId"]
        # It would begin in a directory that nobody made, which the agent takes as well.
        for wrong in (only_here, user.home):
            assert asked(3, "session/new", cwd=str(wrong), mcpServers=[])["error"]["code"] == -32602
        running.stdin.close()
        assert running.wait(30) == 0
    only_here.rmdir()


def test_all_of_a_workspace_are_its_running_tasks_too(user: User, task: str) -> None:
    user.ok("task", "new", "rest", "-w", "api")
    user.ok("down", "api/rest")
    user.write(CONFIG.replace("[workspaces.api]", '[workspaces.api]\nallowed_hosts = ["x.test"]'))

    def planned() -> dict[str, bool]:
        plans = json.loads(user.ok("plan", "--all", "--json"))["plans"]
        return {each["workspace"]: bool(each["changes"]) for each in plans}

    assert planned() == {"api": True, "api_every": True}
    user.ok("apply", "--all", "--yes")
    assert planned() == {"api": False, "api_every": False}
    before = _agent("every")
    user.ok("restart", "--all")
    assert _agent("every") != before
    assert user.run("up", "--all").status == 0
    assert _agent("rest") == ""
    # No way of starting one goes past what all may use together.
    user.write(CONFIG.replace('memory = "3g"', 'memory = "1g"'))
    for words in (("up", "api/rest"), ("apply", "api/rest", "--yes"), ("restart", "api/rest")):
        refused = user.run(*words)
        assert (refused.status, "[task-memory]" in refused.stderr) == (1, True), words
    user.write(CONFIG)
    user.ok("task", "rm", "api/rest")
    user.ok("down", "api")


def test_a_removal_that_is_refused_leaves_the_agent_at_work(user: User) -> None:
    user.ok("task", "new", "gone", "-w", "api")
    assert "nothing to fetch" in user.run("task", "fetch", "gone", "-w", "api").stderr
    assert git(place(user), "for-each-ref", "refs/jailoc/api/gone") == ""
    user.ok("exec", "api/gone", "--", "sh", "-c", "git commit -q --allow-empty -m one")
    assert "one" in user.ok("task", "log", "gone", "-w", "api")
    refused = user.run("task", "rm", "gone", "-w", "api")
    assert (refused.status, "1 commit that did" in refused.stderr) == (1, True)
    assert user.ok("exec", "api/gone", "--", "echo", "goes on") == "goes on\n"
    user.ok("task", "fetch", "gone", "-w", "api")
    # What a killed run has left uses the volume.
    world.call(
        "docker", "run", "--detach", "--rm", "--log-driver", "none", "--label",
        "dev.jailoc.tools=api_gone", "--volume", "jailoc-api_gone_project:/clone", "--entrypoint",
        "sleep", world.call("docker", "images", "--quiet", "jailoc-tools").split()[0], "600",
    )  # fmt: skip
    user.ok("task", "rm", "gone", "-w", "api")
    assert volumes("gone") == []


def listed(user: User) -> list[str]:
    return sorted(each["task"] for each in json.loads(user.ok("task", "list", "--json"))["tasks"])


@pytest.mark.parametrize("seconds", [0.7, 1.3, 1.9, 2.5, 4.0])
def test_a_new_task_that_is_killed_is_there_or_not(user: User, seconds: float) -> None:
    before, others = rest(place(user)), listed(user)
    with user.start("task", "new", "killed", "-w", "api") as running:
        time.sleep(seconds)
        running.kill()
    assert rest(place(user)) == before
    there = listed(user)
    assert there in (others, sorted([*others, "killed"]))
    if there == others:
        # What was left of it goes with the next one.
        user.run("task", "new", "killed", "-w", "api", "--from", "nowhere")
        assert volumes("killed") == []
        return
    user.ok("up", "api/killed")
    said = user.ok("exec", "api/killed", "--", "git", "status", "--porcelain", "--branch")
    assert said == "## task/killed\n"
    user.ok("task", "rm", "api/killed")
    assert volumes("killed") == []
