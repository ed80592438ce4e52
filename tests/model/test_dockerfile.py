"""Of a Dockerfile: its instructions with their lines, and the images it needs."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.dockerfile import expand, instructions, parents

TEXT = """\
# syntax=docker/dockerfile:1

ARG VERSION=22
FROM node:${VERSION} AS build
# a comment
RUN one && \\
    # inside, too

    two
run <<EOF
FROM nothing:1
EOF
COPY --from=tools:3 a b
FROM build
"""


def test_instructions_know_their_lines() -> None:
    assert [(each.line, each.word) for each in instructions(TEXT)] == [
        (3, "ARG"), (4, "FROM"), (6, "RUN"), (10, "RUN"), (13, "COPY"), (14, "FROM"),
    ]  # fmt: skip
    assert instructions(TEXT)[2].value == "one &&  two"


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_a_line_feed_ends_a_line_as_for_the_builder(mark: str) -> None:
    read = instructions(f"FROM a\r\nRUN echo x{mark}FROM b\nFROM c")
    assert [(each.line, each.word) for each in read] == [(1, "FROM"), (2, "RUN"), (3, "FROM")]
    assert read[0].value == "a"


def test_the_escape_character_can_be_another() -> None:
    found = instructions("# escape=`\nFROM a\nRUN dir c:\\\nRUN x `\n  y\n")
    assert [(each.line, each.value) for each in found] == [(2, "a"), (3, "dir c:\\"), (4, "x  y")]


@pytest.mark.parametrize(
    ("text", "arguments", "wanted"),
    [
        ("FROM a\n", {}, ["a"]),
        ("FROM --platform=$BUILDPLATFORM a:1 AS x\nFROM X\n", {}, ["a:1"]),
        ("FROM a as a\nFROM a\n", {}, ["a"]),
        ("FROM scratch\nCOPY --from=b:2 x y\n", {}, ["b:2"]),
        ("FROM a AS one\nFROM b\nCOPY --chown=1 --from=one x y\n", {}, ["a", "b"]),
        ("FROM a\nFROM b\nCOPY --from=0 x y\n", {}, ["a", "b"]),
        ("FROM a AS unused\nFROM b\n", {}, ["b"]),
        ("FROM a\nRUN --mount=type=bind,from=c,target=/c x --from=d\n", {}, ["a", "c"]),
        ("ARG BASE\nFROM ${BASE}\n", {"BASE": "x:1"}, ["x:1"]),
        ("ARG BASE=y\nFROM $BASE\n", {}, ["y"]),
        ("ARG BASE=y\nFROM $BASE\n", {"BASE": "x"}, ["x"]),
        ("ARG A=1 B=2\nARG C=n:$A-$B\nFROM $C\n", {}, ["n:1-2"]),
        ("FROM n:${TAG:-7}\n", {}, ["n:7"]),
        ("FROM n-$TARGETARCH\n", {}, []),
        ("FROM a AS x-amd64\nFROM x-${TARGETARCH}\n", {}, []),
        ("RUN x\n", {}, []),
        ("", {}, []),
    ],
)
def test_the_images_that_the_last_stage_needs(
    text: str, arguments: dict[str, str], wanted: list[str]
) -> None:
    assert [each.reference for each in parents(text, arguments)] == wanted


def test_a_parent_stands_where_it_is_named_first() -> None:
    (parent,) = parents("ARG BASE\nFROM ${BASE} AS a\nFROM ${BASE}\nCOPY --from=a x y\n",
                        {"BASE": "x"})  # fmt: skip
    assert parent.line == 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("$A-${A}", "1-1"), ("${E:-d}", "d"), ("${E-d}", ""), ("${U:-d}", "d"), ("${A:+b}", "b"),
     ("${U+b}", ""), ("$U", None), ("${U}", None), ("plain", "plain")],
)  # fmt: skip
def test_variables_are_those_of_a_dockerfile(text: str, wanted: str | None) -> None:
    assert expand(text, {"A": "1", "E": ""}) == wanted


@given(st.text(alphabet="FROM ARG COPY RUN a$b{}:=-\\`\n#<\"'/", max_size=200) | st.text())
def test_any_text_can_be_read(text: str) -> None:
    found = instructions(text)
    assert [each.line for each in found] == sorted({each.line for each in found})
    parents(text, {"BASE": "x"})


def test_variables_that_do_not_end_are_read_in_bounded_time() -> None:
    started = time.process_time()
    parents("FROM " + "${a:-" * 200_000, {})
    assert time.process_time() - started < 10


def test_variables_that_multiply_are_bounded() -> None:
    def doubled(times: int) -> str:
        each = (f"ARG A{at}=${{A{at - 1}}}${{A{at - 1}}}\n" for at in range(1, times + 1))
        return f"ARG A0=x\n{''.join(each)}"

    (few,) = parents(f"{doubled(11)}FROM ${{A11}}", {})
    assert few.reference == "x" * 2**11
    assert parents(f"{doubled(11)}FROM {'${A11}' * 3}", {}) == ()
    assert parents(f"{doubled(60)}FROM ${{A60}}", {}) == ()
