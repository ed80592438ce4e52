"""What is told of a change to somebody who has not seen its plan."""

import pytest

from jailoc.bin.deploy import announcement
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.plan import Plan
from jailoc.model.power import Direction, PowerChange, Rank


def power(rank: Rank, way: Direction = Direction.WIDENS) -> PowerChange:
    return PowerChange(
        rule="reach.network", way=way, rank=rank, subject="10.1.0.0/16", text=f"may {rank} {way}"
    )


def plan(*powers: PowerChange, new: bool = False) -> Plan:
    return Plan(
        workspace="api", changes=(), drift=(), powers=powers, new=new, notes=(),
        agent_restarts=False, engine=True, steps=(), bundle="x", world={},
    )  # fmt: skip


def test_what_a_change_opens_is_told_where_it_is_grave(capsys: pytest.CaptureFixture[str]) -> None:
    powers = [*map(power, Rank), power(Rank.CRITICAL, Direction.NARROWS)]
    announcement.tell(Terminal(), plan(*powers))
    assert capsys.readouterr().err.splitlines() == [
        "CRITICAL: may critical widens", "HIGH: may high widens",
    ]  # fmt: skip


def test_so_it_is_of_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    announcement.tell(Terminal(), plan(power(Rank.CRITICAL), power(Rank.LOW), new=True))
    assert capsys.readouterr().err == "CRITICAL: may critical widens\n"
