"""The table of `verify` is read down its columns."""

import pytest

from jailoc.bin.commands import verify
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.runtime.verify import Check
from jailoc.model.document import Document


def test_rows_that_differ_stand_in_the_columns_of_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    checks = [
        Check(kind=kind, subject="a subject", expected="x", found=found, ok=found == "x")
        for kind in ("mount", "container")
        for found in ("x", "y")
    ]
    verify._table(Terminal(color=False), Document("", "config.toml"), checks)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "DIFFERS"] * 2
    assert len({line.index("a subject") for line in lines}) == 1


def test_of_many_places_that_the_host_executes_some_are_shown() -> None:
    checks = [
        Check(kind="executes", subject=f"/p/{number}", expected="covered", found="x", ok=False)
        for number in range(12)
    ]
    found = [each.subject for each in verify._short(checks)]
    assert found == [*(f"/p/{number}" for number in range(10)), "and 2 more"]
    probes = [each.model_copy(update={"kind": "probe"}) for each in checks]
    assert verify._short(probes) == probes, "of what was asked for all is shown"
