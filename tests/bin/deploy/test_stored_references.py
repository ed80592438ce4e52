"""References of snapshots, whatever an agent has written there."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.bin.deploy.stored_references import MOST, references

A, B = "a" * 40, "b" * 64


def archive(**files: str) -> bytes:
    """Return a tar file as restic writes it of a directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("p/.git/refs/heads/link")
        link.type, link.linkname = tarfile.SYMTYPE, "main"
        tar.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize("prefix", ["", "p/.git/refs/", "/p/.git/refs/"])
def test_a_loose_reference_goes_before_a_packed_one(prefix: str) -> None:
    loose = archive(**{
        f"{prefix}heads/main": f"{A}\n", f"{prefix}heads/odd": "ref: refs/heads/main\n",
        f"{prefix}heads/long": "x" * 5000, f"{prefix}jailoc/api/fix": B,
    })  # fmt: skip
    packed = f"# pack-refs with: peeled\n{B} refs/heads/main\n{A} refs/tags/v1\n^{B}\n{A} x\n"
    assert references(loose, packed.encode(), "/p/.git/refs") == {
        "refs/heads/main": A, "refs/tags/v1": A, "refs/jailoc/api/fix": B,
    }  # fmt: skip
    assert references(b"", b"", "/p/.git/refs") == {}


def test_what_is_too_much_or_no_archive_is_not_told_of() -> None:
    assert references(b"x" * MOST, b"", "/r") is None
    assert references(b"", b"x" * MOST, "/r") is None
    assert references(b"no archive", b"", "/r") is None


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_whatever_an_agent_has_written_is_read_or_not(loose: bytes, packed: bytes) -> None:
    found = references(loose, packed, "/r")
    assert found is None or all(each.startswith("refs/") for each in found)
