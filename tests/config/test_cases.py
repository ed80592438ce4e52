"""Each rule of the language has a file: accepted with this effect, or refused with these words."""

import ast
import difflib
import tomllib
from pathlib import Path

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.config.cases import INVALID, VALID, beyond_schema, effect, verdict

ROOT = Path(__file__).parents[2]
COMMAND = "pytest tests/config --update-golden"
validator = jsonschema.Draft202012Validator(schema("config"))


def same(case: Path, found: str, update: bool) -> None:
    """Compare a case's text with what was found, or write it."""
    kept = case.with_suffix(".txt")
    if update:
        kept.write_bytes(found.encode())
        return
    wanted = kept.read_bytes().decode() if kept.exists() else ""
    if wanted != found:
        lines = difflib.unified_diff(
            wanted.split("\n"), found.split("\n"), "expected", "found", lineterm=""
        )
        pytest.fail("\n".join([*lines, "", f"to accept: {COMMAND}"]), pytrace=False)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.stem)
def test_accepted(case: Path, update_golden: bool) -> None:
    same(case, effect(case), update_golden)


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_refused(case: Path, update_golden: bool) -> None:
    found = verdict(case)
    assert found != "accepted\n"
    same(case, found, update_golden)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.stem)
def test_the_schema_accepts(case: Path) -> None:
    errors = [each.message for each in validator.iter_errors(tomllib.loads(case.read_text()))]
    assert not errors


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_the_schema_refuses_what_it_can_see(case: Path) -> None:
    try:
        data = tomllib.loads(case.read_bytes().decode())
    except tomllib.TOMLDecodeError:
        return
    assert validator.is_valid(data) == (case.stem in beyond_schema())


def test_what_the_schema_cannot_see_is_there_and_has_a_reason() -> None:
    assert beyond_schema().keys() <= {case.stem for case in INVALID}
    assert all(beyond_schema().values())


def test_nothing_but_cases_and_their_texts_is_there() -> None:
    for cases in (VALID, INVALID):
        folder = cases[0].parent
        assert len(cases) >= 60
        assert {path.stem for path in folder.iterdir()} == {case.stem for case in cases}
        assert {path.suffix for path in folder.iterdir()} == {".toml", ".txt"}


def test_every_rule_of_the_language_names_its_tests() -> None:
    functions = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    known = functions | {case.stem for case in (*VALID, *INVALID)}
    rows = tomllib.loads((Path(__file__).parent / "rows.toml").read_text())
    named = [name for table in rows.values() for names in table.values() for name in names]
    assert set(named) <= known
    assert all(names for table in rows.values() for names in table.values())


def test_every_field_is_described_for_editors() -> None:
    def undescribed(place: str, node: object) -> list[str]:
        if not isinstance(node, dict):
            return []
        found = []
        for name, each in node.get("properties", {}).items():
            if "description" not in each:
                found.append(f"{place}.{name}")
            found += undescribed(f"{place}.{name}", each)
        for name, each in node.get("$defs", {}).items():
            found += undescribed(name, each)
        return found

    assert not undescribed("", schema("config"))


def test_every_code_in_the_source_has_a_case() -> None:
    # warnings, and refusals that are not about the text of a file; each has a test of its own
    elsewhere = {
        "allow-ended", "dind-privileged", "path-shared", "protect-link", "protect-many",
            "workspace-unknown",
        "allow-meaning", "allow-denied", "deny-meaning", "deny-by-name",
        "volume-shared", "volume-parent", "subnet-hides",
        "permission", "policy", "policy-network", "policy-power",
        "git-repository", "git-include",
        "env-file-line", "network-host-bits", "secret-identity", "ssh-agent",
        "dockerfile-missing", "edit", "portable", "port-closed", "client-missing", "plan-address",
        "task-repository", "task-unknown", "git-token",
        "kubernetes-image", "kubernetes-namespace", "kubernetes-size", "kubernetes-target",
    }  # fmt: skip
    used: set[str] = set()
    for folder in ("model", "generators"):
        for source in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    place = {"problem": 0, "refuse": 0, "absolute": 2, "found": 2}
                    index = place.get(node.func.id)
                    if index is not None and len(node.args) > index:
                        first = node.args[index]
                        if isinstance(first, ast.Constant):
                            used.add(str(first.value))
    shown = {
        line.partition(" ")[2].strip()
        for case in (*INVALID, *VALID)
        for line in case.with_suffix(".txt").read_text().split("\n")
        if line.startswith(("error ", "warning "))
    }
    assert used - elsewhere <= shown
