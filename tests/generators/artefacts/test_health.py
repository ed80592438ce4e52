"""A check of what is well goes on looking, so that few are started; a bad one ends at once."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jailoc.generators.artefacts import health
from jailoc.generators.assets import health as wall


def shell(question: str, settled: int, pause: str = "0.1") -> tuple[int, float]:
    """Run a check as the engine would; return its status, and the seconds it took."""
    text = health.watched(question)
    text = text.replace(f"-ge {health.SETTLED} ]", f"-ge {settled} ]")
    text = text.replace(f"/bin/sleep {health.PAUSE};", f"/bin/sleep {pause};")
    begun = time.monotonic()
    done = subprocess.run(["/bin/sh", "-c", text], check=False)
    return done.returncode, time.monotonic() - begun


def count(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_a_new_container_is_told_of_at_once(tmp_path: Path) -> None:
    looks = tmp_path / "looks"
    assert shell(f"echo x >>{looks}", 1 << 40)[0] == 0
    assert count(looks) == 1


def test_a_settled_one_is_looked_at_for_a_while(tmp_path: Path) -> None:
    looks = tmp_path / "looks"
    status, took = shell(f"echo x >>{looks}", 0)
    assert status == 0
    assert count(looks) == 1 + health.WATCH // health.PAUSE
    assert took >= 0.1 * (health.WATCH // health.PAUSE)


@pytest.mark.parametrize("settled", [0, 1 << 40])
@pytest.mark.parametrize("question", ["false", "exit 3", "nothing-of-that-name 2>/dev/null"])
def test_what_is_not_well_ends_at_once(question: str, settled: int) -> None:
    status, took = shell(question, settled, pause="30")
    assert status != 0
    assert took < 20


def test_what_stops_being_well_ends_at_the_next_look(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.write_text("")
    status, _ = shell(f"[ -e {mark} ] && rm {mark}", 0)
    assert status == 1


def test_the_time_of_a_check_is_within_what_the_engine_waits() -> None:
    longest = 10  # what one look may take
    assert health.WATCH + longest < health.WATCH_TIMEOUT
    look = wall.LOADING + 2 * wall.PATIENCE
    assert wall.WATCH + wall.PAUSE + look < health.WATCH_TIMEOUT


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Answer with what is in the list, from its end; the last look is repeated."""
    answers = [True]
    monkeypatch.setattr(wall, "RUN", tmp_path)
    monkeypatch.setattr(wall, "WATCH", 0.5)
    monkeypatch.setattr(wall, "PAUSE", 0.05)
    monkeypatch.setattr(wall, "LOADING", 1.0)
    monkeypatch.setattr(wall, "healthy", lambda: answers.pop() if len(answers) > 1 else answers[0])
    return answers


def aged(place: Path, seconds: float) -> None:
    (place / "names").mkdir(exist_ok=True)
    (place / "names/state.json").write_text("{}")
    (place / "ready").write_text("")
    then = time.time() - seconds
    os.utime(place / "ready", (then, then))


def test_a_wall_that_was_loaded_just_now_is_told_of_at_once(
    tmp_path: Path, looks: list[bool]
) -> None:
    aged(tmp_path, 1)
    looks[:] = [False, True]
    assert wall.watch()
    assert looks == [False]


def test_a_settled_wall_is_watched_and_told_of_when_it_is_not_well(
    tmp_path: Path, looks: list[bool]
) -> None:
    aged(tmp_path, 100)
    begun = time.monotonic()
    assert wall.watch()
    assert time.monotonic() - begun >= 0.5
    looks[:] = [False, True, True, True]
    assert not wall.watch()
    looks[:] = [False]
    begun = time.monotonic()
    assert not wall.watch()
    assert time.monotonic() - begun < 0.4


@pytest.mark.parametrize("lacking", ["ready", "names/state.json"])
def test_rules_that_are_being_loaded_are_waited_for(
    tmp_path: Path, looks: list[bool], lacking: str
) -> None:
    aged(tmp_path, 1)
    (tmp_path / lacking).unlink()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(wall.watch)
        time.sleep(0.3)
        assert not asked.done()
        aged(tmp_path, 1)
        assert asked.result()
    (tmp_path / lacking).unlink()
    looks[:] = [False]
    assert not wall.watch(), "but not for ever"
