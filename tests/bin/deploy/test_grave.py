"""What a sandbox that was started may do is told of what was applied, not of what is written."""

from pathlib import Path

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import grave, observe
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import resolve
from jailoc.generators.config.stated import stated
from jailoc.model.deployed import Applied

CONFIG = "[workspaces.a]\nallowed_networks = [{}]\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "config.toml"


def read(place: Path, network: str) -> LoadedConfig:
    place.write_text(CONFIG.format(f'"{network}"' if network else ""))
    return Session(Terminal(color=False), str(place)).source()


def applied(origin: LoadedConfig) -> Applied:
    bundle = compile_workspace(origin.config, "a", origin.host)
    return Applied(
        config=origin.path, names=("a",), bundle="", files={}, compose=bundle.compose,
        firewall=bundle.firewall, builds=(), images={}, secrets={}, observed={},
        stated=stated(origin.config, resolve(origin.config, "a", origin.host), origin.host),
    )  # fmt: skip


def test_what_was_applied_is_told_though_the_configuration_has_moved_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = applied(read(place, "10.0.0.0/8"))
    monkeypatch.setattr(observe, "last", lambda _: known)
    told = grave.told(read(place, "192.168.0.0/16"), "a", behind=True)
    assert told["open"] is None
    assert [(each.rank, each.text.partition(" (")[0]) for each in told["grave"]] == [
        ("critical", "may reach 10.0.0.0/8")
    ]
    assert grave.told(read(place, "10.0.0.0/8"), "a", behind=False)["open"] == (
        "every public address; 10.0.0.0/8"
    )


def test_of_one_that_opens_nothing_and_of_one_that_never_ran_nothing_is_grave(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = read(place, "")
    known = applied(origin)
    monkeypatch.setattr(observe, "last", lambda _: known)
    told = grave.told(origin, "a", behind=False)
    assert (told["grave"], told["open"]) == ((), "every public address")
    monkeypatch.setattr(observe, "last", lambda _: None)
    assert grave.told(origin, "a", behind=False) == {}
