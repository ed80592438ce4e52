"""The catalogue of codes has each that the program can say, and no other."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from jailoc.generators.views.diagnostics_page import diagnostics_page
from jailoc.model.catalogue import CATALOGUE, SECTIONS
from tests.house.test_imports import ROOT, sources

PAGE = ROOT / "docs/reference/diagnostics.md"
# Chosen between by an expression, or handed on from another diagnostic.
CHOSEN = {
    "git-forged", "git-hides", "git-link", "protect-link", "protect-unread", "socket-shown",
    "opencode-version", "path",
}  # fmt: skip


def trees() -> list[ast.Module]:
    every = (path for room in ("model", "generators", "bin") for path in sources(room))
    return [ast.parse(each.read_text(encoding="utf-8")) for each in every]


def places(modules: list[ast.Module]) -> dict[str, set[int]]:
    """Return for each function that takes a code the places at which it does."""
    found: dict[str, set[int]] = defaultdict(set)
    for module in modules:
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef):
                names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
                names = names[1:] if names[:1] in (["self"], ["cls"]) else names
                if "code" in names:
                    found[node.name].add(names.index("code"))
    return found


def said() -> Iterator[str]:
    """Yield each literal that is handed over as a code."""
    modules = trees()
    where = places(modules)
    for module in modules:
        for node in ast.walk(module):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            name = function.id if isinstance(function, ast.Name) else ""
            given = [each.value for each in node.keywords if each.arg == "code"]
            given += [node.args[each] for each in where.get(name, ()) if each < len(node.args)]
            for each in given:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def recorded() -> set[str]:
    """Return the codes in the exact diagnostics of the example configurations."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests/config").rglob("*.txt"))
    return {code for text in texts for code in re.findall(r"^(?:error|warning) (\S+)$", text, re.M)}


def test_every_code_that_can_be_said_is_explained() -> None:
    every = set(said())
    assert len(every) > 100
    assert sorted((every | recorded() | CHOSEN) - CATALOGUE.keys()) == []


def test_nothing_is_explained_that_nobody_says() -> None:
    assert sorted(CATALOGUE.keys() - set(said()) - recorded() - CHOSEN) == []


def test_entries_are_in_order_and_in_one_section_each() -> None:
    for section in SECTIONS.values():
        assert list(section) == sorted(section)
    assert sum(map(len, SECTIONS.values())) == len(CATALOGUE)
    for entry in CATALOGUE.values():
        assert all(each.endswith(".") and "|" not in each for each in entry)


def test_the_reference_is_the_generated_one(update_golden: bool) -> None:
    if update_golden:
        PAGE.write_text(diagnostics_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == diagnostics_page()
