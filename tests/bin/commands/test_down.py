"""`down` of what is not where it is looked for."""

from pathlib import Path

import pytest

from jailoc.bin.commands import down
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import elsewhere
from jailoc.bin.engine import containers, docker
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused


@pytest.mark.parametrize(
    ("other", "left"),
    [(None, False), ("unix:///run/former.sock", False), ("unix:///run/former.sock", True)],
)
def test_what_runs_on_another_engine_is_not_called_stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    other: str | None,
    left: bool,
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".cache/jailoc/api").mkdir(parents=True)
    (tmp_path / "config.toml").write_text("[workspaces.api]\n")
    monkeypatch.setattr(docker, "check", lambda: None)
    monkeypatch.setattr(containers, "project_objects", lambda _: left)
    monkeypatch.setattr(down, "stop", lambda *_, **__: pytest.fail("it is not to be stopped here"))
    monkeypatch.setattr(elsewhere, "running", lambda _: other)
    session = Session(Terminal(color=False), str(tmp_path / "config.toml"), "api")
    if other is None:
        assert down.run(session) == 0
        assert capsys.readouterr().err == "api is not running\n"
        return
    with pytest.raises(Refused) as refused:
        down.run(session)
    (only,) = refused.value.diagnostics
    assert (only.code, other in (only.hint or "")) == ("engine-other", True)
    assert capsys.readouterr().err == ""
