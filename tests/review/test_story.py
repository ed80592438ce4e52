"""The how-to page of reviews, step by step."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bin.commands.test_files import NO_ENGINE
from tests.engine.world import User

PAGE = Path(__file__).parents[2] / "docs/how-to/review-in-a-team.md"


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    every = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [
        re.sub(r"^   ", "", each, flags=re.MULTILINE) for name, each in every if name == language
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_the_page_of_reviews_is_true(user: User) -> None:
    team = user.home
    (team / "sandboxes").mkdir()
    config = team / "sandboxes/config.toml"
    base = '[workspaces.api]\npaths = ["~/code/api"]\n'
    config.write_text(base)
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "sandboxes"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "one"),
    ):
        subprocess.run(["git", *command], cwd=team, check=True, capture_output=True,
                       env={"HOME": str(team), "PATH": os.environ["PATH"]})  # fmt: skip

    def run(command: str) -> str:
        words = command.split()[1:]
        return user.run(*words, **NO_ENGINE).stdout

    changed, policy = blocks("toml")
    first, second = blocks("sh")
    screen, quiet, refused = blocks("")
    config.write_text(changed)
    assert run(first) == screen
    config.write_text(base + 'memory = "8g"\n')
    assert run(first) == quiet
    config.write_text(changed)
    (team / "policy.toml").write_text(policy)
    assert run(second).startswith(refused)
