"""One package under one name: links that resolve, and a wheel that holds what it should."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("bin", "generators", "model", "schemas")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXCLUDED = {
    each.removeprefix(".pkg/jailoc/")
    for each in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"]
}
"""What is for a checkout only."""


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
def wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Build the wheel and return the names of its files."""
    pytest.importorskip("hatchling", reason="no hatchling")
    place = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = place.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return tuple(sorted(archive.namelist()))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: tuple[str, ...]) -> None:
    top = {PurePosixPath(name).parts[0] for name in wheel}
    assert len(top) == 2
    assert "jailoc" in top
    assert next(iter(top - {"jailoc"})).endswith(".dist-info")


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
    assert {"bin/jailoc", "bin/test"} <= EXCLUDED
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
    ):
        assert f"jailoc/generators/assets/{name}" in wheel
