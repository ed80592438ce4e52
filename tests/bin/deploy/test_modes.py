"""What jailoc writes has the modes that the reference page says, whatever the umask is."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jailoc.bin.cli import update
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import rollback
from jailoc.bin.deploy.password import password
from jailoc.bin.engine import disk, images
from jailoc.bin.host import files, paths
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.image import Build, ContextFile, Step
from tests.engine import world
from tests.engine.world import ROOT, User

CONFIG = '[workspaces.api]\npaths = ["~/project"]\nenable_docker = true\n'
GENERATED = ROOT / "docs/reference/generated-files.md"


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def modes(home: Path) -> dict[str, int]:
    return {
        str(path.relative_to(home)): stat.S_IMODE(path.stat().st_mode) for path in home.rglob("*")
    }


def under(user: User, umask: int, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-P", "-m", "jailoc.bin", *arguments], umask=umask, check=True,
        cwd=user.home, capture_output=True,
        env={"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg")},
    )  # fmt: skip


def test_a_first_configuration_is_its_owners_alone(user: User, umask: int) -> None:
    under(user, umask, "init")
    found = modes(user.home)
    assert found[".config/jailoc/config.toml"] == 0o600
    for folder in (".config", ".config/jailoc"):
        assert found[folder] & 0o027 == 0


def test_an_edit_keeps_the_mode_of_the_configuration(user: User, umask: int) -> None:
    user.write("[workspaces.default]\n")
    user.config.chmod(0o640)
    under(user, umask, "allow", "example.com")
    found = modes(user.home)
    assert found[".config/jailoc/config.toml"] == 0o640
    assert found[".cache/jailoc"] == 0o700
    assert found[".cache/jailoc/config.toml.lock"] == 0o600
    assert found[".cache/jailoc/jailoc.log"] == 0o600


def test_what_a_start_writes_is_private_and_the_containers_parts_readable(
    monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    with world.home("modes") as user:
        (user.home / "project").mkdir()
        user.write(CONFIG)
        for name in ("JAILOC_CONFIG", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(user.home))
        origin = Session(Terminal(color=False)).source()
        bundle = compile_workspace(origin.config, "api", origin.host)
        before = os.umask(umask)
        try:
            files.write_bundle(bundle, Path(bundle.directory))
            with files.locked(paths.cache_directory() / "api.lock"):
                password("file", paths.state_directory(), "api", OPENCODE_1)
            update._save(paths.cache_directory() / update.STATE, update.UpdateState(1.0, "v1"))
        finally:
            os.umask(before)
        found = modes(user.home)
        documented = {row[0]: int(row[1], 8) for row in rows()}
        cache, state = ".cache/jailoc", ".local/share/jailoc"
        for folder in (cache, f"{cache}/api", state, f"{state}/api"):
            assert found[folder] == 0o700, folder
        for folder in (".cache", ".local", ".local/share"):
            assert found[folder] & 0o077 == 0, folder
        assert found[f"{cache}/api.lock"] == 0o600
        assert found[f"{cache}/update-state.json"] == documented["update-state.json"] == 0o600
        assert found[f"{state}/api/password"] == 0o600
        for file in bundle.files:
            mode = found[f"{cache}/api/{file.path}"]
            wanted = [documented[name] for name in documented if fits(name, file.path)]
            assert [mode] == wanted, file.path
            for parent in list(Path(file.path).parents)[:-1]:
                assert found[f"{cache}/api/{parent}"] == 0o755, parent


def rows() -> list[tuple[str, str]]:
    """Return file and mode of each row of the reference page."""
    found = []
    for line in GENERATED.read_text().splitlines():
        cells = [each.strip() for each in line.strip("|").split("|")]
        if len(cells) == 3 and cells[1].isdigit():
            found += [(name.strip("` "), cells[1]) for name in cells[0].split(",")]
    return found


def fits(row: str, path: str) -> bool:
    """Tell whether a row of the page is about a file."""
    if row == "images/NAME/":
        return path.startswith("images/") and path.count("/") > 1
    return path == row or (row.endswith("/") and path.startswith(row))


def test_what_goes_into_an_image_has_the_same_modes_under_every_umask(
    monkeypatch: pytest.MonkeyPatch, umask: int, tmp_path: Path
) -> None:
    found: dict[str, int] = {}
    folder = tmp_path / "build"
    monkeypatch.setattr(images, "_buildkit", dict)
    monkeypatch.setattr(images, "stream", lambda *_, **__: found.update(modes(folder)))
    monkeypatch.setattr(images, "identity", lambda _: "sha256:1")
    monkeypatch.setattr(images, "tag", lambda *_: None)
    monkeypatch.setattr(images, "run", lambda *_, **__: "")
    monkeypatch.setattr(disk, "remove_image", lambda _: None)
    context = (
        ContextFile(path="Dockerfile", text="FROM a\n"),
        ContextFile(path="ca/.keep", text=""),
    )
    build = Build(name="agent", step=Step.EMBEDDED, origin="built-in", context=context)
    before = os.umask(umask)
    try:
        images.build(build, folder, lambda _: None, "jailoc-building:me-0")
    finally:
        os.umask(before)
    assert found == {"Dockerfile": 0o644, "ca": 0o755, "ca/.keep": 0o644}


def test_the_way_back_leaves_folders_that_containers_can_enter(umask: int, tmp_path: Path) -> None:
    kept = rollback.Before(
        workspace="api", files={"dind/dind.sh": (0o644, b"#!/bin/sh\n")}, containers={}, sources={},
        behind=None, volumes=(), record=None,
    )  # fmt: skip
    before = os.umask(umask)
    try:
        rollback._restore(tmp_path, kept)
    finally:
        os.umask(before)
    assert modes(tmp_path) == {"dind": 0o755, "dind/dind.sh": 0o644}
