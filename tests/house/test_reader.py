"""Whoever runs a container that sees what is an agent's gives it no socket."""

import ast
from pathlib import Path

import pytest

from tests.engine.world import ROOT

NOTHING_OF_AN_AGENTS = {
    "bin/engine/images.py": "makes and asks images: nothing is mounted",
    "bin/engine/registry.py": "asks a registry, for which it needs a network",
    "bin/engine/shell.py": "runs what its callers say",
}
"""Modules that run containers of another kind."""


def runs(tree: ast.AST) -> bool:
    """Tell whether a module hands `run` to docker, or calls what does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List) and node.elts:
            first = node.elts[0]
            if isinstance(first, ast.Constant) and first.value == "run":
                return True
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id == "shell":
            return True
    return False


def asks(tree: ast.AST) -> bool:
    """Tell whether a module uses the options of who reads."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "options"
        and isinstance(node.value, ast.Name)
        and node.value.id == "reader"
        for node in ast.walk(tree)
    )


PLACES = sorted(
    str(each.relative_to(ROOT))
    for each in (ROOT / "bin").rglob("*.py")
    if runs(ast.parse(each.read_text(encoding="utf-8")))
)


def test_the_containers_are_found() -> None:
    assert {*NOTHING_OF_AN_AGENTS} < {*PLACES}
    assert {"bin/engine/tools.py", "bin/engine/witness.py", "bin/deploy/proof.py"} < {*PLACES}


@pytest.mark.parametrize("place", PLACES)
def test_who_runs_a_container_of_jailocs_own_leaves_it_no_socket(place: str) -> None:
    tree = ast.parse(Path(ROOT, place).read_text(encoding="utf-8"))
    assert asks(tree) != (place in NOTHING_OF_AN_AGENTS)
