"""What another version of jailoc wrote is refused in words, never read half."""

import json
from pathlib import Path

import pytest

from tests.engine.world import User

NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


@pytest.mark.parametrize("command", [("plan", "api"), ("up", "api")])
def test_a_record_of_a_newer_jailoc_is_refused(user: User, command: tuple[str, ...]) -> None:
    user.write("[workspaces.api]\n")
    place = user.home / ".local/share/jailoc/api.applied.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"version": 2, "what": "nobody knows yet"}))
    result = user.run(*command, **NOWHERE)
    assert result.status == 1
    assert "was made by a newer jailoc" in result.stderr
    assert "has format 2" in result.stderr
    assert "[state-newer]" in result.stderr
    assert json.loads(place.read_text())["version"] == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "2"}', '{"version": 1}', "\0"])
def test_a_record_that_nobody_can_read_is_none(user: User, text: str) -> None:
    user.write("[workspaces.api]\n")
    place = user.home / ".local/share/jailoc/api.applied.json"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    result = user.run("plan", "api", **NOWHERE)
    assert (result.status, "state-newer" in result.stderr) == (0, False)


def test_a_kept_plan_without_bounds_is_not_read(user: User, tmp_path: Path) -> None:
    user.write("[workspaces.api]\n")
    kept = tmp_path / "api.plan"
    with kept.open("wb") as file:
        file.truncate(3 << 30)
    result = user.run("apply", str(kept), **NOWHERE)
    assert result.status == 1
    assert "is larger than 65536 KiB" in result.stderr
    assert "[plan-file]" in result.stderr


def test_a_kept_plan_of_another_format_says_so(user: User, tmp_path: Path) -> None:
    user.write("[workspaces.api]\n")
    kept = tmp_path / "api.plan"
    kept.write_text(json.dumps({"format": 2, "config": "", "plans": []}))
    result = user.run("apply", str(kept), **NOWHERE)
    assert result.status == 1
    assert "its format is 2, this jailoc's is 1" in result.stderr
    assert "[plan-file]" in result.stderr
