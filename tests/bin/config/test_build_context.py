"""A build context as one number: it changes with what is sent, and with nothing else."""

import os
import time
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


SLOW = "a" * 200


@pytest.mark.parametrize(
    "case",
    ["pipe", "link to a pipe", "device", "many stars", "any depth", "other names", "many", "large"],
)
def test_no_dockerignore_keeps_a_command_waiting(folder: Path, case: str) -> None:
    """It is an agent's where `trust` names the context."""
    ignore = folder / ".dockerignore"
    ignore.unlink()
    deep = folder / "/".join("a" * 60)
    deep.mkdir(parents=True)
    (folder / SLOW).write_text("")
    if case == "device":
        ignore.symlink_to("/dev/zero")
    elif "pipe" in case:
        os.mkfifo(folder / "src/pipe" if "link" in case else ignore)
        if "link" in case:
            ignore.symlink_to("src/pipe")
    elif case == "many":
        for each in range(2000):
            (folder / f"{each}").write_text("")
        ignore.write_text("".join(f"*{each}*\n" for each in range(50_000)))
    else:
        texts = {"many stars": "*a" * 30, "any depth": "**/a/" * 12, "other names": "*[^x]" * 12,
                 "large": "a\n" * 40_000}  # fmt: skip
        ignore.write_text(f"{texts[case]}b\n")
    started = time.monotonic()
    found = build_context.digest(str(folder))
    assert time.monotonic() - started < 10
    # What is only slow to others is told apart, and a name that takes too long is the engine's.
    assert (found is None) is (case != "many stars")
    waits = case == "device" or "pipe" in case
    assert (build_context.endless(str(folder)) is not None) is waits


def test_a_pipe_in_a_context_is_sent_and_not_read(folder: Path) -> None:
    before = build_context.digest(str(folder))
    os.mkfifo(folder / "src/pipe")
    assert build_context.digest(str(folder)) not in {before, None}
    assert build_context.endless(str(folder)) is None


def test_a_directory_with_very_many_entries_is_left_to_the_engine(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "logs").mkdir()
    (folder / ".dockerignore").write_text("logs/*\n!logs/0\n")
    for number in range(10):
        (folder / f"logs/{number}").write_text("")
    monkeypatch.setattr(build_context, "MOST_LISTED", 10)
    assert build_context.digest(str(folder)) is not None, "control: as many are listed"
    (folder / "logs/10").write_text("")
    assert build_context.digest(str(folder)) is None
