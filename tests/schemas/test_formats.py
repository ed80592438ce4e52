"""What was published of a format stays: a schema may gain a field or a value, never lose one.

`published/NAME.txt` has a line for each thing that a document of that format may hold. With
`--update-golden` what is new is added to it; what went has to be taken out by hand, with a word in
the changelog.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jailoc.schemas import NAMES, schema

PUBLISHED = Path(__file__).parent / "published"
LOOSE = ("anyOf", "oneOf", "allOf")
BOUNDS = ("pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def facts(root: dict[str, Any], node: Any, place: str, known: tuple[str, ...]) -> Iterator[str]:
    """Yield a line for each type, value, bound and duty that a schema names, by its place."""
    if not isinstance(node, dict):
        yield f"{place}: {node}"
        return
    yield from own(node, place)
    for below, where in children(node, place):
        yield from facts(root, below, where, known)
    reference = node.get("$ref")
    if reference in known:
        yield f"{place}: as {reference}"
    elif reference is not None:
        target: Any = root
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        yield from facts(root, target, place, (*known, reference))


def own(node: dict[str, Any], place: str) -> Iterator[str]:
    types = node.get("type", [])
    for each in [types] if isinstance(types, str) else types:
        yield f"{place}: {each}"
    for value in node.get("enum", [node["const"]] if "const" in node else []):
        yield f"{place} = {value!r}"
    for bound in BOUNDS:
        if bound in node:
            yield f"{place} {bound} {node[bound]!r}"
    for name in node.get("required", []):
        yield f"{place}.{name} required"


def children(node: dict[str, Any], place: str) -> Iterator[tuple[Any, str]]:
    for name, below in node.get("properties", {}).items():
        yield below, f"{place}.{name}"
    for name, below in node.get("patternProperties", {}).items():
        yield below, f"{place}.<{name}>"
    for word, mark in (("additionalProperties", ".*"), ("items", "[]")):
        if word in node:
            yield node[word], place + mark
    for word in LOOSE:
        for below in node.get(word, []):
            yield below, place


def lines(name: str) -> set[str]:
    data = schema(name)
    return set(facts(data, data, "$", ()))


@pytest.mark.parametrize("name", NAMES)
def test_a_format_only_grows(name: str, update_golden: bool) -> None:
    place = PUBLISHED / f"{name}.txt"
    now = lines(name)
    if update_golden:
        before = set(place.read_text().splitlines()) if place.exists() else set()
        place.write_text("".join(f"{line}\n" for line in sorted(now | before)))
    assert set(place.read_text().splitlines()) - now == set()


def test_the_configuration_asks_for_nothing_new() -> None:
    known = (PUBLISHED / "config.txt").read_text().splitlines()
    duties = {line for line in lines("config") if line.endswith(" required")}
    parents = {line.rpartition(".")[0] for line in known}
    assert {line for line in duties if line.rpartition(".")[0] in parents} <= set(known)


def test_no_format_is_left_behind() -> None:
    assert {each.stem for each in PUBLISHED.iterdir()} == set(NAMES)


def test_a_lost_field_a_narrower_bound_and_a_new_duty_are_seen() -> None:
    before = {"properties": {"a": {"type": "string", "maxLength": 9}}, "required": ["a"]}
    known = set(facts(before, before, "$", ()))
    for after in (
        {"properties": {}, "required": ["a"]},
        {"properties": {"a": {"type": "string", "maxLength": 8}}, "required": ["a"]},
        {"properties": {"a": {"type": "string", "maxLength": 9}}},
    ):
        assert known - set(facts(after, after, "$", ()))
