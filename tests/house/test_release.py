"""One version everywhere, and workflows that two linters have nothing to say about."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from jailoc import __version__
from tests.house.test_imports import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
EXAMPLE = re.compile(
    r"jailoc/jailoc@v?(\S+)|github\.com/jailoc/jailoc\s+rev: v?(\S+)|jailoc==(\S+)"
    r"|^jailoc (\d\S*)$",
    re.MULTILINE,
)
"""Where a page names a version of jailoc itself."""


def test_every_example_names_the_version_that_this_is() -> None:
    named = [
        (path.name, next(filter(None, found)))
        for path in PAGES
        for found in EXAMPLE.findall(path.read_text(encoding="utf-8"))
    ]
    assert len(named) >= 3
    assert [each for each in named if each[1] != __version__] == []


def test_the_citation_names_it_too() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(cited["version"]) == __version__
    assert cited["license"] == "MIT"


def test_the_changelog_is_one() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads[0] == "Unreleased"
    released = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d", each) for each in heads[1:]]
    assert all(released)
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda each: each.stem)
def test_a_workflow_takes_actions_by_digest_and_asks_for_nothing_by_default(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for name, rest in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", name), name
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest), name
    content = yaml.safe_load(text)
    assert content["permissions"] == {}
    assert all("permissions" in job for job in content["jobs"].values())


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="no actionlint")
def test_actionlint_has_nothing_to_say() -> None:
    done = subprocess.run(
        ["actionlint", "-shellcheck=", *WORKFLOWS],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_zizmor_has_nothing_to_say() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    if not zizmor.exists():
        pytest.skip("no zizmor")
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", ".github", "action.yml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
