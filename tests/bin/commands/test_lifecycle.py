"""What happens between the look at a path and its mount; an attack that a test cannot time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import apply, premade
from jailoc.bin.deploy.execute import Engine
from jailoc.bin.engine import containers
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused
from jailoc.model.plan import StopAgent
from tests.engine import world


def settle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: Callable[[Path], None]
) -> list[str]:
    """Bring a workspace up to the moment of its mounts; the agent attacks when it is stopped."""
    stopped: list[str] = []
    with world.home(tmp_path.name) as user:
        (user.home / "project").mkdir()
        (user.home / ".ssh").mkdir()
        user.write('[workspaces.a]\npaths = ["~/project"]\n')
        for name in ("JAILOC_CONFIG", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(user.home))

        def stop(container: str) -> None:
            attack(user.home)
            stopped.append(container)

        monkeypatch.setattr(containers, "stop", stop)
        monkeypatch.setattr(premade, "renew", lambda *_: frozenset())
        session = Session(Terminal(color=False))
        each = apply.item(session, session.source(), "a", complete=False, ask=False)
        assert each.bundle
        place = Engine(
            session.terminal, each.bundle, each.given, each.secrets, each.credentials,
            lambda: apply.unchanged(session, each), each.origin.host,
        )  # fmt: skip
        place.perform(StopAgent(container="1"))
    return stopped


def nothing(home: Path) -> None:
    assert home.is_dir()


def link_to_keys(home: Path) -> None:
    (home / "project").rmdir()
    (home / "project").symlink_to(home / ".ssh")


def new_hooks(home: Path) -> None:
    (home / "project/.git/hooks").mkdir(parents=True)


def test_a_running_agent_is_stopped_before_its_mounts_are_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settle(tmp_path, monkeypatch, nothing) == ["1"]


def test_a_path_that_became_a_link_to_keys_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="holds credentials"):
        settle(tmp_path, monkeypatch, link_to_keys)


def test_anything_else_that_moved_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="has changed meanwhile"):
        settle(tmp_path, monkeypatch, new_hooks)
