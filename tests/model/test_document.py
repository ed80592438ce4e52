"""Every key and element of a document has its exact place, and nothing but `Refused` escapes."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jailoc.model.diagnostic import Position, Refused
from jailoc.model.document import Document, Path, dotted
from tests.strategies import configs, hostile, quote


def places(text: str) -> Document:
    return Document(text, "config.toml")


def at(position: Position | None) -> tuple[int, int] | None:
    return (position.line, position.column) if position else None


@pytest.mark.parametrize(
    ("text", "path", "key", "value"),
    [
        ("a = 1", ("a",), (1, 1), (1, 5)),
        ("\n\n  a=1", ("a",), (3, 3), (3, 5)),
        ("a.b.c = 1", ("a", "b", "c"), (1, 1), (1, 9)),
        ("a.b.c = 1", ("a", "b"), (1, 1), (1, 1)),
        ('"a.b" = 1', ("a.b",), (1, 1), (1, 9)),
        ("'a\"b' = 1", ('a"b',), (1, 1), (1, 9)),
        ('"\\u00e9" = 1', ("é",), (1, 1), (1, 12)),
        ('x."y z".w = 1', ("x", "y z", "w"), (1, 1), (1, 13)),
        ('"" = 1', ("",), (1, 1), (1, 6)),
        ("[t]\na = 1", ("t",), (1, 2), (1, 2)),
        ("[t]\na = 1", ("t", "a"), (2, 1), (2, 5)),
        ("[ t . u ]\na = 1", ("t", "u", "a"), (2, 1), (2, 5)),
        ("[t.u]\na = 1", ("t",), (1, 2), (1, 2)),
        ("[t]\na.b = 1", ("t", "a", "b"), (2, 1), (2, 7)),
        ('[w."a b"]\nk = 1', ("w", "a b", "k"), (2, 1), (2, 5)),
        ("a = [1, 2]", ("a", 1), (1, 9), (1, 9)),
        ("a = [\n  1, # c\n  # d\n  2,\n]", ("a", 1), (4, 3), (4, 3)),
        ("a = [[1], [2, 3]]", ("a", 1), (1, 11), (1, 11)),
        ("a = [[1], [2, 3]]", ("a", 1, 1), (1, 15), (1, 15)),
        ("a = { b = 1, c.d = [2] }", ("a", "c", "d", 0), (1, 21), (1, 21)),
        ("a = { b = 1, c.d = [2] }", ("a", "b"), (1, 7), (1, 11)),
        ("a = [{ b = 1 }, { b = 2 }]", ("a", 1, "b"), (1, 19), (1, 23)),
        ("[[t]]\na = 1\n[[t]]\na = 2", ("t", 1, "a"), (4, 1), (4, 5)),
        ("[[t]]\na = 1\n[[t]]\na = 2", ("t", 0, "a"), (2, 1), (2, 5)),
        ('"漢字" = ["é", "🐚", "x"]', ("漢字", 2), (1, 19), (1, 19)),
        ("a = '''\nx\n'''\nb = 2", ("b",), (4, 1), (4, 5)),
        ("a = 1\r\nb = 2\r\n", ("b",), (2, 1), (2, 5)),
        ("\ta\t=\t1", ("a",), (1, 2), (1, 6)),
        ("a = 1979-05-27T07:32:00Z\nb = inf", ("b",), (2, 1), (2, 5)),
    ],
)
def test_the_place_of(text: str, path: Path, key: tuple[int, int], value: tuple[int, int]) -> None:
    document = places(text)
    assert at(document.key(path)) == key
    assert at(document.value(path)) == value


def test_what_has_no_place_is_where_its_nearest_ancestor_stands() -> None:
    document = places("[workspaces.api]\npaths = []\n")
    assert at(document.value(("workspaces", "api", "paths", 7))) == (2, 9)
    assert at(document.key(("workspaces", "api", "image"))) == (1, 2)
    assert document.key(("base", "x")) is None


def test_the_line_of_a_place_is_the_source_line() -> None:
    document = places("a = 1\r\nb = [\r\n  2,\r\n]")
    place = document.value(("b", 0))
    assert place is not None
    assert document.line(place) == "  2,"


def test_a_byte_order_mark_is_as_if_it_were_not_there() -> None:
    document = Document("\ufeffa = 1\n", "config.toml")
    assert document.data == {"a": 1}
    assert document.value(("a",)) == Position(line=1, column=5)
    assert document.lines[0] == "a = 1"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = ", 1, 5), ("a = 1\nb 2", 2, 3), ("a = 1\na = 2", 2, 1), ("[t]\n[t]", 2, 2),
        ('a = "x', 1, 7), ("a = [1,\n2", 2, 2), ("a = 'é' b", 1, 9), ("= 1", 1, 1),
    ],
)  # fmt: skip
def test_a_syntax_error_is_refused_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(Refused) as caught:
        places(text)
    (found,) = caught.value.diagnostics
    assert found.code == "toml-syntax"
    assert at(found.position) == (line, column)
    assert found.text == text.split("\n")[line - 1]
    assert found.message.startswith("not valid TOML: ")


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 5000, "a = " + "[" * 5000 + "]" * 5000, "a = " + "{a=" * 5000,
     "a" + ".a" * 3000 + " = 1", "a = " + "9" * 5000, "[" + "a." * 3000 + "a]",
     "a = 0x" + "f" * 5000, "[" * 5000],
    ids=["open-arrays", "arrays", "inline-tables", "dotted-key", "huge-integer", "long-header",
         "huge-hexadecimal", "open-headers"],
)  # fmt: skip
def test_absurd_documents_are_parsed_or_refused(text: str) -> None:
    parse_or_refuse(text)


def parse_or_refuse(text: str) -> None:
    try:
        document = places(text)
    except Refused as refused:
        (found,) = refused.diagnostics
        assert found.position is not None
        assert 1 <= found.position.line <= text.count("\n") + 1
    else:
        for path in leaves(document.data):
            assert document.key(path) is not None
            assert document.value(path) is not None


def leaves(root: dict[str, Any]) -> Iterator[Path]:
    waiting: list[tuple[Path, Any]] = [((), root)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += (((*path, part), below) for part, below in value.items())
        elif isinstance(value, list):
            waiting += (((*path, part), below) for part, below in enumerate(value))
        else:
            yield path


SNIPPETS = (
    "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "\r\n", "#", '"', "'", '"""', "'''", "a",
    "b", "1", "-1", "1.5", "true", "inf", "1979-05-27", "07:32:00", "\\", "\\u00e9", "é", " ", "\t",
    "a = 1\n", "[t]\n", "[[u]]\n", "x = [1, 2]\n", 'k = "v"\n', "\0", "\r", "\ufeff",
)  # fmt: skip


