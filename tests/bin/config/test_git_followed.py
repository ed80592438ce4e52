"""What an agent writes where the user's Git configuration reads it chooses no file of the host's.

Each case has its control: the same file where no agent writes is followed.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.world import User

CONFIG = '[workspaces.a]\npaths = ["~/proj"]\n[workspaces.b]\npaths = ["~/other"]\n'
EVERY = ("login", "ignored", "template", "deep", "more")
WRITTEN = """
[include]
    path = ~/more
[includeIf "gitdir:~/proj/"]
    path = ~/login
[core]
    excludesFile = ~/ignored
[commit]
    template = ~/template
"""


@pytest.fixture
def person() -> Iterator[User]:
    with world.home("followed") as user:
        for each in ("proj", "other", "mine"):
            (user.home / each).mkdir()
        for each in EVERY[:-1]:
            (user.home / each).write_text("[x]\n")
        (user.home / "more").write_text('[gpg "ssh"]\n    allowedSignersFile = ~/deep\n')
        user.write(CONFIG)
        yield user


def handed(user: User, **environment: str) -> dict[str, set[str]]:
    """Return which of the user's files each workspace is given."""
    found: dict[str, set[str]] = {}
    for name in ("a", "b"):
        result = user.run("render", name, "--json", **environment)
        assert result.status == 0, result.stderr
        text = result.stdout.replace('\\"', '"')
        found[name] = {each for each in EVERY if f'"{user.home}/{each}"' in text}
    return found


def include(user: User, place: str, text: str = WRITTEN) -> Path:
    file = user.home / place
    file.write_text(text)
    (user.home / ".gitconfig").write_text(f"[include]\n    path = ~/{place}\n")
    return file


EVERYTHING = {name: set(EVERY) for name in ("a", "b")}
NOTHING: dict[str, set[str]] = {"a": set(), "b": set()}


def test_a_file_in_an_agents_path_names_nothing_that_is_handed_in(person: User) -> None:
    include(person, "mine/team")
    assert handed(person) == EVERYTHING, "the control: no agent writes there"
    assert "git-agents-file" not in person.run("validate").stderr
    file = include(person, "proj/team")
    assert handed(person) == NOTHING
    told = person.run("validate")
    assert told.status == 0
    assert told.stderr.count("[git-agents-file]") == 1
    assert f"`{file}`" in told.stderr
    person.write(f'trust = ["{file}"]\n{CONFIG}')
    assert handed(person) == EVERYTHING
    assert "git-agents-file" not in person.run("validate").stderr


def test_nor_does_one_that_a_link_leads_to(person: User) -> None:
    include(person, "proj/team")
    (person.home / "mine/way").symlink_to(person.home / "proj/team")
    (person.home / ".gitconfig").write_text("[include]\n    path = ~/mine/way\n")
    assert handed(person) == NOTHING
    # A link that an agent could have put there leads anywhere.
    (person.home / "proj/team").unlink()
    (person.home / "proj/team").symlink_to(person.home / "login")
    assert handed(person) == NOTHING


def test_nor_one_that_a_file_of_the_users_includes(person: User) -> None:
    include(person, "proj/team")
    (person.home / "mine/first").write_text("[include]\n    path = ../proj/team\n")
    (person.home / ".gitconfig").write_text("[include]\n    path = ~/mine/first\n")
    assert handed(person) == NOTHING
    (person.home / ".gitconfig").unlink()
    (person.home / ".config/git").mkdir(parents=True)
    (person.home / ".config/git/config").write_text("[include]\n    path = ~/mine/first\n")
    assert handed(person) == NOTHING
    (person.home / "mine/first").write_text(WRITTEN)
    assert handed(person) == EVERYTHING


@pytest.mark.parametrize("place", ["kept/team", ".gitconfig"])
def test_nor_where_an_agent_of_another_configuration_was_started(person: User, place: str) -> None:
    (person.home / "kept").mkdir()
    include(person, "kept/team")
    if place == ".gitconfig":
        (person.home / "kept/team").write_text(WRITTEN)
        (person.home / ".gitconfig").unlink()
        (person.home / ".gitconfig").symlink_to("kept/team")
    assert handed(person) == EVERYTHING
    assert "/home/agent/.gitconfig" in person.run("render", "b", "--json").stdout
    record = person.home / ".local/share/jailoc/else.applied.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    mount = {"source": {"text": str(person.home / "kept")}, "mode": "rw"}
    text = {"compose": {"services": {"opencode": {"mounts": [mount]}}}}
    record.write_text(json.dumps(text))
    told = person.run("validate")
    assert f"`{person.home / place}`" in told.stderr
    if place == ".gitconfig":
        # The configuration itself: mounted, it would be what the agent has made of it.
        assert (told.status, "[steering]" in told.stderr) == (1, True)
    else:
        assert handed(person) == NOTHING
    mount["mode"] = "ro"
    record.write_text(json.dumps(text))
    assert handed(person) == EVERYTHING


def test_nor_in_what_is_mounted_without_an_entry(person: User) -> None:
    (person.home / ".claude/transcripts").mkdir(parents=True)
    include(person, ".claude/transcripts/team")
    assert handed(person) == NOTHING


def test_a_file_that_is_named_twice_by_another_is_what_both_say(person: User) -> None:
    include(person, "mine/team")
    place = person.home / ".gitconfig"
    place.write_text(f"{place.read_text()}[core]\n    attributesFile = ~/mine/team\n")
    assert handed(person) == EVERYTHING
