"""The plugin for OpenCode's client on the host: shared by all workspaces, whole at any moment."""

import json
import os
import threading
from pathlib import Path

import pytest

from jailoc.bin.deploy import plugin as tui
from jailoc.generators.artefacts.tui_plugin import configuration, container, package
from jailoc.model.agents.opencode1 import OPENCODE_1


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache of # mine"))
    return tmp_path / "cache of # mine/jailoc"


def test_the_configuration_names_the_plugin_by_a_url(cache: Path) -> None:
    place = tui.write(OPENCODE_1)
    assert place is not None
    assert place == cache / "tui.json"
    (url,) = json.loads(place.read_text())["plugin"]
    assert url == f"file://{cache.parent.parent}/cache%20of%20%23%20mine/jailoc/tui.plugin"
    package = json.loads((cache / "tui.plugin/package.json").read_text())
    assert package["type"] == "module"
    assert (cache / "tui.plugin" / package["exports"]["./tui"]).is_file()


def test_no_workspace_can_have_the_plugins_directory(cache: Path) -> None:
    tui.write(OPENCODE_1)
    assert {each.name for each in cache.iterdir()} == {"tui.json", "tui.plugin"}


@pytest.mark.parametrize("before", [False, True])
def test_modes_hold_whatever_the_umask_says(cache: Path, before: bool) -> None:
    if before:
        folder = cache / "tui.plugin"
        folder.mkdir(parents=True, mode=0o700)
        (folder / "tui.js").write_text("old")
        (folder / "tui.js").chmod(0o600)
    old = os.umask(0o077)
    try:
        tui.write(OPENCODE_1)
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in cache.rglob("*")}
    assert modes == {"tui.json": 0o644, "tui.plugin": 0o755, "package.json": 0o644, "tui.js": 0o644}


def test_the_containers_copy_has_modes_of_its_own_and_lies_in_the_mounted_folder() -> None:
    files = {each.path: each for each in container(OPENCODE_1, "agent")}
    assert {each.mode for each in files.values()} == {0o644}
    (url,) = json.loads(files["agent/tui.json"].text)["plugin"]
    assert url == "file:///etc/jailoc/tui-plugin"
    assert {*files} == {
        "agent/tui.json",
        "agent/tui-plugin/package.json",
        "agent/tui-plugin/tui.js",
    }


def test_an_unchanged_plugin_is_not_written_again(cache: Path) -> None:
    tui.write(OPENCODE_1)
    before = {path: path.stat().st_ino for path in cache.rglob("*")}
    tui.write(OPENCODE_1)
    assert {path: path.stat().st_ino for path in cache.rglob("*")} == before


def test_several_writers_never_leave_half_a_file(cache: Path) -> None:
    """Files of another version are replaced under a reader that must always find whole ones."""
    tui.write(OPENCODE_1)
    named = OPENCODE_1.plugin
    assert named is not None
    whole = {(cache / each.path, each.text) for each in package(named, "tui.plugin")}
    url = (cache / "tui.plugin").as_uri()
    whole.add((cache / "tui.json", configuration(named, url).text))
    for path, text in whole:
        path.write_text(text + " ")
    done, torn = threading.Event(), list[str]()

    def read() -> None:
        while not done.is_set():
            torn.extend(str(path) for path, text in whole if path.read_text().rstrip(" ") != text)

    reader = threading.Thread(target=read)
    writers = [
        threading.Thread(target=lambda: [tui.write(OPENCODE_1) for _ in range(20)])
        for _ in range(4)
    ]
    reader.start()
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    done.set()
    reader.join()
    assert torn == []
    assert all(path.read_text() == text for path, text in whole)
    assert not [path for path in cache.rglob("*") if path.is_file() and path.name.startswith(".")]
