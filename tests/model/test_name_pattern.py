"""Which names a pattern covers, compared label by label, and what is made of a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jailoc.model.name_pattern import ClosedName, Name, covering

label = st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True)
names = st.lists(label, min_size=1, max_size=4)


def name(text: str, port: int | None = None) -> Name:
    return Name(name=text, port=port, origin="x")


def below(labels: list[str], others: list[str]) -> bool:
    return len(labels) > len(others) and labels[-len(others) :] == others


@given(names, names)
def test_a_pattern_covers_what_its_labels_say(one: list[str], other: list[str]) -> None:
    plain, wide = name(".".join(one)), name("*." + ".".join(one))
    for asked in (other, [*other, *one]):
        text = ".".join(asked)
        assert plain.covers(text) == plain.covers(f"{text.upper()}.") == (asked == one)
        assert wide.covers(text) == below(asked, one)
        for pattern in (plain, wide):
            for told in (text, f"{text.upper()}."):
                assert (pattern.key in covering(told)) == pattern.covers(told)


@pytest.mark.parametrize(
    "asked", ["evilexample.com", "example.com", ".example.com", "a\\.example.com",
              "a\\046.example.com", "example.com.evil.test", ""],
)  # fmt: skip
def test_a_wildcard_covers_whole_labels_alone(asked: str) -> None:
    assert name("*.example.com").covers("a.example.com")
    assert not name("*.example.com").covers(asked)
    assert "*.example.com" not in covering(asked)
    assert [*covering("*.a.example.com")] == ["*.a.example.com", "*.example.com", "*.com"]


def test_what_a_pattern_includes() -> None:
    wide = ClosedName(name="*.example.com", origin="x")
    assert wide.includes(wide)
    assert wide.includes(name("a.example.com"))
    assert wide.includes(name("*.a.example.com"))
    assert not wide.includes(name("example.com"))
    assert not wide.includes(name("*.com"))
    assert not name("a.example.com").includes(wide)


@pytest.mark.parametrize("port", [1, 65535])
def test_a_port_is_one_of_a_protocol(port: int) -> None:
    assert name("a.test", port).port == port
    with pytest.raises(ValidationError):
        name("a.test", {1: 0, 65535: 65536}[port])


def test_a_list_is_called_by_the_name_as_far_as_the_kernel_takes_it() -> None:
    for length, same in ((180, True), (181, False)):
        text = "a" * length
        assert (name(text).place == text) is same
        assert len(name(text).place) <= 180
    assert name("A.Test.").place == "a.test"


@given(names)
def test_doors_and_marks_are_what_the_kernel_and_the_resolver_take(labels: list[str]) -> None:
    found = name(".".join(labels))
    source, destination = found.door
    assert 1024 <= source <= 65535
    assert 1024 <= destination < 65535
    assert not destination % 2
    assert 0 < found.mark < 1 << 32
    assert name(".".join(labels), 443).mark != found.mark
