"""What a task sends stands on nothing but itself: no object of this machine's comes into it."""

import hashlib
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from jailoc.bin.deploy import task_pack
from jailoc.model.diagnostic import Refused
from tests.engine.clones import git, repository

PRIVATE = "of the user alone\n"


def size(number: int) -> bytes:
    """Write a size as a delta has it (gitformat-pack(5))."""
    text = b""
    while number > 0x7F:
        text += bytes([number & 0x7F | 0x80])
        number >>= 7
    return text + bytes([number])


def borrowing(base: str, length: int) -> bytes:
    """Return a pack of one object: another one, by its name and size, and a letter."""
    delta = size(length) + size(length + 1) + bytes([0b10010000, length, 1]) + b"x"
    entry = bytes([7 << 4 | len(delta)]) + bytes.fromhex(base) + zlib.compress(delta)
    pack = b"PACK" + struct.pack(">II", 2, 1) + entry
    return pack + hashlib.sha1(pack).digest()  # noqa: S324 -- it is Git's


@pytest.fixture
def linked(tmp_path: Path) -> tuple[Path, str]:
    """Return a repository that an agent has had take objects from another, and one of that."""
    private = repository(tmp_path / "private")
    (private / "secret").write_text(PRIVATE)
    git(private, "add", "secret")
    git(private, "commit", "-qm", "secret")
    git(private, "gc", "-q")
    here = repository(tmp_path / "here")
    packs = here / ".git/objects/pack"
    packs.rmdir()
    packs.symlink_to(private / ".git/objects/pack")
    return here / ".git", git(private, "rev-parse", "HEAD:secret").strip()


def test_no_object_of_another_repository_comes_with_what_is_sent(
    linked: tuple[Path, str], tmp_path: Path
) -> None:
    here, name = linked
    pack = tmp_path / "pack"
    pack.write_bytes(borrowing(name, len(PRIVATE)))
    with task_pack.quarantine(tmp_path / "q", str(here), 40) as place:
        with pytest.raises(Refused, match="Git does not take it"):
            task_pack.unpack(place, pack)
        assert [*(place / "objects/pack").glob("pack-*")] == []
        # Control: as Git takes what others leave out, the other's comes along.
        subprocess.run(
            ["git", f"--git-dir={place}", "index-pack", "--stdin", "--fix-thin"],
            input=pack.read_bytes(), check=True, capture_output=True,
        )  # fmt: skip
        (place / "objects/info/alternates").unlink()
        assert git(place, "cat-file", "blob", name) == PRIVATE.strip()


@pytest.mark.parametrize("what", ["a directory", "without an end"])
def test_where_a_history_ends_is_read_to_a_bound(tmp_path: Path, what: str) -> None:
    here = repository(tmp_path / "here") / ".git"
    ends = f"{'0' * 40}\n".encode() * 30_000
    (here / "shallow").write_bytes(ends)
    with task_pack.quarantine(tmp_path / "q", str(here), 40) as place:
        assert (place / "shallow").read_bytes() == ends, "control: it has more than a mebibyte"
    (here / "shallow").unlink()
    if what == "a directory":
        (here / "shallow").mkdir()
    else:
        with (here / "shallow").open("wb") as file:
            file.truncate(1 << 40)
    with (
        pytest.raises(Refused, match="shallow` cannot be read: it is "),
        task_pack.quarantine(tmp_path / "q", str(here), 40),
    ):
        pass
