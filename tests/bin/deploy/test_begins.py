"""No agent begins whose mounts are not proved, or whose gift cannot be written down."""

from pathlib import Path

import pytest

from jailoc.bin.deploy import execute, machine
from jailoc.bin.engine import containers, startup
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import AGENT


@pytest.mark.parametrize(
    "fails", [None, refuse("mount-swapped", "it is another"), OSError(28, "No space left")]
)
def test_what_is_not_proved_or_written_down_goes_no_further(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails: Exception | None
) -> None:
    done: list[str] = []
    there = iter([None, "agent"])
    monkeypatch.setattr(machine, "hand", lambda _: None)
    monkeypatch.setattr(containers, "up", lambda *_: done.append("made"))
    monkeypatch.setattr(startup, "running", lambda *_: next(there))
    monkeypatch.setattr(execute, "_made", lambda *_: done.append("made, not started"))
    monkeypatch.setattr(startup, "wait", lambda *_: done.append("waited for"))
    monkeypatch.setattr(containers, "remove", lambda each: done.append(f"{each} removed"))
    monkeypatch.setattr(execute, "wall_of", lambda _: "wall")
    monkeypatch.setattr(execute, "hand_secrets", lambda *_: done.append("let go"))

    def prove(_: str) -> None:
        if fails is not None:
            raise fails

    def start() -> None:
        held = execute.Held({}, prove)
        execute.start(Terminal(), "jailoc-api", tmp_path, (AGENT,), held)

    if fails is None:
        start()
        assert done == ["made, not started", "made", "let go", "waited for"], "control"
        return
    with pytest.raises((Refused, OSError)):
        start()
    assert done == ["made, not started", "made", "agent removed"]
