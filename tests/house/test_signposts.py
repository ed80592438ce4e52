"""What the map for contributors names is there."""

import re

import pytest

from tests.house.test_imports import ROOT
from tests.house.test_wings import WINGS

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| (?!To change|---)", line)]
PLACES = {
    each
    for each in re.findall(r"`([\w./-]+)`", TEXT)
    if "/" in each
    and "NAME" not in each
    and each.split("/")[0] in {"model", "generators", "bin", "tests", "schemas"}
}


def test_the_table_has_rows_enough() -> None:
    assert len(ROWS) >= 20
    assert len(PLACES) > len(ROWS)


@pytest.mark.parametrize("place", sorted(PLACES))
def test_every_file_that_is_named_exists(place: str) -> None:
    assert (ROOT / place).exists()


def test_every_wing_is_on_the_map() -> None:
    drawn = TEXT.split("```")[1]
    for wings in WINGS.values():
        assert all(re.search(rf"\b{each}\b", drawn) for each in wings)
