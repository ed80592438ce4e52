"""What a resolver wrote is read strictly, and nothing that it writes stops or steers a command."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.runtime.resolver_state import ResolverState, resolver_state

GOOD = {
    "digest": "x",
    "names": {"a.test": ["10.0.0.1", "fd00::1"], "*.b.test": []},
    "seen": {"10.0.0.1": "a.test"},
    "refused": {"c.test": {"count": 2, "last": 90}},
}


def test_what_a_resolver_writes_is_read() -> None:
    found = resolver_state(json.dumps(GOOD) + "\n")
    assert found.readable
    assert found.names == {"a.test": ("10.0.0.1", "fd00::1"), "*.b.test": ()}
    assert (found.seen["10.0.0.1"], found.refused["c.test"].count) == ("a.test", 2)


@pytest.mark.parametrize(
    "change",
    [
        {"names": None}, {"names": []}, {"names": {"a": "10.0.0.1"}}, {"names": {"a": ["\033[2J"]}},
        {"names": {"a" * 254: []}}, {"names": {"a": [1]}}, {"seen": {"x": "a"}},
        {"seen": {"10.0.0.1": 7}}, {"refused": {"a": {"count": -1, "last": 0}}},
        {"refused": {"a": {"count": "1", "last": 0}}}, {"refused": {"a": {"count": 1}}},
        {"refused": {"a": {"count": 1e300, "last": 0}}}, {"more": 1}, {"readable": False},
        {"digest": 1},
    ],
)  # fmt: skip
def test_of_any_other_form_nothing_counts(change: dict[str, object]) -> None:
    assert resolver_state(json.dumps(GOOD | change)) == ResolverState(readable=False)


@given(st.one_of(st.text(), st.binary().map(lambda data: data.decode(errors="replace"))))
def test_no_text_is_an_error(text: str) -> None:
    assert resolver_state(text).names == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "1", "[" * 100_000, '{"names":' * 10_000, "NaN"]
)
def test_no_json_is_an_error(text: str) -> None:
    assert not resolver_state(text).readable


def test_a_name_without_an_address_is_lost_and_a_wildcard_is_not() -> None:
    names = {"here.test": ("10.1.2.3",), "lost.test": (), "*.test": ()}
    assert ResolverState(names=names).lost == ("lost.test",)