@given(st.text(max_size=60) | st.lists(st.sampled_from(SNIPPETS), max_size=25).map("".join))
@example("a = 1\rb = 2")
@example('"[key]" = 1')
def test_any_text_is_a_document_or_refused(text: str) -> None:
    parse_or_refuse(text)


@given(st.data())
def test_every_key_and_element_stands_where_it_was_written(data: st.DataObject) -> None:
    """Write a document piece by piece, remember each place, and ask for all of them."""
    text = ""
    expected: dict[Path, tuple[tuple[int, int], tuple[int, int]]] = {}

    def here() -> tuple[int, int]:
        return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1

    def write(value: object, path: Path, key: tuple[int, int]) -> None:
        nonlocal text
        expected[path] = (key, here())
        if not isinstance(value, list):
            text += quote(str(value))
            return
        text += "[" + data.draw(blank)
        for index, each in enumerate(value):
            write(each, (*path, index), here())
            text += data.draw(blank) + "," + data.draw(blank)
        text += "]"

    blank = st.sampled_from(["", " ", "\n", "\n\t", " # é\n  "])
    values = st.recursive(hostile, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
    tables: dict[str, dict[str, Any]] = data.draw(
        st.dictionaries(hostile, st.dictionaries(hostile, values, max_size=3), max_size=3)
    )
    for name, table in tables.items():
        text += "["
        expected[(name,)] = (here(), here())
        text += quote(name) + "]\n"
        for key, value in table.items():
            text += data.draw(st.sampled_from(["", "  ", "\t"]))
            place = here()
            text += quote(key) + " = "
            write(value, (name, key), place)
            text += "\n"
    document = places(text)
    assert document.data == tables
    for path, (key_place, value_place) in expected.items():
        assert at(document.key(path)) == (value_place if isinstance(path[-1], int) else key_place)
        assert at(document.value(path)) == value_place


@given(configs)
def test_every_leaf_of_a_configuration_has_a_place_of_its_own(text: str) -> None:
    document = places(text)
    found = [at(document.value(path)) for path in leaves(document.data)]
    assert None not in found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""), (("a",), "a"), (("a", "b", 0), "a.b[0]"), (("a", "b c", 0, "d"), 'a."b c"[0].d'),
        (("a.b",), '"a.b"'), (("",), '""'),
    ],
)  # fmt: skip
def test_paths_are_written_as_people_read_them(path: Path, text: str) -> None:
    assert dotted(path) == text


