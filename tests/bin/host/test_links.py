"""Where a path leads, also while somebody changes it."""

import os
from pathlib import Path
from typing import Any

import pytest

from jailoc.bin.host import links


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/file").write_text("")
    for name, target in (
        ("up", "a/.."), ("there", "a/b"), ("again", "there/../file"), ("gone", "none/x"),
        ("loop", "loop"), ("root", "/"), ("whole", str(tmp_path / "a")),
    ):  # fmt: skip
        (tmp_path / name).symlink_to(target)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    ["a/b", "up", "up/a/./b", "there", "there/..", "again", "gone", "gone/more", "none/../a",
     "root/tmp", "whole/b/../file", "a//b/", "whole/../up/there"],
)  # fmt: skip
def test_a_path_leads_where_the_system_says(
    tree: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert links.real(f"{tree}/{path}") == os.path.realpath(f"{tree}/{path}")
    monkeypatch.chdir(tree)
    assert links.real(path) == os.path.realpath(path)


@pytest.mark.parametrize("way", ["/proc/self/cwd", "/dev/fd/../cwd", "/proc/self/root{}"])
def test_what_each_process_has_is_resolved_for_this_one_alone(
    tree: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "way").symlink_to(way.format(tree))
    monkeypatch.chdir(tree)
    assert links.real(f"{tree}/way/a/file") == f"{tree}/a/file"
    for place in (tree, Path("/")):
        monkeypatch.chdir(place)
        # Nobody knows where `..` leads from there, either.
        for path in ("way/a/file", "way/there/../../../../../../../../file"):
            assert links.real_for_others(f"{tree}/{path}").startswith("/proc/")


def test_what_was_a_link_a_moment_ago_is_what_it_is_by_now(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really: Any = os.readlink

    def swapped(path: str, **more: int) -> str:
        if Path(path).name == "there" and Path(path).is_symlink():
            Path(path).unlink()
            Path(path).mkdir()
        return str(really(path, **more))

    monkeypatch.setattr(os, "readlink", swapped)
    assert links.real(f"{tree}/there/x") == f"{tree}/there/x"
    (tree / "there").rmdir()
    (tree / "there").symlink_to("a/b")
    with pytest.raises(OSError, match="Invalid argument"):  # control
        os.path.realpath(f"{tree}/there/x")
