"""`learn` from a file that was exported asks no engine, and says in JSON what its schema has."""

import json
import os
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jailoc.model.evidence import VERSION, Evidence, Sighting
from jailoc.schemas import schema
from tests.engine import world
from tests.engine.world import User

CONFIG = """[workspaces.api]
paths = []
allowed_hosts = ["idle.example.com:443"]
"""
DAY = 86_400
SEEN = Sighting(count=3, first=1_790_000_000, last=1_790_000_000 + DAY)


@pytest.fixture
def exported(user: User, tmp_path: Path) -> Path:
    user.write(CONFIG)
    evidence = Evidence(
        version=VERSION,
        workspace="api",
        spans=((1_790_000_000, 1_790_000_000 + 30 * DAY),),
        named=(("one.example.org", 6, 443, "d", SEEN),),
        bare=(("192.0.2.7", 6, 22, "d", SEEN), ("10.1.2.3", 6, 443, "r", SEEN)),
        lost=2,
    )
    (tmp_path / "seen.json").write_text(evidence.model_dump_json())
    return tmp_path / "seen.json"


def learned(user: User, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(user.ok("learn", "api", "--json", *arguments))
    jsonschema.validate(found, schema("learn"))
    return found


def test_what_is_proposed(user: User, exported: Path) -> None:
    found = learned(user, "--from", str(exported))
    live = [each for each in found["entries"] if each["live"]]
    assert [(each["to"], each["ports"]) for each in live] == [("one.example.org", [443])]
    assert found["lost"] == 2
    assert '+    {to = "one.example.org:443"' in found["patch"]
    assert user.config.read_text() == CONFIG


def test_an_address_without_a_name_is_told_though_it_is_no_entry(
    user: User, exported: Path
) -> None:
    evidence = Evidence.model_validate_json(exported.read_text())
    bare = (("1.1.1.1", 6, 80, "d", SEEN),)
    exported.write_text(evidence.model_copy(update={"named": (), "bare": bare}).model_dump_json())
    done = user.run("learn", "api", "--from", str(exported))
    assert "nothing to change" in done.stderr
    assert "1.1.1.1 port 80: learned: 3 connections, " in done.stderr
    assert "no name led there: --addresses makes an entry of it" in done.stderr
    assert "1.1.1.1" in user.ok("learn", "api", "--addresses", "--from", str(exported))


def test_an_agent_that_floods_the_wall_with_names_keeps_nobody_waiting_for_minutes(
    user: User, exported: Path
) -> None:
    many = range(2048)
    evidence = Evidence.model_validate_json(exported.read_text())
    named = tuple((f"h{each}.x{each}.example{each}.org", 6, 443, "d", SEEN) for each in many)
    bare = tuple((f"93.0.{each >> 8}.{each & 255}", 6, 443, "d", SEEN) for each in many)
    flood = evidence.model_copy(update={"named": named, "bare": bare})
    exported.write_text(flood.model_dump_json())
    begun = time.process_time(), os.times().children_user
    found = learned(user, "--addresses", "--from", str(exported))
    assert sum(each["live"] for each in found["entries"]) == 2 * len(many)
    assert time.process_time() - begun[0] + os.times().children_user - begun[1] < 25


def test_days_without_unused_are_refused(user: User, exported: Path) -> None:
    done = user.run("learn", "api", "--days", "3", "--from", str(exported))
    assert done.status == 1
    assert "--days is for --unused" in done.stderr


def test_what_goes(user: User, exported: Path) -> None:
    found = learned(user, "--unused", "--days", "0", "--from", str(exported))
    assert [each["text"] for each in found["entries"]] == ["idle.example.com port 443"]


def test_the_schema_refuses_what_learn_never_says(user: User, exported: Path) -> None:
    found = learned(user, "--from", str(exported))
    for wrong in (
        {**found, "more": 1},
        {**found, "spans": [[1]]},
        {**found, "entries": [{"to": "x"}]},
        {key: value for key, value in found.items() if key != "patch"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema("learn"))


def test_a_patch_that_an_agent_can_change_is_told(exported: Path) -> None:
    with world.home("patched") as user:
        project = user.home / "project"
        project.mkdir()
        user.write(CONFIG.replace("paths = []", f'paths = ["{project}"]'))
        for place, warned in ((project / "a.patch", True), (user.home / "a.patch", False)):
            done = user.run("learn", "api", "--from", str(exported), "--out", str(place))
            assert done.status == 0, done.stderr
            assert place.read_text().startswith("--- ")
            assert ("an agent can write there" in done.stderr) == warned
