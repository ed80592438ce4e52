"""The compose document is written as PyYAML would, and each comment stands behind its value."""

import itertools
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from jailoc.generators.artefacts import compose_yaml
from jailoc.generators.artefacts.compose_yaml import written
from jailoc.model.document import Path

Data = dict[str, Any]


class Dumper(yaml.SafeDumper):
    """Double quotes for every string value, plain well-known keys, indented lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')


def _mapping(dumper: yaml.SafeDumper, value: Data) -> yaml.MappingNode:
    node = dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=not value)
    for key, _ in node.value:
        if compose_yaml.PLAIN.fullmatch(key.value):
            key.style = None
    return node


Dumper.add_representer(str, _text)
Dumper.add_representer(dict, _mapping)


def dumped(data: Data) -> str:
    return yaml.dump(
        data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=float("inf"),
        default_flow_style=False,
    )  # fmt: skip


texts = st.text(max_size=8) | st.text(
    st.sampled_from("a \t\n\r\0\x1b\"'\\:#-?{}[]&*!|>%@`$é\x85\xa0\u2028\ufeff\ufffe\U0001f600~")
)
keys = texts | st.sampled_from(
    ["true", "null", "yes", "image", "volumes2", "_____", "k" * 122, "k" * 123, " " * 130]
)
scalars = texts | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=30,
)
documents = st.dictionaries(keys, values, min_size=1, max_size=4)


@given(documents)
@example({"": [[{"": []}]]})
@example({"a\nb": {"image": {}}, "cpus": 1e-05, "x": [{"": {"y": [1]}}]})
def test_the_document_has_the_bytes_that_pyyaml_would_write(data: Data) -> None:
    assert written(data, {}) == dumped(data)


@given(documents)
@example({"cpus": -1e-05})
def test_what_is_written_is_read_back(data: Data) -> None:
    assert yaml.safe_load(written(data, {})) == data


def places(value: object, at: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        return [*itertools.chain(*(places(each, (*at, key)) for key, each in value.items()))]
    if isinstance(value, list):
        return [*itertools.chain(*(places(each, (*at, i)) for i, each in enumerate(value)))]
    return [at]


@given(documents, st.data())
def test_a_comment_stands_on_the_line_of_its_value_and_changes_nothing_else(
    data: Data, drawn: st.DataObject
) -> None:
    every = places(data)
    if not every:
        return
    at = drawn.draw(st.sampled_from(every))
    plain, told = written(data, {}).split("\n"), written(data, {at: "here"}).split("\n")
    (line,) = [number for number, text in enumerate(told) if text != plain[number]]
    assert told[line] == f"{plain[line]}  # here"
    node: Any = yaml.compose("\n".join(plain), Loader=yaml.SafeLoader)
    for part in at:
        node = (
            node.value[part]
            if isinstance(part, int)
            else next(value for key, value in node.value if key.value == part)
        )
    assert node.start_mark.line == line


@pytest.mark.parametrize("name", ["image", "volumes2"])
def test_a_word_that_every_yaml_reads_as_text_stands_bare(name: str) -> None:
    assert written({name: "true"}, {}) == f'{name}: "true"\n'
