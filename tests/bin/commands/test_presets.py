"""`presets`: sets are listed and shown; a client's registries become one after being shown."""

import json

import jsonschema

from jailoc.schemas import schema
from tests.engine.world import User

CONFIG = '# mine\n[workspaces.api]\npaths = []\nallow = ["@npm"]\n[sets.npm]\nhosts = []\n'


def test_sets_are_listed_and_shown_with_their_sources(user: User) -> None:
    user.write(CONFIG)
    listed = json.loads(user.ok("presets", "list", "--json"))
    assert {each["name"]: each["shipped"] for each in listed}["github"]
    assert {each["name"]: each["shipped"] for each in listed}["npm"] is False
    jsonschema.validate(listed, schema("presets"))
    jsonschema.validate(
        json.loads(user.ok("presets", "show", "github", "--json")), schema("presets")
    )
    shown = user.ok("presets", "show", "@github")
    assert "api.github.com:443" in shown
    assert "https://docs.github.com/" in shown
    wrong = user.run("presets", "show", "githup")
    assert wrong.status == 1
    assert "there is no set `@githup`" in wrong.stderr


def test_the_registries_of_npm_become_a_set_after_they_are_shown(user: User) -> None:
    user.write(CONFIG)
    (user.home / ".npmrc").write_text("registry=https://npm.registry.example.com/\n")
    refused = user.run("presets", "import", "npm")
    assert refused.status == 1
    assert user.config.read_text() == CONFIG
    done = user.ok("presets", "import", "npm", "--yes")
    assert '+     "npm.registry.example.com:443",' in done
    assert user.config.read_text().startswith("# mine\n")
    settings = json.loads(user.ok("config", "--json"))["workspaces"][0]["settings"]
    allowed = [each for each in settings if each["key"] == "allow"]
    assert [each["value"] for each in allowed] == ["@npm: npm.registry.example.com:443"]


def test_a_client_that_says_nothing_imports_nothing(user: User) -> None:
    user.write(CONFIG)
    refused = user.run("presets", "import", "cargo", "--yes")
    assert refused.status == 1
    assert "names nothing that it fetches from" in refused.stderr
    assert user.config.read_text() == CONFIG
