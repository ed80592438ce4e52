"""Paths are cleaned by their text alone, and containment goes by whole segments."""

import pytest
from hypothesis import given

from jailoc.model.path import clean, expand, first_within, within
from tests.strategies import hostile


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("/", "/"), ("//", "/"), ("///a", "/a"), ("/a/", "/a"), ("/a//b", "/a/b"),
        ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/../..", "/"), ("/a/b/../../..", "/"),
        ("/data/../etc", "/etc"), ("/a/...", "/a/..."), ("/a /b", "/a /b"), ("/a\n", "/a\n"),
    ],
)  # fmt: skip
def test_cleaning(dirty: str, cleaned: str) -> None:
    assert clean(dirty) == cleaned


@given(hostile)
def test_a_cleaned_path_is_absolute_and_stays_as_it_is(text: str) -> None:
    path = clean("/" + text)
    assert path.startswith("/")
    assert clean(path) == path
    assert not {"", ".", ".."} & set(path.split("/")[1:]) or path == "/"


@pytest.mark.parametrize(
    ("path", "directory", "inside"),
    [
        ("/etc", "/etc", True), ("/etc/x", "/etc", True), ("/etcx", "/etc", False),
        ("/", "/etc", False), ("/anything", "/", True), ("/home/agent2", "/home/agent", False),
    ],
)  # fmt: skip
def test_containment(path: str, directory: str, inside: bool) -> None:
    assert within(path, directory) is inside
    assert first_within(path, ("/nowhere", directory)) == (directory if inside else None)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("~", "/h"), ("~/x", "/h/x"), ("~u/x", "/hu/x"), ("/~", "/~"), ("$HOME", "$HOME"), ("", "")],
)
def test_only_a_leading_tilde_is_expanded(text: str, expanded: str) -> None:
    assert expand(text, "/h") == expanded
