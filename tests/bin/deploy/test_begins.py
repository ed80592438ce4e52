"""No agent begins whose mounts are not proved, or whose gift cannot be written down."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import pytest

from jailoc.bin.deploy import begin, execute, halt, machine, ways
from jailoc.bin.engine import containers, startup
from jailoc.bin.engine.containers import Container
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import AGENT, PASSWORD_FILE, WALL


@pytest.mark.parametrize(
    "fails", [None, refuse("mount-swapped", "it is another"), OSError(28, "No space left")]
)
def test_what_is_not_proved_or_written_down_goes_no_further(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails: Exception | None
) -> None:
    done: list[str] = []
    there = iter(["agent"])
    monkeypatch.setattr(machine, "hand", lambda _: None)
    monkeypatch.setattr(begin, "agent", lambda *_: done.append("made"))
    monkeypatch.setattr(
        startup, "running",
        lambda _, each: "wall" if each == WALL else next(there) if "made" in done else None,
    )  # fmt: skip
    monkeypatch.setattr(startup, "wait", lambda *_: done.append("waited for"))
    monkeypatch.setattr(containers, "remove", lambda each: done.append(f"{each} removed"))
    monkeypatch.setattr(execute, "wall_of", lambda _: "wall")
    monkeypatch.setattr(
        execute, "hand_secrets",
        lambda _, given: done.append("let go" if PASSWORD_FILE in given else "held back"),
    )  # fmt: skip

    def prove(_: str) -> None:
        if fails is not None:
            raise fails

    def start() -> None:
        held = execute.Held({PASSWORD_FILE: b"password"}, prove)
        execute.start(Terminal(), "jailoc-api", tmp_path, (AGENT,), held)

    if fails is None:
        start()
        assert done == ["held back", "made", "let go", "waited for"], "control"
        return
    with pytest.raises((Refused, OSError)):
        start()
    assert done == ["held back", "made", "agent removed"]


@pytest.mark.parametrize("services", [(AGENT,), (AGENT, "dind")])
def test_an_agent_that_ends_while_others_are_started_is_not_started_as_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, services: tuple[str, ...]
) -> None:
    """It ran when it was asked for; Compose would start its container without a look."""
    started: list[list[str]] = []
    waited: list[tuple[str, ...]] = []
    monkeypatch.setattr(startup, "wait", lambda _, those, *__: waited.append(those))
    monkeypatch.setattr(machine, "hand", lambda _: None)
    monkeypatch.setattr(startup, "running", lambda *_: "agent")
    monkeypatch.setattr(containers, "up", lambda *given: started.append(given[2]))
    monkeypatch.setattr(containers, "containers", lambda _: ())
    held = execute.Held({}, lambda _: None)
    execute.start(Terminal(), "jailoc-api", tmp_path, services, held)
    assert started == [["dind"]] * (len(services) - 1)
    assert waited == [services], "that it ended, or is not well, is seen"


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("others", [(), ("other",)])
def test_who_could_lead_a_mount_away_is_halted_from_the_look_until_the_engine_has_mounted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, others: tuple[str, ...], moved: bool
) -> None:
    done: list[str] = []
    made = {each: Container(id=each, service=each, project="jailoc-api", state="created", health="",
                            exit_code=0, ports=(), started="", image="")
            for each in (AGENT, WALL)}  # fmt: skip

    def halted(
        going: Callable[[], Iterable[str]],
        work: Callable[[Callable[[int], None]], halt.Done],
        *,
        patience: float,
    ) -> halt.Done:
        done.append(f"halt {sorted({*going()})}")
        try:
            return work(lambda _: None)
        finally:
            done.append("let go")

    def look(*_: object) -> None:
        done.append("look")
        if moved:
            raise refuse("mount-swapped", "it is another")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(begin, "_made", lambda *_: made)
    monkeypatch.setattr(ways, "of", lambda _: ())
    monkeypatch.setattr(ways, "movers", lambda *_: dict.fromkeys(others, "web"))
    monkeypatch.setattr(ways, "check", look)
    monkeypatch.setattr(halt, "during", halted)
    monkeypatch.setattr(containers, "up", lambda *given: done.append(f"up {given[2]}"))
    monkeypatch.setattr(containers, "remove", lambda each: done.append(f"{each} removed"))
    monkeypatch.setattr(startup, "begin", lambda each: done.append(f"start {each}"))
    with pytest.raises(Refused) if moved else nullcontext():
        begin.agent("jailoc-api", tmp_path, (AGENT, "db"), lambda _: None, 1)
    if others:
        before, after = [f"up {[WALL, 'db']}", "halt ['web']", "look"], ["let go"]
        started = [f"start {AGENT}"]
    else:
        before, after, started = ["look"], [], [f"up {[AGENT, 'db']}"]
    last = [f"{AGENT} removed"] if moved else []
    assert done == [*before, *([] if moved else started), *after, *last]
