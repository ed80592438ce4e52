"""What is shown of text that an agent wrote: nothing hides in it."""

import unicodedata

import pytest

from jailoc.model.text import telling, visible

UNSEEN = "\U00016fe4\U0001107f\U0001d159"
UNSEEN += "\u034f\u115f\u1160\u17b4\u180b\u180f\u2800\u3164\uffa0\ufe00\ufe0f\U000e0100\u200b\u202e"


@pytest.mark.parametrize("char", UNSEEN, ids=[f"{ord(each):04X}" for each in UNSEEN])
def test_what_is_not_seen_is_shown_as_a_sign(char: str) -> None:
    assert visible(f"a{char}b") == "a\ufffdb"
    assert telling(f"a{char}b") == f"a<U+{ord(char):04X}>b"


@pytest.mark.parametrize(
    "text", ["caf\u00e9", "\u65e5\u672c", "a\tb", "\u26a0\ufe0f low", "\ud55c"]
)
def test_what_is_seen_stays(text: str) -> None:
    assert visible(text) == text


def test_a_style_of_no_symbol_is_none() -> None:
    assert unicodedata.category("a") != "So"
    assert visible("a\ufe0f") == "a\ufffd"
