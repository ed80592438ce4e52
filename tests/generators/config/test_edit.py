"""Edits change what they are for, and no other byte."""

import difflib
import tomllib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jailoc.generators.config.edit import append, remove
from jailoc.model.diagnostic import Refused
from tests.strategies import hostile, quote

LAYOUTS = {
    "an empty list": ("[workspaces.a]\npaths = []\n", 'paths = ["/n"]\n'),
    "one line": ('[workspaces.a]\npaths = ["x"] # c\nk = 1\n', 'paths = ["x", "/n"] # c\n'),
    "one element a line": (
        '[workspaces.a]\npaths = [\n  "x", # one\n  "y"\n]\nk = 1\n',
        '  "y",\n  "/n"\n]\nk = 1\n',
    ),
    "a comma behind the last": (
        '[workspaces.a]\npaths = [\n\t"x",\n\t"y", # why\n]\n',
        '\t"y", # why\n\t"/n",\n]\n',
    ),
    "aligned": ('[workspaces.a]\npaths = [ "x",\n          "y" ]\n', '"y",\n          "/n" ]\n'),
    "a comment alone": ("[workspaces.a]\npaths = [\n  # none\n]\n", '  # none\n  "/n"\n]\n'),
    "no list": (
        "[workspaces.a] # mine\ncpu = 1\n\n# about b\n[workspaces.b]\n",
        '[workspaces.a] # mine\npaths = ["/n"]\ncpu = 1\n\n# about b\n',
    ),
    "no list, tables of its own": (
        '[workspaces.a]\n[workspaces.a.secrets.env.T]\nfrom_env = "X"\n',
        '[workspaces.a]\npaths = ["/n"]\n[workspaces.a.secrets.env.T]\n',
    ),
    "only tables of its own": (
        '[workspaces.a.secrets.env.T]\nfrom_env = "X"\n', 'paths = ["/n"]\n',
    ),
    "dotted": ("workspaces.a.cpu = 1\n", 'workspaces.a.paths = ["/n"]\n'),
    "dotted, one a line": (
        "workspaces.a.cpu = 1\nworkspaces.a.pids = 99\n", 'workspaces.a.paths = ["/n"]\n',
    ),
    "inline": ("workspaces = { a = { cpu = 1 } }\n", 'paths = ["/n"]'),
    "a quoted name": ('[workspaces."a"]\npaths=["x",]', '"/n"'),
    "no line break at the end": ("[workspaces.a]", '[workspaces.a]\npaths = ["/n"]\n'),
    "carriage returns": ('[workspaces.a]\r\npaths = [\r\n  "x",\r\n]\r\n', '  "/n",\r\n]\r\n'),
    "carriage returns, no list": ("[workspaces.a]\r\nk = 1\r\n", '\r\npaths = ["/n"]\r\nk'),
}  # fmt: skip


@pytest.mark.parametrize(
    ("before", "gone", "after"),
    [
        ('["x", "y", "z"]', {1}, '["x", "z"]'),
        ('["x"] # c', {0}, "[] # c"),
        ('[ # h\n  "x", # one\n  # about y\n  "y", # two\n]', {0},
         '[ # h\n  # about y\n  "y", # two\n]'),
        ('[\r\n  "x",\r\n  "y"\r\n]', {0}, '[\r\n  "y"\r\n]'),
        ('["x", {to = "y"}, "z"]', {0, 1}, '["z"]'),
    ],
)  # fmt: skip
def test_what_is_removed_leaves_the_rest(before: str, gone: set[int], after: str) -> None:
    head = "[workspaces.a]\nk = "
    assert remove(head + before + "\n", "a", "k", gone) == head + after + "\n"
    with pytest.raises(Refused, match="not an array"):
        remove('[[workspaces.a.k]]\nto = "x"\n', "a", "k", {0})


def test_where_a_list_is_all_that_is_said_it_stays() -> None:
    text = 'workspaces.a.k = ["x"]\n'
    assert remove(text, "a", "k", {0}) == "workspaces.a.k = []\n"


@pytest.mark.parametrize(
    "before", ["[workspaces.a]\ncpu = 1\n", '[workspaces.a]\npaths = ["/p"]\n']
)
def test_what_is_added_and_removed_leaves_nothing(before: str) -> None:
    assert remove(append(before, "a", "k", "x"), "a", "k", {0}) == before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_keeps_its_manner(layout: str) -> None:
    before, part = LAYOUTS[layout]
    after = append(before, "a", "paths", "/n")
    assert part in after
    removed = [
        line
        for line in difflib.ndiff(before.split("\n"), after.split("\n"))
        if line.startswith("- ")
    ]
    assert len(removed) <= 1, "one line changes at most"


comments = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(
    lambda text: f"# {text}"
)
blanks = st.sampled_from(["", " ", "\t", "  "])


@st.composite
def files(draw: st.DrawFn) -> str:
    """Draw files with comments and blanks wherever TOML allows them."""
    elements = draw(st.lists(hostile, max_size=4))
    multiline = draw(st.booleans())
    indent = draw(blanks) if multiline else ""
    ends = [f"\n{draw(comments)}\n" if multiline and draw(st.booleans()) else "" for _ in elements]
    if multiline:
        inner = "".join(f"\n{indent}{quote(each)},{end}" for each, end in
                        zip(elements, ends, strict=True)) + "\n"  # fmt: skip
    else:
        inner = ", ".join(map(quote, elements))
    return "\n".join(
        [
            draw(comments),
            "[workspaces.b]",
            f"env = [{draw(blanks)}'x'{draw(blanks)}]{draw(blanks)}{draw(comments)}",
            draw(blanks),
            f"[workspaces.a]{draw(blanks)}{draw(comments)}",
            f"{draw(blanks)}cpu{draw(blanks)}={draw(blanks)}1",
            draw(comments),
            *([f"env{draw(blanks)}= [{inner}]"] if draw(st.booleans()) else []),
            draw(blanks),
            draw(comments),
            "[workspaces.c]",
            "",
        ]
    )


@given(files(), hostile)
def test_an_edit_adds_the_value_and_keeps_the_rest(text: str, value: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    try:
        after = append(text, "a", "env", value)
    except Refused:
        return  # said so, and nothing was written
    wanted = tomllib.loads(text)
    wanted["workspaces"]["a"].setdefault("env", []).append(value)
    assert tomllib.loads(after) == wanted
    kept = text.split("\n")
    assert (
        after.split("\n")[: kept.index("[workspaces.b]") + 2]
        == kept[: kept.index("[workspaces.b]") + 2]
    )
    assert after.endswith("\n".join(kept[-3:]))


@given(files())
def test_ordinary_files_are_never_refused(text: str) -> None:
    append(text, "a", "paths", "/data/new")
