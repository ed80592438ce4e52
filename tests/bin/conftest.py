"""A person at the command line, with a home of their own and no engine."""

from pathlib import Path

import pytest

from tests.engine.world import User


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)