def test_a_key_of_very_many_parts_is_refused_at_once() -> None:
    long = ".".join(["a"] * 200_000)
    for text in (f"[{long}]", f"{long} = 1", f"x = {{{long} = 1}}", f'["\\"".{long}."x"]',
                 f"x = {{y = \"\"\"\n\"\"\", {long} = 1}}", f"[b]\n}}\n[{long}]"):  # fmt: skip
        with pytest.raises(Refused, match="too many parts"):
            Document(text, "c")
    # Dots of values do not count.
    names = ", ".join(f'"a{number}.example.com"' for number in range(500))
    for text in (f"hosts = [{names}]", f"# {'.' * 200}\nhosts = [\n  {names}\n]",
                 f'why = """\n{"." * 200}\n"""\nhosts = [{names}]'):  # fmt: skip
        assert len(Document(text, "c").data["hosts"]) == 500


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ('a = "x\n', "quotes that a text begins with are not closed in its line", "close the"),
        ("a = 'x\nb = 'y'\n", "quotes that a text begins with are not closed", "close the"),
        ('a = "x', "never closed", "close the"),
        ("a = 'x", "never closed", "close the"),
        ("a = '''x", "never closed", "close the"),
        ('a = """x', "never closed", "close the"),
        ('a = "\x01"', "control character", "remove it"),
        ("# \x01", "control character", "remove it"),
        ("a = [1, 2\n", "list does not end here", "commas"),
        ("b = [1]\na = [ # [\n '[', [3], 2\n\n[t]\nc = 1\n", "it begins in line 2", "commas"),
        ("a = [1 2]\n", "list does not end here", "commas"),
        ("a = {b = 1 c = 2}\n", "table in braces does not end here", "commas"),
        ("[a\n", "name is not closed", "[name]"),
        ("[[a]\n", "name is not closed", "[name]"),
        ("a b = 1\n", "no `=` is behind the key", "one key with its value"),
        ('a = "x" y\n', "something stands behind", "one key with its value"),
        ("- a\n", "no `=` is behind the key", "one key"),
        ("= 1\n", "neither a key with a value nor a [table]", "one key"),
        ("a = {b = 1,}\n", "no key begins here", "no comma"),
        ("a = [~/x]\n", "no value begins here", '"quotes"'),
        ("a = 2027-02-30\n", "no such date", "2027-01-31"),
        ('a = "C:\\q"\n', "backslash", "'single quotes'"),
        ('a = "\\u12"\n', "backslash", "'single quotes'"),
        ('a = "\\ud800"\n', "backslash", "'single quotes'"),
        ("a = [1]\n[[a]]\n", "is there already", "keep one"),
    ],
)
def test_a_syntax_error_has_words_of_this_program(text: str, words: str, hint: str) -> None:
    with pytest.raises(Refused) as caught:
        places(text)
    (found,) = caught.value.diagnostics
    assert words in found.message
    assert hint in (found.hint or "")
