"""`.dockerignore`: the documented examples, and what the engine itself does (see tests/engine)."""

import posixpath
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jailoc.model.ignore import ignored, parse


@pytest.mark.parametrize(
    ("text", "out", "kept"),
    [
        ("a\u2028b\x0bc", ["a\u2028b\x0bc"], ["a", "b", "c"]),
        ("# comment", [], ["# comment", "a"]),
        ("*/temp*", ["somedir/temporary.txt", "somedir/temp"], ["temp", "a/b/temp"]),
        ("*/*/temp*", ["a/b/temporary.txt"], ["a/temp"]),
        ("temp?", ["tempa", "tempb"], ["temp", "tempab", "a/tempa"]),
        ("**/*.go", ["a.go", "a/b/c.go"], ["a.gox"]),
        ("*.md\n!README.md", ["a.md"], ["README.md", "a/b.md"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md"]),
        ("*.md\nREADME-secret.md\n!README*.md", ["a.md"], ["README.md", "README-secret.md"]),
        ("node_modules", ["node_modules", "node_modules/a/b"], ["a/node_modules"]),
        ("/foo/bar/\n./baz", ["foo/bar", "foo/bar/x", "baz"], ["bar", "foo"]),
        ("*\n!src", ["a", "b/c"], ["src", "src/a/b"]),
        ("a[bc]\n[^x]y", ["ab", "ac", "zy"], ["ad", "xy"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("\ufeffsecret\r\n\n  padded  ", ["secret", "padded"], ["\ufeffsecret"]),
        ("**", ["a", "a/b"], []),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["b", "ab"]),
        (".", [], ["a"]),
        ("[", [], ["[", "a"]),
        ("[?-/]\n[z-a]", [], ["?", "-", "a"]),
    ],
)
def test_what_is_left_out(text: str, out: list[str], kept: list[str]) -> None:
    patterns = parse(text)
    assert [path for path in out if not ignored(patterns, path)] == []
    assert [path for path in kept if ignored(patterns, path)] == []


@given(st.text(st.sampled_from("ab*?[]!\\/.#-^ \n"), max_size=20), st.from_regex(r"[ab]/?[ab]"))
def test_any_text_can_be_read(text: str, path: str) -> None:
    ignored(parse(text), path)


def simple(pattern: str) -> str:
    """Return the same pattern as a regular expression that tries everything."""
    words: list[str] = re.findall(r"\*\*/?|\[ab/\]|.", pattern)
    depths = {"*": "[^/]*", "?": "[^/]", "[ab/]": "[ab/]", "**": "(.*/)?", "**/": "(.*/)?"}
    last = ".*" if words[-1].startswith("**") else depths.get(words[-1], re.escape(words[-1]))
    return "".join(depths.get(each, re.escape(each)) for each in words[:-1]) + last


@settings(max_examples=1500)
@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "?", "/", "[ab/]"]), min_size=1, max_size=9),
    st.lists(st.sampled_from("aab/"), min_size=1, max_size=14),
)
def test_no_choice_is_lost_by_going_back_to_none(words: list[str], letters: list[str]) -> None:
    text, path = "".join(words), posixpath.normpath("".join(letters)).strip("/")
    place = posixpath.normpath(text).lstrip("/")
    found = parse(text)
    if place in {"", "."} or "***" in place or path in {"", "."}:
        return
    (pattern,) = found
    assert bool(re.fullmatch(pattern.regex, path)) == bool(re.fullmatch(simple(place), path))
