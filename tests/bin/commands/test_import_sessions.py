"""Sessions are copied while nothing of the workspace runs or is halted, and one's own alone."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from jailoc.bin.commands import import_sessions
from jailoc.bin.config import facts
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import execute, premade, provenance
from jailoc.bin.engine import containers, docker, volumes
from jailoc.bin.host import files
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused, refuse

CONFIG = '[workspaces.a]\nopencode = "2"\n'


class World:
    """An engine that has the volume of sessions, and notes what is copied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
        self.states: list[str] = []
        self.foreign = False
        self.copied: list[bool] = []
        """Of each copy whether somebody else could have started the workspace meanwhile."""
        monkeypatch.setattr(docker, "check", lambda *_: None)
        monkeypatch.setattr(containers, "containers", self._containers)
        monkeypatch.setattr(
            containers, "owned", lambda *_: {"jailoc-a_opencode-data-a": "jailoc-a"}
        )
        monkeypatch.setattr(volumes, "origins", lambda *_: {"jailoc-a_opencode-data-a": ""})
        monkeypatch.setattr(premade, "untaken", lambda *_: None)
        monkeypatch.setattr(execute, "build", lambda *_: None)
        monkeypatch.setattr(provenance, "exact", lambda image: image)
        monkeypatch.setattr(volumes, "make", lambda *_: None)
        monkeypatch.setattr(volumes, "copy", self._copy)
        self.place = place

    def _containers(self, _: str) -> tuple[SimpleNamespace, ...]:
        if self.foreign:
            raise refuse("foreign", "the containers are not yours")
        return tuple(SimpleNamespace(state=each, service="opencode") for each in self.states)

    def _copy(self, *_: object) -> int:
        try:
            with files.locked(facts.cache_directory() / "a.lock"):
                self.copied.append(True)
        except Refused:
            self.copied.append(False)
        return volumes.DONE

    def run(self) -> str:
        """Import, and return the code of the refusal, if there is one."""
        try:
            import_sessions.run(Session(Terminal(color=False), str(self.place), "a"), True)
        except Refused as refused:
            return refused.diagnostics[0].code
        return ""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """Return one for a workspace that was started here."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".local/share/jailoc/a").mkdir(parents=True)
    place = tmp_path / "config.toml"
    place.write_text(CONFIG)
    return World(monkeypatch, place)


@pytest.mark.parametrize(
    ("states", "code"),
    [([], ""), (["exited", "created"], ""), (["running"], "running"), (["paused"], "running"),
     (["exited", "restarting"], "running")],
)  # fmt: skip
def test_sessions_are_copied_while_nobody_writes_nor_is_halted(
    world: World, states: list[str], code: str
) -> None:
    world.states = states
    assert world.run() == code
    assert world.copied == ([] if code else [False])


def test_nothing_of_another_user_is_copied_into(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.foreign = True
    assert world.run() == "foreign"
    world.foreign = False
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "other"))  # it was never started here
    assert world.run() == "foreign"
    assert world.copied == []
