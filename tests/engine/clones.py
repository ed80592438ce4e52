"""Repositories of all kinds, and clones of them as tasks have them, without any sandbox."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import task_clone, tools
from jailoc.bin.engine import tools as container
from jailoc.bin.engine.tools import Tool, ToolMount
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import resolve
from jailoc.model.sandbox import project
from tests.engine import tooling, world
from tests.engine.world import User

QUIET = Terminal(color=False)
WORKSPACE = "cloned"
COMMITTER = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "Some One"), ("EMAIL", "one@example.com"))
}


def git(place: Path, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
    """Run Git on this machine, as its user would."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(place.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    words = ["git", "-C", str(place), "-c", "protocol.file.allow=always", *arguments]
    done = subprocess.run(words, env=kept | COMMITTER, input=stdin, capture_output=True, text=True,
                          check=False, timeout=120)  # fmt: skip
    assert not check or done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip()


def repository(place: Path, *options: str, commits: int = 2) -> Path:
    """Make a repository with some commits, which everybody may read."""
    place.mkdir(parents=True, exist_ok=True)
    git(place, "init", "--quiet", "--initial-branch", "main", *options)
    for number in range(commits):
        (place / "file").write_text(f"{number}\n")
        git(place, "add", "--all")
        git(place, "commit", "--quiet", "--message", f"commit {number}")
    return place


@contextmanager
def home(name: str) -> Iterator[User]:
    """Be a user with a home directory of their own, in this process, too."""
    with world.home(name) as user, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(user.home))
        for each in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "JAILOC_CONFIG"):
            patch.delenv(each, raising=False)
        yield user


def origin(user: User, place: Path, more: str = "", before: str = "") -> LoadedConfig:
    """Return a configuration whose workspace is a place, with more lines of it, and before it."""
    name = str(place).replace("\\", "\\\\").replace('"', '\\"')
    workspace = f'[workspaces.{WORKSPACE}]\npaths = ["{name}"]\n'
    user.write(f"{before}{world.certificates()}{workspace}{more}")
    return Session(QUIET).source()


@contextmanager
def cloned(
    user: User,
    place: Path,
    revision: str = "HEAD",
    name: str = "x",
    *,
    more: str = "",
    trust: Path | None = None,
) -> Iterator[task_clone.Clone]:
    """Clone a place as a task is, and remove the volume at the end."""
    loaded = origin(user, place, more, f'trust = ["{trust}"]\n' if trust else "")
    workspace = resolve(loaded.config, WORKSPACE, loaded.host)
    try:
        yield task_clone.make(QUIET, workspace, name, str(place), revision, loaded.host,
                              loaded.config.trust)  # fmt: skip
    finally:
        world.remove(project(f"{WORKSPACE}_{name}"))


def left(name: str = "x") -> list[str]:
    """Return the volumes of a task."""
    label = f"label=com.docker.compose.project={project(f'{WORKSPACE}_{name}')}"
    return world.call("docker", "volume", "ls", "--quiet", "--filter", label).split()


def working(name: str = "x") -> list[str]:
    """Return the containers that work for a task."""
    return tooling.containers(f"{WORKSPACE}_{name}")


def inside(user: User, script: str, name: str = "x", *, writable: bool = False) -> str:
    """Run a script as the agent where a task's clone is."""
    loaded = Session(QUIET).source()
    workspace = resolve(loaded.config, WORKSPACE, loaded.host)
    mount = ToolMount(task_clone.volume(f"{WORKSPACE}_{name}"), "/clone", writable, volume=True)
    tool = Tool(
        tools.image(QUIET, workspace, loaded.host), f"{WORKSPACE}_{name}", workspace.user.text,
        ("/bin/sh", "-euc", script), (mount,), COMMITTER, directory="/clone",
    )  # fmt: skip
    reply = container.ask(tool, what="a test", timeout=300, limit=1 << 26)
    assert reply.status == 0, reply.stderr
    return reply.stdout.decode(errors="replace").strip()
