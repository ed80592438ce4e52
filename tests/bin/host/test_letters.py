"""Where a file system ignores case by itself, a cover holds for one way to write a name."""

import os
from pathlib import Path

import pytest

from jailoc.bin.deploy import check, preflight
from jailoc.bin.engine import stats
from jailoc.bin.host import bind_mounts, letters
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind, Literally
from jailoc.model.mount import Mode
from jailoc.model.sandbox import AGENT
from tests.strategies import HOST, config_of

TABLE = "22 1 0:40 / / rw,relatime shared:1 master:2 - {} ci rw\n"
lstat = os.lstat


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a file on a file system that ignores case, as FUSE may: it lists one name of it."""

    def folded(path: str) -> os.stat_result:
        folder, _, name = str(path).rpartition("/")
        return lstat(f"{folder}/{name.lower()}")

    monkeypatch.setattr("os.lstat", folded)
    on(tmp_path, monkeypatch, "fuse")
    (tmp_path / "config").write_text("[core]\n")
    return str(tmp_path / "config")


def on(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    table = folder / "mountinfo"
    table.write_text(TABLE.format(kind))
    monkeypatch.setattr(bind_mounts, "TABLE", table)


def bundle(file: str) -> Bundle:
    made = compile_workspace(config_of("[workspaces.api]\n"), "api", HOST)
    folder = str(Path(file).parent)
    agent = made.compose.services[AGENT]
    binds = tuple(
        Bind(source=Literally(text=each), target=Literally(text=each), mode=mode)
        for each, mode in ((folder, Mode.READ_WRITE), (file, Mode.READ_ONLY))
    )
    agent = agent.model_copy(update={"mounts": (*agent.mounts, *binds)})
    services = {**made.compose.services, AGENT: agent}
    compose = made.compose.model_copy(update={"services": services})
    return made.model_copy(update={"compose": compose})


def test_what_other_letters_lead_to_past_a_cover_is_told_and_is_a_difference(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stats, "about", lambda: None)
    preflight.letters(Terminal(), bundle(config))
    assert f"`{config}`: the agent can write it by other letters" in capsys.readouterr().err
    assert [(each.subject, each.ok) for each in check._letters(bundle(config))] == [(config, False)]


def test_where_the_kernel_itself_ignores_case_a_cover_holds_unless_it_is_anothers(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(tmp_path, monkeypatch, "ext4")
    assert not [*letters.ignored([config])]
    assert [*letters.ignored([config], shared=True)] == [config]


def test_where_case_counts_there_is_nothing_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(tmp_path, monkeypatch, "fuse")
    file = tmp_path / "config"
    file.write_text("")
    assert not [*letters.ignored([str(file), str(tmp_path / "none")])]
    (tmp_path / "CONFIG").hardlink_to(file)
    assert not [*letters.ignored([str(file)])], "a second name that an agent has made"
