"""What a repository takes objects from is taken apart as Git does, and followed within bounds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.bin.config import alternates


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ("/a\n/b", ["/a", "/b"]),
        ("# no\n\n ../x \n", [" ../x "]),
        ('"/a b"\n/c\n', ["/a b", "/c"]),
        ('"/a\\"\\\\\\n\\303\\244"\n', ['/a"\\\n\u00e4']),
        ('"/a\n/b"\n', ["/a\n/b"]),
        ('"/never\n/b\n', ['"/never', "/b"]),
        ('"/bad\\q"\n', ['"/bad\\q"']),
        ("/a\n\0/b\n", ["/a"]),
    ],
)
def test_a_file_is_taken_apart(data: str, paths: list[str]) -> None:
    assert [*alternates.entries(data)] == paths


@given(st.text(alphabet='/a"\\\n#0', max_size=40))
def test_no_path_is_empty_and_every_text_has_an_end(data: str) -> None:
    assert all(alternates.entries(data))


def test_circles_and_crowds_have_an_end(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "info").mkdir(parents=True)
    first, second = tmp_path / "a", tmp_path / "b"
    (first / "info/alternates").write_text(f"{second}\n")
    (second / "info/alternates").write_text(f"{first}\n")
    file = str(first / "info/alternates")
    assert alternates.borrowed(file, str(first)) == ((str(second), str(first)), True)
    many = "".join(f"/x{number}\n" for number in range(alternates.MOST + 1))
    (first / "info/alternates").write_text(many)
    found, whole = alternates.borrowed(file, str(first))
    assert (len(found), whole) == (alternates.MOST, False)
