"""What `verify` says while allowed names move: a packet is judged by its own time."""

import json
import time

import pytest

from jailoc.bin.deploy import check
from jailoc.bin.engine import containers, docker, inspection
from jailoc.bin.engine.containers import Container
from jailoc.generators.runtime.resolver_state import ResolverState
from tests.strategies import bundle_of, toml

ADDRESS = "10.77.0.4"
HELD: dict[str, tuple[str, ...]] = {"db.example.com": (ADDRESS,)}
LEFT: dict[str, tuple[str, ...]] = {"db.example.com": ()}
WALL = Container(
    id="1", service="firewall", project="jailoc-api", state="running", health="healthy",
    exit_code=0, ports=(), started="", image="",
)  # fmt: skip


class Wall:
    """A wall whose resolver says one thing after the other, and whose kernel opens one address."""

    def __init__(self, *said: dict[str, tuple[str, ...]], opens: tuple[bool, ...]) -> None:
        self.said, self.opens = list(said), list(opens)
        self.waited: list[float] = []

    def names(self, _: str) -> ResolverState:
        return ResolverState(names=self.said.pop(0))

    def run(self, _: list[str], *, stdin: bytes, **__: object) -> str:
        is_open = self.opens.pop(0)
        return json.dumps(
            ["passed" if address == ADDRESS and is_open else "prohibited"
             for _, address, _ in json.loads(stdin)]
        )  # fmt: skip


def judged(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """Return what differs, and what was said meanwhile."""
    monkeypatch.setattr(containers, "names", wall.names)
    monkeypatch.setattr(containers, "refusals", lambda _: {})
    monkeypatch.setattr(inspection, "addresses", lambda _: frozenset())
    monkeypatch.setattr(containers, "feed", lambda *_: "")
    monkeypatch.setattr(docker, "run", wall.run)
    monkeypatch.setattr(time, "sleep", wall.waited.append)
    bundle = bundle_of(
        toml({"api": {"allowed_hosts": ["db.example.com"], "egress": "allowlist"}}), "api"
    )
    said: list[str] = []
    checks = check.probed(bundle, WALL, (), said.append)
    return [each.subject for each in checks if not each.ok], said


AGAIN = "allowed names have other addresses by now, so all is tried once more"


def test_an_address_that_a_name_loses_meanwhile_is_no_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Wall(HELD, LEFT, LEFT, opens=(False, False))
    differs, said = judged(wall, monkeypatch)
    assert differs == []
    assert said.count(AGAIN) == len(wall.waited) == 1


def test_an_address_that_is_closed_and_still_a_names_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    differs, said = judged(Wall(HELD, HELD, opens=(False,)), monkeypatch)
    assert [ADDRESS in each for each in differs] == [True] * 3
    assert AGAIN not in said


def test_a_name_that_changes_without_an_end_hides_no_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Wall(*[HELD, LEFT] * check.LOOKS, opens=(False,) * check.LOOKS)
    differs, said = judged(wall, monkeypatch)
    assert [ADDRESS in each for each in differs] == [True] * 3
    assert (said.count(AGAIN), wall.opens) == (check.LOOKS - 1, [])


def test_nothing_is_tried_twice_where_all_is_as_it_should_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = Wall(HELD, opens=(True,))
    differs, _ = judged(wall, monkeypatch)
    assert (differs, wall.waited) == ([], [])
