"""What a hint has people write into their configuration is what it says, whoever named it."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.world import User

ROOT = Path(__file__).parents[3]


@pytest.fixture
def person() -> Iterator[User]:
    with world.home("hints") as user:
        yield user


@pytest.mark.parametrize("name", ['a", "/", "/x', "a\\", "caf\u00e9\u202e", "a\tb"])
def test_a_line_that_trusts_a_place_trusts_no_other(person: User, name: str) -> None:
    pipe = person.home / "project" / name / ".git/index"
    (pipe.parent / "objects").mkdir(parents=True)
    (pipe.parent / "refs").mkdir()
    (pipe.parent / "HEAD").write_text("ref: refs/heads/main\n")
    os.mkfifo(pipe)
    person.write('[workspaces.api]\npaths = ["~/project"]\n')
    told = person.run("validate").stderr
    assert "it is a pipe" in told
    (line,) = re.findall(r"trust = \[.*\]", told)
    assert tomllib.loads(line) == {"trust": [str(pipe)]}
    person.write(f'{line}\n[workspaces.api]\npaths = ["~/project"]\n')
    assert "it is a pipe" not in person.run("validate").stderr


def test_every_such_line_is_made_in_one_place() -> None:
    found = [
        str(file.relative_to(ROOT))
        for part in ("bin", "generators", "model")
        for file in (ROOT / part).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.JoinedStr)
        and any(
            isinstance(each, ast.Constant) and "trust = [" in str(each.value)
            for each in node.values
        )
    ]
    assert found == ["model/path.py"]
