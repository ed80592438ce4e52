"""What is said of a workspace that would have to run."""

from pathlib import Path

import pytest

from jailoc.bin.config import facts
from jailoc.bin.deploy import existence
from jailoc.bin.engine.containers import Container
from jailoc.bin.host import files


def agent(state: str) -> Container:
    return Container(
        id="1", service="opencode", project="jailoc-api", state=state, health="", exit_code=0,
        ports=(), started="", image="",
    )  # fmt: skip


def told(container: Container | None) -> tuple[str, str, str]:
    (only,) = existence.not_running("api", container).diagnostics
    return only.code, only.message, only.hint or ""


def test_who_is_halted_is_so_and_by_what_it_ends_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stopped = ("not-running", "workspace `api` is not running", "run `jailoc up api`")
    assert told(None) == told(agent("exited")) == stopped
    code, message, hint = told(agent("running"))  # as with a wall that is not healthy
    assert (code, message) == (
        "not-running",
        "workspace `api` runs, but something of it is not well",
    )
    assert "`jailoc status api`" in hint
    halted = "workspace `api` is halted"
    assert told(agent("paused")) == ("halted", halted, "`jailoc up api` starts it anew")
    with files.locked(facts.cache_directory() / "api.lock"):
        code, message, hint = told(agent("paused"))
    assert (code, message) == ("halted", halted)
    assert "it goes on when process " in hint
