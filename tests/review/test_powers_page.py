"""The reference of powers is the one of the code."""

from pathlib import Path

from jailoc.generators.views.powers_page import powers_page

PAGE = Path(__file__).parents[2] / "docs/reference/powers.md"


def test_the_reference_is_the_generated_one(update_golden: bool) -> None:
    if update_golden:
        PAGE.write_text(powers_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == powers_page()
