"""What a recorded run said is said again, without an engine."""

import json
from collections.abc import Iterator

import jsonschema
import pytest

from jailoc.bin.cli import main
from jailoc.bin.engine import door
from jailoc.bin.host import log
from jailoc.schemas import schema
from tests.engine import world
from tests.engine.world import User
from tests.recording import CONFIG, STATUS, Player, load


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """Be a user in this very process, on a machine without docker."""
    with world.home("replay") as user:
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DOCKER_CONTEXT",
                     "JAILOC_CONFIG"):  # fmt: skip
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(user.home))
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.chdir(user.home)
        yield user
        if log.Journal.log is not None:
            log.Journal.log.close()
            log.Journal.log = None


def test_status_shows_what_a_recorded_engine_said(
    somebody: User, capsys: pytest.CaptureFixture[str]
) -> None:
    somebody.write(CONFIG)
    player = Player(load(STATUS, somebody.home))
    with door.answered(player):
        assert main.run(["status", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    jsonschema.validate(data, schema("status"))
    rows = {each["workspace"]: each for each in data["workspaces"]}
    row = rows["walled"]
    assert row["configured"] is False
    assert {row[key] for key in ("state", "wall", "docker")} == {"running"}
    assert row["limits"] == {"cpus": 2.0, "memory": 3 << 30, "pids": 2048}
    assert 10 << 20 < row["usage"]["memory"] < 3 << 30
    assert row["port"] > 1024
    assert "missing.invalid" in row["unresolved"]
    assert row["blocked"] is not None
    assert rows["other"]["state"] == "not running"
    # Each answer that was given is in the log, though no docker was there.
    text = (somebody.home / ".cache/jailoc/jailoc.log").read_text()
    assert text.count("msg=docker argv=") == len(player.asked)
    # A list, the containers, what they use, and two looks into the wall: nothing twice.
    assert len(player.asked) == 5
