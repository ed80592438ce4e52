"""What is wrong with a configuration is said in our own words, whatever stands at whichever key."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_core._pydantic_core import list_all_errors

from jailoc.generators.config.load import load
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.document import Document
from jailoc.schemas import schema
from tests.strategies import HOST

VALUES = (
    "true", "3", "-3", "99999999999999999999", "1.5", "nan", "inf", '"text"', '""', '"\\u0000"',
    "[]", "[1]", '["text"]', "[[]]", "[{}]", "[true]", "{}", "{ a = 1 }", '{ a = "b" }',
    '{ env = 1 }', "{ env = { A = 1 } }", "{ env = { A = {} } }", "{ reach = 1 }", "[nan]",
    "2027-01-31", "12:00:00", "2027-01-31T12:00:00Z",
)  # fmt: skip
"""Of every type that TOML has, alone and in others."""


def keys(data: dict[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every key of the schema, with a name where it has any."""
    data = schema("config")["$defs"][data["$ref"].rpartition("/")[2]] if "$ref" in data else data
    for each in data.get("anyOf", ()):
        yield from keys(each, at)
    for name, below in data.get("properties", {}).items():
        yield (*at, name)
        yield from keys(below, (*at, name))
    named = (data.get("additionalProperties"), *data.get("patternProperties", {}).values())
    for each in named:
        if isinstance(each, dict):
            yield (*at, "a")
            yield from keys(each, (*at, "a"))


KEYS = sorted(set(keys(schema("config"))))
PHRASES = {
    max(re.split(r"\{[^}]*\}|[`'\"]", each["message_template_python"]), key=len).strip(" ,.:")
    for each in list_all_errors()
} - {"Input should be"}  # fmt: skip
PHRASES = {each for each in PHRASES if len(each) > 8} | {"Input should", "validation error"}
"""What pydantic says of each kind of error, less what it puts in."""


def problems(text: str) -> tuple[Diagnostic, ...]:
    try:
        load(Document(text, "config.toml"), HOST)
    except Refused as refused:
        return refused.diagnostics
    return ()


def test_the_phrases_are_those_of_the_library() -> None:
    assert len(PHRASES) > 50
    assert any("valid integer" in each for each in PHRASES)


def test_the_keys_are_all_of_the_schema() -> None:
    assert len(KEYS) > 60
    assert {("workspaces", "a", "secrets", "env", "a", "from_env"), ("base", "dockerfile")} <= {
        *KEYS
    }


@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_whatever_stands_at_a_key_is_refused_in_our_own_words(key: tuple[str, ...]) -> None:
    found = 0
    for value in VALUES:
        told = problems(f"{'.'.join(key)} = {value}\n")
        found += bool(told)
        for each in told:
            words = json.dumps([each.message, each.allowed, each.hint])
            assert not [one for one in PHRASES if one in words], (value, words)
            assert each.message
            assert each.position is not None, (value, words)
            assert "cannot stand here" not in words, (value, words)
    assert found > 5, "most of what is tried is wrong there"
