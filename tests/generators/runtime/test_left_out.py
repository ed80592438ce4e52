"""What a snapshot leaves out: the real find(1) tells it, whatever the names are."""

import os
import subprocess
from pathlib import Path

import pytest

from jailoc.generators.runtime import left_out
from jailoc.generators.runtime.left_out import MOST, LeftOut
from jailoc.generators.runtime.snapshots import passed_over


def found(*roots: Path, leaves_out: tuple[str, ...] = ()) -> LeftOut | None:
    script = left_out.search(map(str, roots), passed_over(leaves_out), 1024)
    line = subprocess.run(["/bin/sh", "-c", script], check=True, capture_output=True).stdout
    return left_out.read(line.rstrip(b"\n"), 1024)


def holed(path: Path, size: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    return str(path)


def test_what_is_larger_is_told_and_nothing_else(tmp_path: Path) -> None:
    one, other = tmp_path / "it's one", tmp_path / "other"
    names = ("left out: L2E=", "a\nb", "-rf", "\udcff", "$(id)")
    large = {holed(place / name, 1025) for place in (one, other) for name in names}
    holed(one / "not larger", 1024)
    holed(one / "node_modules/huge", 1 << 30)
    (one / "link").symlink_to(one / "-rf")
    told = found(one, other, leaves_out=("node_modules",))
    assert told is not None
    assert {*told.large} == large
    assert not told.more


def test_nothing_is_told_of_nothing_and_of_what_restic_says(tmp_path: Path) -> None:
    assert found(tmp_path) is None
    for line in (b"", b"{}", b"left out: ", b"left out: ?", b"left out: YQ=="):
        read = left_out.read(line, 1024)
        assert read is None or not read.large


def test_of_very_many_it_is_told_that_there_are_more(tmp_path: Path) -> None:
    for each in range(MOST // 200):
        holed(tmp_path / f"{each:0240}", 2048)
    told = found(tmp_path)
    assert told is not None
    assert told.more
    assert 0 < len(told.large) < MOST // 200
    assert "".join(told.told()).startswith(
        f"more than {len(told.large)} files larger than 1.0 KiB: "
    )
    assert ", ...; an undo" in "".join(told.told())


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("/a",), "1 file larger than 1.0 KiB: /a"),
        (("/a", "/\x1b[2J"), "2 files larger than 1.0 KiB: /a, /\u241b[2J"),
    ],
)
def test_it_is_told_in_words_without_an_escape(names: tuple[str, ...], words: str) -> None:
    (told,) = LeftOut(1024, names, more=False, deep=False).told()
    assert told == f"{words}; an undo leaves such files alone"


def test_what_lies_too_deep_for_a_path_is_told(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=at)
        inner = os.open("d" * 200, os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    try:
        told = found(tmp_path)
        assert told is not None
        assert (told.large, told.deep) == ((), True)
        assert [each.partition(" (")[0] for each in told.told()] == [
            "what lies deeper than a path can say"
        ]
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / ("d" * 200))], check=True)
