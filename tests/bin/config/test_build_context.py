"""A build context as one number: it changes with what is sent, and with nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jailoc.bin.config import build_context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "context"
    (place / "src/deep").mkdir(parents=True)
    (place / "src/deep/a").write_text("a")
    (place / "link").symlink_to("src")
    (place / "secret").write_text("s")
    (place / ".dockerignore").write_text("secret\nlogs\n")
    return place


def other_link(place: Path) -> Path:
    (place / "new").symlink_to("src/deep")
    return place / "new"


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda place: (place / "src/deep/a").write_text("b"),
    "a new file": lambda place: (place / "b").write_text(""),
    "a name": lambda place: (place / "src/deep/a").rename(place / "src/deep/b"),
    "permissions": lambda place: (place / "src/deep/a").chmod(0o755),
    "an empty directory": lambda place: (place / "empty").mkdir(),
    "a link's target": lambda place: other_link(place).replace(place / "link"),
    "what is ignored": lambda place: (place / ".dockerignore").write_text("logs\n"),
    "one character moved to the next file": lambda place: [
        (place / "src/deep/a").write_text(""), (place / "src/deep/b").write_text("a")
    ],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_sent_counts(folder: Path, change: Callable[[Path], object]) -> None:
    before = build_context.digest(str(folder))
    assert before
    change(folder)
    assert build_context.digest(str(folder)) not in {before, None}


def test_what_is_not_sent_does_not_count(folder: Path) -> None:
    before = build_context.digest(str(folder))
    (folder / "secret").write_text("another")
    (folder / "logs").mkdir()
    (folder / "logs/today").write_text("line")
    os.utime(folder / "src/deep/a", (1, 1))
    assert build_context.digest(str(folder)) == before


def test_a_context_that_is_missing_or_too_large_is_not_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build_context.digest(str(folder / "nowhere")) is None
    monkeypatch.setattr(build_context, "MOST_FILES", 3)
    assert build_context.digest(str(folder)) is None
    monkeypatch.setattr(build_context, "MOST_FILES", 300)
    monkeypatch.setattr(build_context, "MOST_BYTES", 5)
    assert build_context.digest(str(folder)) is None
