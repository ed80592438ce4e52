"""The scripts that are emitted as they stand are sound shell."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "generators" / "assets").glob("*.sh"))


def of(path: Path) -> str:
    return path.name


def test_there_are_scripts() -> None:
    assert {path.name for path in SCRIPTS} >= {"firewall.sh", "dind.sh"}


@pytest.mark.parametrize("script", SCRIPTS, ids=of)
def test_a_script_is_posix_shell(script: Path) -> None:
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS, ids=of)
def test_a_script_passes_shellcheck(script: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("no shellcheck")
    done = subprocess.run(
        [shellcheck, "--shell=sh", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=of)
def test_a_script_stops_at_the_first_failure(script: Path) -> None:
    assert re.search(r"^set -eu", script.read_text(encoding="utf-8"), re.MULTILINE)
