"""A container that cannot be halted at once is halted later; one that never is, is told of."""

import time
from collections.abc import Callable, Sequence

import pytest

from jailoc.bin.engine import cgroup, halting
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.docker import DockerError


class Engine:
    """One in which somebody is in the kernel for a while."""

    def __init__(self, busy: int, *, ends: bool = False) -> None:
        self.busy, self.ends, self.tried, self.now = busy, ends, 0, 0.0
        self.resumed = 0

    def run(self, words: Sequence[str], *, what: str, timeout: float) -> str:
        assert what
        assert timeout
        if words[0] == "ps":
            return "" if self.ends else "686233c5b948\n"
        if words[0] == "inspect":
            return "7\n"
        if words[0] == "unpause":
            self.resumed += 1
            return ""
        self.tried += 1
        self.now += 0.3
        if self.tried <= self.busy:
            raise DockerError(what, [*words], 1, "unable to freeze")
        return ""

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def engine(
    monkeypatch: pytest.MonkeyPatch, made: Engine, *, dying: Callable[[], bool] = lambda: False
) -> Engine:
    monkeypatch.setattr(halting, "run", made.run)
    monkeypatch.setattr(cgroup, "freezes_all_but_killed", lambda: True)
    monkeypatch.setattr(cgroup, "dying", lambda container, process: dying() and process == 7)
    monkeypatch.setattr(time, "sleep", made.sleep)
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


def test_who_is_in_the_kernel_is_halted_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    made = engine(monkeypatch, Engine(busy=7))
    halting.pause("686233c5b948")
    assert made.tried == 8


def test_who_is_killed_and_still_writes_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Engine(busy=0)
    engine(monkeypatch, made, dying=lambda: made.tried < 4)
    halting.pause("686233c5b948")
    assert (made.tried, made.resumed) == (4, 3)


def test_who_is_always_killed_anew_is_not_taken_for_halted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = engine(monkeypatch, Engine(busy=0), dying=lambda: True)
    with pytest.raises(DockerError) as caught:
        halting.pause("686233c5b948")
    assert "want of memory" in caught.value.tail
    assert made.resumed == made.tried


def test_who_never_leaves_it_is_told_of_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = engine(monkeypatch, Engine(busy=10_000))
    with pytest.raises(DockerError) as caught:
        halting.pause("686233c5b948")
    assert "unable to freeze" in caught.value.tail
    assert made.now < halting.PATIENCE + 1


@pytest.mark.parametrize(
    ("state", "frozen", "later", "halted"),
    [
        ("paused", True, "", True),
        ("paused", False, "", False),  # the engine is behind
        ("running", True, "", True),
        ("running", None, "", False),
        ("paused", None, "paused", True),
        ("paused", None, "running", False),
    ],
)
def test_the_kernel_is_asked_whether_one_is_halted_before_the_engine_is_believed(
    monkeypatch: pytest.MonkeyPatch, state: str, frozen: bool | None, later: str, halted: bool
) -> None:
    made = engine(monkeypatch, Engine(busy=0))
    monkeypatch.setattr(cgroup, "frozen", lambda container, process: frozen)
    monkeypatch.setattr(halting, "run", lambda *_, **__: f"{later}\n")
    asked = Container(id="686233c5b948", service="opencode", project="jailoc-api", state=state,
                      health="", exit_code=0, ports=(), started="", image="")  # fmt: skip
    assert halting.halted(asked) is halted
    assert (made.now > 0) is bool(later)


def test_who_is_not_known_to_be_halted_yet_is_let_go_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, tried = engine(monkeypatch, Engine(busy=0)), []

    def run(words: Sequence[str], **_: object) -> str:
        if words[0] == "unpause":
            tried.append(made.now)
            if len(tried) < 5:
                raise DockerError("resuming", [*words], 1, "is not paused")
        return "true\n"

    monkeypatch.setattr(halting, "run", run)
    halting.resume("686233c5b948")
    assert len(tried) == 5


def test_who_has_ended_need_not_be_halted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = engine(monkeypatch, Engine(busy=10_000, ends=True))
    halting.pause("686233c5b948")
    assert made.tried == 1
