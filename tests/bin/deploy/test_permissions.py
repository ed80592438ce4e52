"""What cannot work is said before anything starts: no place to write, or an agent that may not."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jailoc.bin.config import user
from jailoc.bin.config.source import LoadedConfig, check
from jailoc.bin.deploy import permissions
from jailoc.model.diagnostic import Refused
from jailoc.model.host import Host
from tests.engine import world

TEXT = '[workspaces.api]\npaths = ["~/code"]\n'


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with world.home("permissions") as person:
        monkeypatch.setenv("HOME", str(person.home))
        for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
            monkeypatch.delenv(name, raising=False)
        (person.home / "code").mkdir()
        yield person.home


@pytest.mark.parametrize(
    ("variable", "place"), [("XDG_CACHE_HOME", ".cache"), ("XDG_DATA_HOME", ".local/share")]
)
def test_a_home_that_cannot_be_written_is_named_with_the_way_round(
    variable: str, place: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    permissions.own()
    closed = home / place
    real = os.access
    monkeypatch.setattr(
        os, "access",
        lambda path, mode: str(path) not in {str(closed), str(closed.parent), str(home)}
        and real(path, mode),
    )  # fmt: skip
    free = tmp_path / "free"
    free.mkdir()
    for other in {"XDG_CACHE_HOME", "XDG_DATA_HOME"} - {variable}:
        monkeypatch.setenv(other, str(free))
    with pytest.raises(Refused) as caught:
        permissions.own()
    (found,) = caught.value.diagnostics
    assert str(closed / "jailoc") in found.message
    assert variable in str(found.hint)
    monkeypatch.setenv(variable, str(free))
    permissions.own()


def origin(home: Path, owner: int, runner: int, monkeypatch: pytest.MonkeyPatch) -> LoadedConfig:
    """Return a configuration of one user, about a directory of another."""
    loaded = check(TEXT, home / "config.toml")
    path = str(home / "code")
    known = loaded.host.permissions[path].model_copy(update={"uid": owner, "gid": owner})
    host = loaded.host.model_copy(
        update={"uid": runner, "gid": runner, "permissions": {path: known}}
    )
    monkeypatch.setattr(user, "asked", lambda host: host)
    return LoadedConfig(
        loaded.path, loaded.document, loaded.config, host, loaded.urls, (), loaded.starter
    )


def test_an_agent_that_may_write_nothing_of_its_users_is_not_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused) as caught:
        permissions.check(origin(home, 4321, 1234, monkeypatch), ("api",))
    (found,) = caught.value.diagnostics
    assert (found.code, found.position and found.position.line) == ("permission", 2)
    assert permissions.check(origin(home, 1234, 1234, monkeypatch), ("api",)) == ()


def test_root_is_warned_of_roots_files_and_may_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = permissions.check(origin(home, 0, 0, monkeypatch), ("api",))
    assert (found.code, found.severity) == ("permission", "warning")


def test_who_is_asked_is_the_engine_that_would_start_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = origin(home, 1000, 1000, monkeypatch)
    asked: list[Host] = []

    def ask(host: Host) -> Host:
        asked.append(host)
        return host

    monkeypatch.setattr(user, "asked", ask)
    permissions.check(loaded, ("api",))
    assert asked == [loaded.host]


def test_what_was_guessed_before_the_engine_was_asked_is_not_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = origin(home, 1234, 1234, monkeypatch)
    guess = found.host.model_copy(update={"uid": 4321})
    monkeypatch.setattr(user, "asked", lambda _: guess)
    with pytest.raises(Refused) as caught:
        permissions.check(found, ("api",))
    guessed = caught.value.diagnostics
    monkeypatch.setattr(user, "asked", lambda host: host)
    warned = replace(found, warnings=guessed)
    assert permissions.check(warned, ("api",)) == ()
    assert permissions.check(warned, ()) == guessed, "of others nothing else is known"
