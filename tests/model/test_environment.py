"""Environment entries are split at the first `=` and otherwise kept exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from jailoc.model.environment import (
    LINE_LIMIT,
    RESERVED,
    EnvEntry,
    merge_env,
    parse_env,
    parse_env_file,
)
from tests.strategies import env_entries, env_keys, hostile


@given(env_keys, hostile)
def test_any_key_and_value_are_kept_exactly(key: str, value: str) -> None:
    assert parse_env(f"{key}={value}") == EnvEntry(key=key, value=value)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("K=", "K", ""), ("K=a=b=c", "K", "a=b=c"), (" K = v ", " K ", " v "),
        ("K=$HOME ${X} $$", "K", "$HOME ${X} $$"), ("K=a\nb", "K", "a\nb"), ("K==", "K", "="),
        ("jailoc=1", "jailoc", "1"), ("DOCKER_HOST =1", "DOCKER_HOST ", "1"),
    ],
)  # fmt: skip
def test_an_entry_is_split_at_its_first_equals_sign(text: str, key: str, value: str) -> None:
    assert parse_env(text) == EnvEntry(key=key, value=value)


@pytest.mark.parametrize(
    ("text", "code", "essence"),
    [
        ("", "env-entry", "no `=`"),
        ("KEY", "env-entry", "no `=`"),
        ("=v", "env-entry", "empty key"),
        ("=", "env-entry", "empty key"),
        ("K=\0", "env-entry", "NUL"),
        ("K\0=v", "env-entry", "NUL"),
        *((f"{key}=v", "env-reserved", f"`{key}` is reserved") for key in RESERVED),
    ],
)
def test_what_is_no_entry_is_refused(text: str, code: str, essence: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse_env(text)
    assert caught.value.context is not None
    assert caught.value.context["code"] == code
    assert essence in str(caught.value.context["message"])


def entries(text: str) -> list[tuple[str, str]]:
    return [(each.key, each.value) for each in parse_env_file("/e", text).entries]


@given(st.text(max_size=200) | st.lists(env_entries, max_size=5).map("\n".join))
def test_any_env_file_is_read_or_refused_by_line(text: str) -> None:
    refused, found = "", []
    try:
        found = entries(text)
    except PydanticCustomError as error:
        refused = str(error)
    assert "line " in refused or all(key and key not in RESERVED for key, _ in found)
    assert not (refused and found)


@given(st.from_regex(r"[A-Za-z_]{1,9}", fullmatch=True), hostile)
def test_a_quoted_value_is_kept_up_to_its_quote(key: str, value: str) -> None:
    if key in RESERVED or "\n" in value:
        return
    for quote in "\"'":
        inner = value.replace(quote, "").strip("\r")
        assert entries(f" {key} = {quote}{inner}{quote} # more\r\n") == [(key, inner)]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=a\x1cb\x1c", "a\x1cb\x1c"), ("K=\u00a0v\u2003", "v"), ("K=a\u2028b", "a\u2028b"),
        ("K=\\n$X", "\\n$X"), ("K=a # b # c", "a"), ("K=a\t # b", "a"), ("\ufeffA=1", "1"),
    ],
)  # fmt: skip
def test_white_space_is_what_unicode_says_and_lines_end_at_line_feeds(
    line: str, value: str
) -> None:
    assert [found for _, found in entries(line)] == [value]


def test_a_line_that_is_too_long_is_refused_by_number() -> None:
    assert entries("K=" + "x" * (LINE_LIMIT - 3)) == [("K", "x" * (LINE_LIMIT - 3))]
    with pytest.raises(PydanticCustomError, match="line 2: it is longer than 64 KiB"):
        entries("A=1\nK=" + "x" * (LINE_LIMIT - 2))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=9))
def test_of_equal_keys_the_last_value_and_the_first_place_win(pairs: list[tuple[str, str]]) -> None:
    merged = merge_env(
        (str(index), EnvEntry(key=key, value=value)) for index, (key, value) in enumerate(pairs)
    )
    assert {each.key: each.value for each in merged} == dict(pairs)
    assert [each.key for each in merged] == list(dict.fromkeys(key for key, _ in pairs))


def doubts(text: str) -> list[int]:
    return [each.line for each in parse_env_file("/e", text).doubts]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\ufeffA=1\nB=2", [("A", "1"), ("B", "2")]),
        ("export B=2\nexport\tC = 3", [("B", "2"), ("C", "3")]),
        ("export=1\nexported=2", [("export", "1"), ("exported", "2")]),
        ('D="a\nb"\nE=1', [("D", "a\nb"), ("E", "1")]),
        ('D="a\r\nb" # c\r\nE=1', [("D", "a\nb"), ("E", "1")]),
        ("D='a\n\n b='\nE=1", [("D", "a\n\n b="), ("E", "1")]),
        ('K="a\\"b"', [("K", 'a"b')]),
        ('K="{\\"a\\":\n1}"', [("K", '{"a":\n1}')]),
        ('K="C:\\dir\\"', [("K", "C:\\dir\\")]),
        ('K="a\\\\"', [("K", "a\\\\")]),
        ("K='a\\'", [("K", "a\\")]),
        ("K=it's", [("K", "it's")]),
        ("# export X\n\n", []),
    ],
)  # fmt: skip
def test_what_is_evident_is_read_so(text: str, found: list[tuple[str, str]]) -> None:
    assert (entries(text), doubts(text)) == (found, [])


@pytest.mark.parametrize(
    ("text", "found", "lines"),
    [
        ('A=1\nN="a\nM=2', [("A", "1"), ("N", "a"), ("M", "2")], [2]),
        ('N="a\nM="b"', [("N", "a"), ("M", "b")], [1]),
        ("F='it's'", [("F", "it")], [1]),
        ("A=1\nnothing\nexport A", [("A", "1")], [2, 3]),
        ("K: v", [], [1]),
        ("A B=1", [("A B", "1")], [1]),
    ],
)
def test_what_is_not_evident_is_told_by_line(
    text: str, found: list[tuple[str, str]], lines: list[int]
) -> None:
    assert (entries(text), doubts(text)) == (found, lines)


def test_what_is_told_of_a_line_never_quotes_its_value() -> None:
    text = "A='hunter2's'\nhunter2\nB=\"hunter2\nC D=hunter2"
    told = parse_env_file("/e", text).doubts
    assert len(told) == 4
    assert not any("hunter2" in each.what for each in told)
