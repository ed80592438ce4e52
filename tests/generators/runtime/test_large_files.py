"""What is too large for a snapshot: the real find(1) tells it, whatever the names are."""

import subprocess
from pathlib import Path

import pytest

from jailoc.generators.runtime import large_files
from jailoc.generators.runtime.large_files import MOST, LargeFiles
from jailoc.generators.runtime.snapshots import passed_over


def found(*roots: Path, leaves_out: tuple[str, ...] = ()) -> LargeFiles | None:
    script = large_files.search(map(str, roots), passed_over(leaves_out), 1024)
    line = subprocess.run(["/bin/sh", "-c", script], check=True, capture_output=True).stdout
    return large_files.read(line.rstrip(b"\n"), 1024)


def holed(path: Path, size: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    return str(path)


def test_what_is_larger_is_told_and_nothing_else(tmp_path: Path) -> None:
    one, other = tmp_path / "it's one", tmp_path / "other"
    names = ("large files: L2E=", "a\nb", "-rf", "\udcff", "$(id)")
    large = {holed(place / name, 1025) for place in (one, other) for name in names}
    holed(one / "not larger", 1024)
    holed(one / "node_modules/huge", 1 << 30)
    (one / "link").symlink_to(one / "-rf")
    told = found(one, other, leaves_out=("node_modules",))
    assert told is not None
    assert {*told.names} == large
    assert not told.more


def test_nothing_is_told_of_nothing_and_of_what_restic_says(tmp_path: Path) -> None:
    assert found(tmp_path) is None
    for line in (b"", b"{}", b"large files: ", b"large files: ?", b"large files: YQ="):
        read = large_files.read(line, 1024)
        assert read is None or not read.names


def test_of_very_many_it_is_told_that_there_are_more(tmp_path: Path) -> None:
    for each in range(MOST // 200):
        holed(tmp_path / f"{each:0240}", 2048)
    told = found(tmp_path)
    assert told is not None
    assert told.more
    assert 0 < len(told.names) < MOST // 200
    assert told.told().startswith(f"more than {len(told.names)} files larger than 1.0 KiB: ")
    assert told.told().endswith(", ...")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("/a",), "1 file larger than 1.0 KiB: /a"),
        (("/a", "/\x1b[2J"), "2 files larger than 1.0 KiB: /a, /\u241b[2J"),
    ],
)
def test_it_is_told_in_words_without_an_escape(names: tuple[str, ...], words: str) -> None:
    assert LargeFiles(1024, names, more=False).told() == words
