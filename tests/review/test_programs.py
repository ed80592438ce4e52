"""What other programs read of a review: the official schema of SARIF, and rules of OPA."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jailoc.bin.config.revisions import version
from jailoc.generators.views.review_data import data
from jailoc.generators.views.sarif import sarif
from tests.review.prepared import case, reviewed

SCHEMA = ("@microsoft/jest-sarif@1.0.0-beta.0", "package/lib/schemas/sarif-2.1.0-rtm.5.json")
"""A package with the schema of SARIF 2.1.0 as OASIS published it, and where it is in that."""
ENGINE = "regopy==1.5.2"
"""An engine for the language of OPA."""
PATIENCE = 120.0
PAGE = Path(__file__).parents[2] / "docs/how-to/review-in-a-team.md"
CASES = (
    "agent-of-ssh",
    "one-among-many",
    "denial-of-metadata-for-one-port",
    "range-in-three-parts",
)


def fetched(command: list[str], folder: Path) -> str:
    """Run a client of a package registry; the test is skipped where that cannot be had."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]}")
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the package registry does not answer")
    if done.returncode:
        pytest.skip(f"not to be had: {command[-1]}")
    return done.stdout


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("sarif")
    package, place = SCHEMA
    name = fetched(["npm", "pack", "--silent", package], folder).split()[-1]
    with tarfile.open(folder / name) as archive:
        file = archive.extractfile(place)
        assert file is not None
        return json.load(file)


@pytest.mark.parametrize("name", CASES)
def test_sarif_meets_the_official_schema(official: Any, name: str) -> None:
    folder = "harmless" if name == "range-in-three-parts" else "dangerous"
    prepared = case(folder, name)
    found = reviewed(prepared["base"], prepared["head"])
    document = version("head", prepared["head"], "config.toml").document
    written = json.loads(json.dumps(sarif(found, document)))
    checker = jsonschema.Draft4Validator(official)
    assert [each.message for each in checker.iter_errors(written)] == []
    # The schema is one that refuses what is no SARIF.
    written["runs"][0]["results"] = [{"message": "no object"}]
    assert not checker.is_valid(written)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rego")
    fetched([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary",
             ":all:", "--target", str(folder), ENGINE], folder)  # fmt: skip
    return folder


def denied(engine: Path, told: object) -> int:
    """Count what the rules of the documentation deny."""
    (rules,) = re.findall(r"```rego\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    program = (
        "import json, sys, regopy\n"
        "rules, told = json.load(sys.stdin)\n"
        "engine = regopy.Interpreter()\n"
        "engine.add_module('review', rules)\n"
        "engine.set_input(told)\n"
        "print(engine.query('count(data.main.deny)').results[0].expressions[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps([rules, told]), text=True,
        capture_output=True, check=True, timeout=PATIENCE, env={"PYTHONPATH": str(engine)},
    )  # fmt: skip
    return int(done.stdout)


def test_the_documented_rules_deny_what_is_grave_and_nothing_else(engine: Path) -> None:
    counts = {}
    for folder, name in (
        ("dangerous", "agent-of-ssh"),
        ("dangerous", "another-version-of-the-agent"),
        ("harmless", "range-in-three-parts"),
        ("harmless", "less-reach"),
    ):
        prepared = case(folder, name)
        told = data(reviewed(prepared["base"], prepared["head"]), "base", "head")
        counts[name] = denied(engine, told)
    assert counts == {
        "agent-of-ssh": 1,
        "another-version-of-the-agent": 0,
        "range-in-three-parts": 0,
        "less-reach": 0,
    }
