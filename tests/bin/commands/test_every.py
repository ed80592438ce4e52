"""`--all` takes one workspace after the other, and one that fails stops no other."""

from types import SimpleNamespace
from typing import Any

import pytest

from jailoc.bin.commands import every, up
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import refuse


def session(said: list[str], **more: Any) -> Any:
    def of(name: str) -> Any:
        return SimpleNamespace(workspace=name)

    def report(error: Exception, terminal: Terminal) -> None:
        said.append(str(error))

    return SimpleNamespace(of=of, report=report, terminal=Terminal(), workspace=None, **more)


def test_one_that_fails_stops_no_other_and_is_named_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done: list[str] = []
    said: list[str] = []

    def command(mine: Any) -> int:
        done.append(mine.workspace)
        if mine.workspace == "b":
            raise refuse("port-taken", "somebody has it")
        if mine.workspace == "c":
            raise DockerError("starting", ["up"], 1, "no space")
        return int(mine.workspace == "d")

    assert every.workspace(session(said), "abcde", command) == 1
    assert (done, len(said)) == (list("abcde"), 2)
    assert "failed: b, c, d" in capsys.readouterr().err
    assert every.workspace(session(said), "a", command) == 0
    assert every.workspace(session(said), (), command) == 0
    assert "nothing to do" in capsys.readouterr().err


def test_up_of_all_is_an_up_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, bool]] = []
    monkeypatch.setattr(up, "names", lambda _: ("api", "web"))
    monkeypatch.setattr(every, "running_tasks", lambda _: ("api_fix",))

    def run(mine: Any, pull: bool) -> int:
        done.append((mine.workspace, pull))
        return 0

    monkeypatch.setattr(up, "run", run)
    given = session([], source=lambda: SimpleNamespace(config=None))
    assert up.run_all(given, pull=True) == 0
    assert done == [("api", True), ("web", True), ("api_fix", True)]
