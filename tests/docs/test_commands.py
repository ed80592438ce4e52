"""Every command in the documentation is one, and what needs no engine runs as it stands there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc.bin.cli import command_line
from jailoc.bin.cli import launch as _launch  # noqa: F401 -- tells the app its commands
from jailoc.bin.cli.app import app
from tests.docs.commands import Command, commands
from tests.engine import world
from tests.engine.world import ROOT

EVERY = commands()
ENGINELESS = {
    "add", "allow", "completion", "config", "diff", "doctor", "explain", "golden", "graph", "init",
    "plan", "render", "schema", "validate",
}  # fmt: skip
OF_CLUSTER = {"--target", "--push"}
"""Options of commands that need a registry, its digests, or a cluster."""
SANDBOX = """\
[workspaces.api]
paths = ["~/src/api"]
[workspaces.default]
"""
POLICY = '[[forbid]]\npower = "reach.network"\nto = ["10.9.0.0/16"]\nwhy = "a test"\n'


def name(command: Command) -> str:
    return f"{command.page}:{command.line}"


def of_cluster(command: Command) -> bool:
    return bool(OF_CLUSTER & set(command.words))


def runs_here(command: Command) -> bool:
    words = command.words
    return (
        bool(words)
        and words[0] in ENGINELESS
        and "--out default.plan" not in command.line
        and not of_cluster(command)
    )


def test_there_are_commands_on_many_pages() -> None:
    assert len(EVERY) > 50
    assert len({each.page for each in EVERY}) > 10
    assert len([each for each in EVERY if runs_here(each)]) > 20


@pytest.mark.parametrize("command", EVERY, ids=name)
def test_a_command_can_be_read(command: Command) -> None:
    line = command_line.read(command.words)
    given = [each for each in line.flags if each not in command_line.HELP + command_line.VERSION]
    assert all(line.option(each) for each in given), given
    assert line.waiting is None
    _, shared, _ = app.meta.parse_args(command.words, print_error=False, exit_on_error=False)
    app.parse_args(shared.args, print_error=False, exit_on_error=False)


@pytest.fixture
def place() -> Iterator[Path]:
    """Make a home with a configuration, and in it a repository that reviews one."""
    with world.home("documented") as user:
        yield furnished(user.home)


def furnished(home: Path) -> Path:
    (home / ".config/jailoc").mkdir(parents=True)
    (home / ".config/fish/completions").mkdir(parents=True)
    (home / ".config/jailoc/config.toml").write_text(SANDBOX)
    for each in ("api", "web", "hello"):
        (home / "src" / each).mkdir(parents=True)
    (home / "sandboxes").mkdir()
    (home / "sandboxes/config.toml").write_text(SANDBOX.replace("~/src/api", "~/src/web"))
    (home / "config.toml").write_text(SANDBOX)
    (home / "policy.toml").write_text(POLICY)
    tools = home / "tools"
    tools.mkdir()
    (tools / "jailoc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m jailoc.bin "$@"\n')
    (tools / "jailoc").chmod(0o755)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(home)]
    for words in (["init", "-q", "-b", "main"], ["add", "sandboxes"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    return home


def run(place: Path, line: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "HOME": str(place), "PYTHONPATH": str(ROOT / ".pkg"), "DOCKER_HOST": "unix:///nowhere",
        "PATH": f"{place / 'tools'}:{os.environ['PATH']}",
    }  # fmt: skip
    return subprocess.run(
        ["bash", "-c", line], env=environment, stdin=subprocess.DEVNULL,
        cwd=place / ("src/hello" if "--here" in line else ""),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


LINES = list(dict.fromkeys(each.line for each in EVERY if runs_here(each)))


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("line", LINES)
def test_a_command_that_needs_no_engine_runs(place: Path, line: str) -> None:
    before = {
        "jailoc init": "rm ~/.config/jailoc/config.toml",
        "jailoc init --here": "rm ~/.config/jailoc/config.toml",
        "jailoc golden check": "jailoc golden update sandboxes/generated --config "
        "sandboxes/config.toml",
    }
    first = max((each for each in before if line.startswith(each)), key=len, default=None)
    if first:
        assert run(place, before[first]).returncode == 0
    done = run(place, line)
    # Without an engine the doctor says that this keeps sandboxes from working.
    wanted = 1 if line == "jailoc doctor" else 0
    assert done.returncode == wanted, done.stdout + done.stderr
