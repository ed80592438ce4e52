"""Two patterns have a text in common, or have none."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.powers.globs import meet

PATTERN = st.text("ab*?", max_size=6)


@given(PATTERN, PATTERN)
def test_patterns_meet_where_a_text_is_of_both(one: str, other: str) -> None:
    texts = [""]
    for _ in range(7):
        texts += [f"{each}{letter}" for each in texts for letter in "ab" if len(each) < 7]
        texts = list(dict.fromkeys(texts))
    common = any(fnmatchcase(each, one) and fnmatchcase(each, other) for each in texts)
    assert not common or meet(one, other)
    if "*" not in one + other:
        assert meet(one, other) is common


@given(PATTERN, st.text("ab", max_size=6))
def test_a_text_without_wildcards_meets_what_it_matches(pattern: str, text: str) -> None:
    assert meet(pattern, text) is meet(text, pattern) is fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        ("*.ngrok.io port *", "evil.ngrok.io*", True),
        ("*.ngrok.io port 443", "evil.ngrok.io port 22", False),
        ("a[bc]d", "abd", True),
        ("*" * 3000, "?" * 3000, True),
        ("a*", "b*", False),
    ],
)
def test_examples(one: str, other: str, *, met: bool) -> None:
    assert meet(one, other) is met
