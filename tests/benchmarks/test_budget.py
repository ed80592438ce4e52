"""No command costs more than a third above its budget; a busy machine weighs on both alike."""

from pathlib import Path

from tests.benchmarks.table import BUDGET, Row, exceeded, quick, shown


def test_what_has_to_be_quick_is_within_its_budget(tmp_path: Path) -> None:
    rows = list(quick(tmp_path, 3))
    if exceeded(rows):  # three rounds are few, for a machine that does other things
        rows = list(quick(tmp_path, 9))
    assert {each.what for each in rows} <= BUDGET.keys()
    assert not exceeded(rows), shown(rows)


def test_what_is_a_half_above_its_budget_is_told() -> None:
    rows = [Row(what, "", 1.5 * ratio) for what, ratio in BUDGET.items()]
    assert exceeded(rows) == rows
