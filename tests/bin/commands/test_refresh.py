"""A new value of a credential goes to no proxy that would send it by other limits."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jailoc.bin.commands import refresh
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import credentials, existence, machine, observe
from jailoc.bin.engine import containers
from jailoc.bin.host import files
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.sandbox import PROXY, WALL

CONFIG = """
[workspaces.a]
egress = "allowlist"
[workspaces.a.credentials.c]
hosts = ["old.example.com"]
from_env = "MADE_TOKEN"
paths = ["/v1/"]
"""


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a configuration whose workspace seems to run as it says."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MADE_TOKEN", "made")
    place = tmp_path / "config.toml"
    place.write_text(CONFIG)
    origin = Session(Terminal(color=False), str(place), "a").source()
    bundle = compile_workspace(origin.config, "a", origin.host)
    files.write_bundle(bundle, Path(bundle.directory))
    services = (SimpleNamespace(service=each, id=each, state="running") for each in (WALL, PROXY))
    there = tuple(services)
    monkeypatch.setattr(existence, "running", lambda *_: None)
    monkeypatch.setattr(containers, "containers", lambda *_: there)
    monkeypatch.setattr(containers, "feed", lambda *_: "")
    monkeypatch.setattr(containers, "names", lambda *_: SimpleNamespace(lost=()))
    monkeypatch.setattr(machine, "hand", lambda *_: None)
    monkeypatch.setattr(credentials, "as_made", lambda *_: True)
    for each in ("reloaded", "fed"):
        monkeypatch.setattr(observe, each, lambda *_: None)
    return place


@pytest.mark.parametrize(
    ("old", "new", "goes"),
    [
        ("MADE_TOKEN", "MADE_TOKEN", True),
        ("old.example.com", "new.example.com", False),
        ('paths = ["/v1/"]', 'paths = ["/v2/"]', False),
        ('paths = ["/v1/"]', 'methods = ["GET"]', False),
    ],
)
def test_a_value_goes_where_the_running_proxy_has_its_limits(
    config: Path, old: str, new: str, goes: bool, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    given: list[Any] = []
    monkeypatch.setattr(credentials, "feed", lambda _, held: given.append(held))
    config.write_text(CONFIG.replace(old, new))
    refresh.run(Session(Terminal(color=False), str(config), "a"))
    told = capsys.readouterr().err
    assert bool(given) is goes
    assert ("credentials are not read again" in told) is not goes
    assert ("credentials read again" in told) is goes


def test_no_value_goes_to_a_proxy_that_somebody_else_has_made_anew(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(credentials, "feed", lambda _, held: given.append(held))
    monkeypatch.setattr(credentials, "as_made", lambda *_: False)
    refresh.run(Session(Terminal(color=False), str(config), "a"))
    assert given == []
    assert "credentials are not read again" in capsys.readouterr().err
