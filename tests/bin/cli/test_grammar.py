"""The table that help and completion read is the one of the declarations."""

from pathlib import Path

from tests.bin.cli import declared

PLACE = Path(__file__).parents[3] / "bin/cli/grammar.py"


def test_the_table_is_the_one_of_the_declarations(update_golden: bool) -> None:
    if update_golden:
        PLACE.write_text(declared.table(), encoding="utf-8")
    found = PLACE.read_text(encoding="utf-8")
    assert found == declared.table(), (
        "renew it: pytest tests/bin/cli/test_grammar.py --update-golden"
    )
