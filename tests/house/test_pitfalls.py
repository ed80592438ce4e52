"""Every known pitfall has tests or example files that keep it away, or is a named difference."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROWS = {f"{letter}-{number}" for letter, last in (("A", 42), ("B", 15), ("C", 35), ("D", 20))
        for number in range(1, last + 1)}  # fmt: skip


def mapped() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for file in sorted((ROOT / "tests/pitfalls").glob("*.toml")):
        for row, proof in tomllib.loads(file.read_text()).items():
            found.setdefault(row, []).append(proof)
    return found


def topics() -> set[str]:
    lines = (ROOT / "docs/reference/differences.md").read_text().splitlines()
    return {line.split("|")[1].strip() for line in lines if line.startswith("|")}


def test_every_row_is_told_of() -> None:
    assert mapped().keys() == ROWS


@pytest.mark.parametrize("row", sorted(ROWS))
def test_what_a_row_names_exists(row: str) -> None:
    for proof in mapped()[row]:
        if isinstance(proof, list):
            assert proof
            for each in proof:
                file, _, name = each.partition("::")
                tree = ast.parse((ROOT / file).read_text())
                assert name in {
                    node.name for node in tree.body if isinstance(node, ast.FunctionDef)
                }, each
        elif "cases" in proof:
            for case in proof["cases"]:
                found = (ROOT / "tests/config").glob(f"*/{case}.toml")
                assert any(found), case
        else:
            assert proof["difference"] in topics(), proof
