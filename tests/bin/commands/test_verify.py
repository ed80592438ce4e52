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
