"""Published ports: the notation reads back as written, and its limits hold for every range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from jailoc.model.published_port import MOST, RESERVED, PortMapping, parse_ports, spelt

ports = st.integers(1, 65535)


@st.composite
def mappings(draw: st.DrawFn) -> PortMapping:
    first, length = draw(ports), draw(st.integers(1, MOST))
    last = min(65535, first + length - 1)
    inside = draw(st.just(first) | st.integers(1, 65535 - (last - first)))
    return PortMapping(first=first, last=last, inside=inside)


@given(mappings())
def test_what_is_written_is_read_back(mapping: PortMapping) -> None:
    if any(target in RESERVED for _, target in mapping.pairs):
        with pytest.raises(PydanticCustomError, match="cannot be published"):
            parse_ports(mapping.text)
        return
    assert parse_ports(mapping.text) == mapping
    assert len(mapping.pairs) == mapping.last - mapping.first + 1


@given(ports.filter(lambda port: port not in RESERVED))
def test_a_number_is_its_text(port: int) -> None:
    assert parse_ports(port) == parse_ports(str(port))


@given(st.text(alphabet="0123456789-:/.x ", max_size=14) | st.text(max_size=6))
def test_every_text_is_ports_in_range_or_an_error_of_ours(text: str) -> None:
    try:
        found = parse_ports(text)
    except PydanticCustomError:
        return
    for pair in found.pairs:
        assert all(1 <= each <= 65535 for each in pair)
        assert pair[1] not in RESERVED
    assert len(found.pairs) <= MOST


@given(st.lists(st.tuples(ports, ports), max_size=12))
def test_ports_that_are_spelt_together_are_the_same_ports(pairs: list[tuple[int, int]]) -> None:
    text = spelt(pairs)
    found: list[tuple[int, int]] = []
    for each in text.split(", ") if text else ():
        here, _, there = each.partition(":")
        low, _, high = here.partition("-")
        inside = int((there or here).partition("-")[0])
        found += [
            (port, inside + port - int(low)) for port in range(int(low), int(high or low) + 1)
        ]
    assert sorted(found) == sorted(pairs)
