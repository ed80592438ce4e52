"""The schema in the hands of a real TOML toolkit, the one that editors run: taplo, headless."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.cases import INVALID, VALID, beyond_schema

SCHEMA = Path(__file__).parents[2] / "schemas/config.schema.json"
UNSEEN = {
    "limit-cpu-inf": "taplo checks JSON values, and JSON has no such number",
    "limit-cpu-minus-inf": "as limit-cpu-inf",
    "type-image-is-a-date": "taplo hands dates to the schema as text",
}
"""Refused files that the schema could refuse and taplo does not."""


@pytest.fixture(scope="module")
def taplo() -> str:
    found = shutil.which("taplo", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        if os.environ.get("JAILOC_REQUIRE_ENGINE") == "1":
            pytest.fail("no taplo, though the development tools name it", pytrace=False)
        pytest.skip("no taplo")
    return found


def flagged(taplo: str, cases: list[Path], schema: Path = SCHEMA) -> set[str]:
    """Return the names of the files that taplo finds something wrong in."""
    done = subprocess.run(
        [taplo, "lint", "--no-auto-config", "--colors", "never", "--schema", schema.as_uri(),
         *map(str, cases)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    found = {Path(each).stem for each in re.findall(r'invalid file .*path="([^"]+)"', done.stderr)}
    assert (done.returncode == 0) == (not found), done.stderr
    return found


def test_an_editor_finds_nothing_wrong_in_valid_files(taplo: str) -> None:
    assert flagged(taplo, VALID) == set()


def test_an_editor_marks_every_mistake_that_a_schema_can_see(taplo: str) -> None:
    unseen = beyond_schema().keys() | UNSEEN.keys()
    wanted = {case.stem for case in INVALID} - unseen
    assert len(wanted) > 120
    assert wanted - flagged(taplo, INVALID) == set()


def test_what_an_editor_passes_over_is_still_so(taplo: str) -> None:
    assert UNSEEN.keys() & flagged(taplo, INVALID) == set()


def test_without_the_schema_it_would_see_next_to_nothing(taplo: str, tmp_path: Path) -> None:
    anything = tmp_path / "any.json"
    anything.write_text("{}")
    assert len(flagged(taplo, INVALID, anything)) < 10
