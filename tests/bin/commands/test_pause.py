"""What a program is given that runs while agents are halted."""

import os
import subprocess
from pathlib import Path

import pytest

from jailoc.bin.commands import pause

OWN = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Alice"}


def told(environment: dict[str, str], key: str, where: Path) -> str:
    """Return what Git takes a setting for."""
    usual = {"PATH": os.environ["PATH"], "HOME": str(where)}
    done = subprocess.run(
        ["git", "config", "--get", key], env=usual | environment, cwd=where, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize("own", [{}, {"GIT_CONFIG_COUNT": ""}, OWN])
def test_git_waits_for_its_maintenance_and_has_what_the_user_sets(
    own: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".gitconfig").write_text("[gc]\n autoDetach = true\n")
    assert told(own, "gc.autoDetach", tmp_path) == "true", "the control"
    given = own | pause.waiting(own)
    for key in ("gc.autoDetach", "maintenance.autoDetach"):
        assert told(given, key, tmp_path) == "false"
    assert told(given, "user.name", tmp_path) == ("Alice" if own == OWN else "")


@pytest.mark.parametrize("count", ["-1", "two", "1" * 30])
def test_what_is_no_count_is_left_to_git(count: str) -> None:
    assert pause.waiting({"GIT_CONFIG_COUNT": count}) == {}
