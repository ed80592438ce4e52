"""Whole compilations of real situations, to the byte.

`golden/CASE/` holds `config.toml`, `host.toml` and `expected/`. After a change that is meant:
`pytest tests/golden --update-golden`, and review the difference like code.
"""

import difflib
import hashlib
import tomllib
from pathlib import Path

import pytest

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load
from jailoc.generators.config.resolve import names
from jailoc.model.bundle import Bundle
from jailoc.model.document import Document
from jailoc.model.host import FileKind, Host

GOLDEN = Path(__file__).parents[2] / "golden"
EVERY = sorted(each.name for each in GOLDEN.iterdir() if each.is_dir())
CLUSTERS = [each for each in EVERY if each.startswith("kubernetes-")]
"""Those that are compiled for a cluster: `test_kubernetes.py`."""
CASES = [each for each in EVERY if each not in CLUSTERS]
IN_FULL = ("docker-compose.yml", "agent/secret-env", "wall/rules.v4", "wall/rules.v6", "wall/names")
COMMAND = "pytest tests/golden --update-golden"


def read(path: Path) -> str:
    return path.read_bytes().decode()


def host_of(case: Path) -> Host:
    data = tomllib.loads(read(case / "host.toml"))
    kinds = {path: FileKind(kind) for path, kind in data.get("kinds", {}).items()}
    lists = {name: tuple(each) for name, each in data.items() if isinstance(each, list)}
    return Host.model_validate(data | lists | {"kinds": kinds})


def document_of(case: Path) -> Document:
    return Document(read(case / "config.toml"), "config.toml")


def listing(bundle: Bundle) -> str:
    return "".join(
        f"{file.mode:04o} {file.path} {hashlib.sha256(file.text.encode()).hexdigest()[:12]}\n"
        for file in bundle.files
    )


def compiled(case: Path) -> dict[str, str]:
    """Return the expected files of a case, as they should be."""
    host = host_of(case)
    config = load(document_of(case), host)
    found: dict[str, str] = {}
    for name in names(config):
        bundle = compile_workspace(config, name, host)
        found[f"expected/{name}/FILES"] = listing(bundle)
        found |= {
            f"expected/{name}/{file.path}": file.text
            for file in bundle.files
            if file.path in IN_FULL
        }
    return found


def compare(case: Path, kept: dict[str, str], wanted: dict[str, str], update: bool) -> None:
    """Compare files with what they should be, or make them so."""
    if update:
        for path in kept.keys() - wanted.keys():
            (case / path).unlink()
        for path, text in wanted.items():
            (case / path).parent.mkdir(parents=True, exist_ok=True)
            (case / path).write_bytes(text.encode())
        return
    differences = [
        "\n".join(
            difflib.unified_diff(
                kept.get(path, "").split("\n"),
                wanted.get(path, "").split("\n"),
                f"{path} as expected" if path in kept else "missing",
                f"{path} as compiled" if path in wanted else "not generated any more",
                lineterm="",
            )
        )
        for path in sorted(kept.keys() | wanted.keys())
        if kept.get(path) != wanted.get(path)
    ]
    if differences:
        text = "\n\n".join(differences)
        pytest.fail(f"golden/{case.name} differs:\n{text}\n\nto accept: {COMMAND}", pytrace=False)


@pytest.mark.parametrize("name", CASES)
def test_a_situation_compiles_to_the_expected_files(name: str, update_golden: bool) -> None:
    case = GOLDEN / name
    kept = {
        str(path.relative_to(case)): read(path)
        for path in (case / "expected").rglob("*")
        if path.is_file()
    }
    compare(case, kept, compiled(case), update_golden)


def test_cases_hold_nothing_but_their_parts() -> None:
    for case in (GOLDEN / name for name in CASES):
        assert {each.name for each in case.iterdir()} == {"config.toml", "host.toml", "expected"}


# The comparison itself


@pytest.mark.parametrize(
    ("kept", "wanted", "essence"),
    [
        ({"a": "1\n"}, {"a": "2\n"}, "-1\n+2"),
        ({}, {"a": "2\n"}, "--- missing\n+++ a as compiled"),
        ({"a": "1\n"}, {}, "--- a as expected\n+++ not generated any more"),
    ],
    ids=["stale", "missing", "extra"],
)
def test_a_difference_fails_with_a_diff_and_the_command_that_accepts_it(
    kept: dict[str, str], wanted: dict[str, str], essence: str, tmp_path: Path
) -> None:
    with pytest.raises(pytest.fail.Exception) as caught:
        compare(tmp_path, kept, wanted, update=False)
    assert essence in str(caught.value)
    assert COMMAND in str(caught.value)


def test_an_update_writes_what_is_missing_and_removes_what_is_extra(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("1")
    compare(tmp_path, {"old": "1"}, {"new/er": "2\n"}, update=True)
    assert not (tmp_path / "old").exists()
    assert (tmp_path / "new" / "er").read_text() == "2\n"
