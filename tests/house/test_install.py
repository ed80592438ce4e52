"""What the page on installing says works: from a wheelhouse, without any index, on each Python."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jailoc import __version__
from tests.house.test_imports import ROOT

PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14", "python3.15")


def works(name: str) -> bool:
    """Tell whether a Python is there and can make environments."""
    if shutil.which(name) is None:
        return False
    wanted = [name, "-c", "import venv, ensurepip"]
    return subprocess.run(wanted, capture_output=True, check=False).returncode == 0


def installed() -> list[str]:
    """Return this Python, and the newest that there is beside it."""
    return [sys.executable, *[each for each in PYTHONS if works(each)][-1:]]


def call(*arguments: object, **more: str) -> str:
    done = subprocess.run(
        list(map(str, arguments)), capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin"} | more, timeout=1200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("python", installed(), ids=lambda each: Path(each).name)
def test_a_wheelhouse_is_enough_and_what_it_installs_works(python: str, tmp_path: Path) -> None:
    house, place, home = tmp_path / "wheelhouse", tmp_path / "venv", tmp_path / "home"
    home.mkdir()
    made = subprocess.run(
        [python, "-m", "pip", "wheel", "--quiet", "--wheel-dir", house, ROOT],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-3000:]
    call(shutil.which(python), "-m", "venv", place)
    call(place / "bin/pip", "install", "--no-index", "--find-links", house, "jailoc",
         PIP_CONFIG_FILE="/dev/null")  # fmt: skip
    jailoc, mine = place / "bin/jailoc", {"HOME": str(home)}
    assert call(jailoc, "--version", **mine) == f"jailoc {__version__}\n"
    call(jailoc, "init", **mine)
    call(jailoc, "validate", **mine)
    call(jailoc, "render", "--out", tmp_path / "out", **mine)
    assert (tmp_path / "out/default/docker-compose.yml").is_file()
    assert "why:" in call(jailoc, "explain", "mount-host", **mine)
    assert (place / "share/man/man1/jailoc.1").is_file()
    for name in ("bash-completion/completions/jailoc", "zsh/site-functions/_jailoc",
                 "fish/vendor_completions.d/jailoc.fish"):  # fmt: skip
        assert (place / "share" / name).is_file()
