"""What a recorded run said is said again, without an engine."""

import json
from pathlib import Path

import jsonschema
import pytest

from jailoc.bin.cli import main
from jailoc.bin.engine import door
from jailoc.bin.host import log
from jailoc.schemas import schema
from tests.engine.conftest import HOSTILE_NAME, config
from tests.engine.world import User
from tests.recording import STATUS, Player, load


def test_status_shows_what_a_recorded_engine_said(
    user: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    user.write(config())
    for name in ("project", HOSTILE_NAME):
        (user.home / name).mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(user.home))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(user.home)
    player = Player(load(STATUS, user.home))
    try:
        with door.answered(player):
            assert main.run(["status", "--json"]) == 0
        data = json.loads(capsys.readouterr().out)
        text = Path(user.home, ".cache/jailoc/jailoc.log").read_text()
    finally:
        if log.Journal.log is not None:
            log.Journal.log.close()
            log.Journal.log = None
    jsonschema.validate(data, schema("status"))
    (row,) = data["workspaces"]
    assert (row["workspace"], row["state"], row["health"]) == ("walled", "running", "healthy")
    assert row["limits"] == {"cpus": 2.0, "memory": 3 << 30, "pids": 256}
    assert 10 << 20 < row["usage"]["memory"] < 3 << 30
    assert row["port"] > 1024
    assert row["unresolved"] == ["missing.invalid"]
    # Each answer that was given is in the log, though no docker was there.
    assert text.count("msg=docker argv=") == len(player.asked) > 4
