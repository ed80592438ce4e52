"""Agents are halted by one jailoc at a time: each lets go on those that it has halted."""

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jailoc.bin.deploy import halt
from jailoc.bin.engine.containers import Container
from jailoc.model.diagnostic import Refused


def test_who_is_halted_is_halted_by_one_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def halts(*names: str) -> bool:
        try:
            with halt.alone(names):
                return True
        except Refused:
            return False

    def another(*names: str) -> bool:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(halts, *names).result()

    with halt.alone(("a", "b")) as locks:
        assert len(locks) == 2
        assert halts("b", "c"), "a work within this one"
        assert not another("b", "c")
        assert another("c")
    assert another("a", "b"), "the control"


def test_it_is_held_by_who_lets_them_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    given: list[Sequence[int]] = []
    monkeypatch.setattr(halt, "agents", lambda _: ())
    monkeypatch.setattr(halt, "_halted", lambda going, work, locks, by: given.append(locks))
    halt.during(lambda: ("a", "b"), lambda _: halt.Done(), (7,))
    assert given[0][0] == 7
    assert len(given[0]) == 3


def test_who_has_started_while_others_were_waited_for_is_halted_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[str] = []

    def agents(name: str) -> tuple[Container, ...]:
        asked.append(name)
        return ()

    monkeypatch.setattr(halt, "agents", agents)
    there = iter([["b"], ["b", "a"], ["b", "a"]])
    halt.during(lambda: next(there), lambda _: halt.Done())
    assert asked == ["a", "b"]


@pytest.mark.parametrize(("refused", "there", "tried"), [(3, "true", 4), (9, "false", 1)])
def test_who_lets_go_asks_again_an_engine_that_is_behind(
    tmp_path: Path, refused: int, there: str, tried: int
) -> None:
    log, docker = tmp_path / "log", tmp_path / "docker"
    docker.write_text(
        f'#!/bin/sh\n[ "$1" = unpause ] || exec echo {there}\necho "$2" >>{log}\n'
        f'[ "$(grep -c "$2" {log})" -gt {refused} ]\n'
    )
    docker.chmod(0o755)
    subprocess.run(
        ["/bin/sh", "-c", halt.LET_GO, "jailoc", "", str(docker), "unpause"],
        input=b"halts:a\nhalts:b\nended\n", check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert log.read_text().split() == [*["a"] * tried, *["b"] * tried]
