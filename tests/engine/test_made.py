"""What a start makes in a repository goes with the sandbox, and what is the user's own stays."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.world import User

pytestmark = pytest.mark.engine

FIRST, SECOND = "madefirst", "madesecond"
CONFIG = """
[defaults]
enable_docker = false
[workspaces.madefirst]
paths = ["~/project"]
port = 4284
[workspaces.madesecond]
paths = ["~/project"]
port = 4285
"""
MADE = {"commondir", "remotes", "branches"}


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    for name in (FIRST, SECOND):
        world.remove(f"jailoc-{name}")
    with world.home("made") as found:
        subprocess.run(
            ["git", "init", "-q", "--template=", found.home / "project"],
            check=True,
            env={"HOME": str(found.home), "PATH": "/usr/bin:/bin"},
        )
        world.call("chown", "-R", "1000:1000", str(found.home / "project"))
        found.write(world.certificates() + CONFIG)
        try:
            yield found
        finally:
            for name in (FIRST, SECOND):
                world.remove(f"jailoc-{name}")


def listed(git: Path) -> set[str]:
    # The server of the agent keeps the name of the project in a file of its own.
    return {each.name for each in git.iterdir()} - {"opencode"}


def test_a_repository_is_after_a_destroy_as_it_was_before(user: User) -> None:
    git = user.home / "project/.git"
    before = listed(git)
    assert not before & MADE
    user.ok("up", FIRST)
    assert listed(git) - before == MADE | {"hooks"} - before
    user.ok("up", SECOND)
    # What another one mounts stays: its mount would go with it, and is that one's from now on.
    user.ok("destroy", FIRST, "--yes")
    assert listed(git) - before == MADE | {"hooks"} - before
    script = f"echo x >{git}/commondir || touch {git}/hooks/pre-commit"
    container = f"jailoc-{SECOND}-opencode-1"
    assert world.call("docker", "exec", "--user", "1000:1000", container, "sh", "-c",
                      f"({script}) 2>/dev/null || echo shut").strip() == "shut"  # fmt: skip
    said = user.run("down", SECOND)
    assert (said.status, listed(git)) == (0, before), said.stderr
    assert "that a start had put into repositories" in said.stderr
    # A hook of the user's own, in a directory that a start has made, stays.
    user.ok("up", SECOND)
    (git / "hooks/pre-commit").write_text("exit 0\n")
    user.ok("destroy", SECOND, "--yes")
    assert listed(git) - before == {"hooks"}
    assert (git / "hooks/pre-commit").read_text() == "exit 0\n"
