"""A person, for stories."""

from pathlib import Path

import pytest

from tests.engine.world import User


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)
