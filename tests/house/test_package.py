"""One package under one name: links that resolve, and a wheel that holds what it should."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from jailoc.bin.cli import man

ROOT = Path(__file__).parents[2]
ROOMS = ("bin", "generators", "model", "schemas")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXCLUDED = {
    each.removeprefix(".pkg/jailoc/")
    for each in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"]
}
"""What is for a checkout only."""
SHARED = {
    "share/man/man1/jailoc.1",
    "share/bash-completion/completions/jailoc",
    "share/zsh/site-functions/_jailoc",
    "share/fish/vendor_completions.d/jailoc.fish",
}
"""What an installation puts where systems look for it."""
FORGE = re.compile(r"\.(?!pkg/)|action\.yml$|[A-Z]+\.(md|cff)$|zensical\.toml$")
"""What only a forge, or whoever works on the repository, reads."""


def test_every_link_of_the_package_resolves_to_its_room() -> None:
    links = [each for each in (ROOT / ".pkg" / "jailoc").iterdir() if each.is_symlink()]
    assert sorted(each.name for each in links) == sorted(ROOMS)
    for link in links:
        assert link.readlink() == Path("../..") / link.name
        assert link.resolve() == ROOT / link.name
        assert link.is_dir()


def test_the_package_is_typed_and_named() -> None:
    assert (ROOT / ".pkg" / "jailoc" / "py.typed").is_file()
    regular = {each.name for each in (ROOT / ".pkg" / "jailoc").iterdir() if not each.is_symlink()}
    assert regular - {"__pycache__"} == {"__init__.py", "py.typed"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the source archive, and the wheel from what is in it; return both."""
    pytest.importorskip("hatchling", reason="no hatchling")
    place = tmp_path_factory.mktemp("built")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", place, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,), (wheel,) = place.glob("*.tar.gz"), place.glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="module")
def wheel(built: tuple[Path, Path]) -> tuple[str, ...]:
    """Return the names of the wheel's files."""
    with zipfile.ZipFile(built[1]) as archive:
        return tuple(sorted(archive.namelist()))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: tuple[str, ...]) -> None:
    top = {PurePosixPath(name).parts[0] for name in wheel}
    assert sorted(each.rpartition(".")[2] for each in top) == ["data", "dist-info", "jailoc"]
    assert {each.partition(".data/data/")[2] for each in wheel if ".data/" in each} == SHARED


def test_the_manual_page_of_the_wheel_is_the_one_of_the_commands(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("man1/jailoc.1"))
        assert archive.read(name).decode() == man.page()


def test_the_source_archive_holds_all_that_is_kept_but_what_forges_read(
    built: tuple[Path, Path],
) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no Git repository")
    kept = {each for each in listed.stdout.splitlines() if (ROOT / each).is_file()}
    with tarfile.open(built[0]) as archive:
        held = {each.name.partition("/")[2] for each in archive if not each.isdir()}
    assert sorted(kept - held - {each for each in kept if FORGE.match(each)}) == []
    assert {"PKG-INFO", "pyproject.toml", "README.md", "LICENSE", "bin/build_hook.py"} <= held


def test_what_is_uploaded_is_described_as_an_index_wants_it(built: tuple[Path, Path]) -> None:
    pytest.importorskip("twine", reason="no twine")
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *built],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_all_but_what_is_for_a_checkout(
    wheel: tuple[str, ...],
) -> None:
    wanted = {
        f"jailoc/{path.relative_to(ROOT)}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and str(path.relative_to(ROOT)) not in EXCLUDED
    } | {"jailoc/__init__.py", "jailoc/py.typed"}
    assert {"bin/jailoc", "bin/test", "bin/build_hook.py"} <= EXCLUDED
    held = {name for name in wheel if name.startswith("jailoc/")}
    assert held == wanted


def test_the_wheel_holds_what_is_read_at_run_time(wheel: tuple[str, ...]) -> None:
    for name in ("config", "compose", "firewall"):
        assert f"jailoc/schemas/{name}.schema.json" in wheel
    for name in (
        "firewall.sh",
        "dind.sh",
        "agent.Dockerfile",
        "dind.Dockerfile",
        "wall.Dockerfile",
        "tools.Dockerfile",
    ):
        assert f"jailoc/generators/assets/{name}" in wheel
