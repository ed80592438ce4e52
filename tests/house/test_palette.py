"""Colours are spelled once: everything else says what it means."""

import ast

from tests.house.test_imports import ROOT, sources

SPELLED = {"bin/terminal/palette.py", "generators/views/svg.py"}
"""How a meaning looks on a terminal, and SVG's own weights of fonts."""
COLORS = {"red", "green", "yellow", "blue", "magenta", "cyan", "bold", "dim"}


def test_no_other_module_spells_a_colour() -> None:
    found = {
        (str(path.relative_to(ROOT)), node.value)
        for room in ("model", "generators", "bin")
        for path in sources(room)
        if str(path.relative_to(ROOT)) not in SPELLED
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in COLORS
    }
    assert not found
