"""A TOML document: its values, and the position of every key and element.

The standard library's parser decides what is TOML and what the values are (TOML 1.0,
https://toml.io/en/v1.0.0); a grammar that keeps positions says where they stand.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import tree_sitter
import tree_sitter_toml

from jailoc.model.diagnostic import Diagnostic, Position, Refused
from jailoc.model.text import without_mark
from jailoc.model.toml_error import (
    DEEP,
    KEEP_ONE,
    LONG_KEY,
    LONG_NUMBER,
    UNCLOSED,
    Fault,
    opened,
    said,
)

Path = tuple[str | int, ...]

MOST_PARTS = 100
"""Parts of a key; a parser may take time by the square of their number."""
_MOST_DOTS = 5000
"""Dots of a line of what is no TOML, where nobody knows what they are."""
_PLACE = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of "
                    r"document)\)$", re.DOTALL)  # fmt: skip
_TWICE = re.compile("Cannot overwrite|Cannot declare|Duplicate inline")


def dotted(path: Path) -> str:
    """Write a path as people read it: `workspaces.api.paths[0]`.

    >>> dotted(("workspaces", "a b", "paths", 0))
    'workspaces."a b".paths[0]'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            word = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{word}" if text else word
    return text


def _long_key(tree: tree_sitter.Tree) -> int | None:
    """Return the line of a key of too many parts, from 0 on: each holds the one that is shorter."""
    cursor, parts = tree.walk(), 1
    while True:
        node = cursor.node
        parts = parts + 1 if node is not None and node.type == "dotted_key" else 1
        if node is not None and parts > MOST_PARTS:
            return node.start_point[0]
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return None
        parts = 1


class Document:
    """Values and positions of one TOML text; a byte order mark before it is not part of it.

    Args:
        text: The text.
        file: Where it stands.
        label: What people know the file by from where they are; `file` by default.

    Raises:
        Refused: the text is not TOML; the position is that of the parser, or of a second key.
    """

    def __init__(self, text: str, file: str, label: str | None = None) -> None:
        self.file, self.label = file, label or file
        text = without_mark(text)
        self.lines = text.replace("\r\n", "\n").split("\n")
        self._source = text.encode()
        self._bound_keys()
        self.data: dict[str, Any] = self._parse(text)
        tree = tree_sitter.Parser(_language()).parse(self._source)
        try:
            self._places: dict[Path, tuple[Position, Position]] = dict(self._walk(tree.root_node))
        except RecursionError:
            raise self._refused(DEEP, Position(line=1, column=1)) from None

    def _bound_keys(self) -> None:
        dots = [line.count(".") for line in self.lines]
        if max(dots) < MOST_PARTS:
            return
        tree = tree_sitter.Parser(_language()).parse(self._source)
        line = _long_key(tree)
        if line is None and tree.root_node.has_error and max(dots) > _MOST_DOTS:
            line = dots.index(max(dots))
        if line is not None:
            raise self._refused(LONG_KEY, Position(line=line + 1, column=1))

    def _parse(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _PLACE.match(str(error))
            what = found["what"] if found else str(error)
            if found and found["line"]:
                place = Position(line=int(found["line"]), column=int(found["column"]))
            else:
                place = Position(line=len(self.lines), column=len(self.lines[-1]) + 1)
            if twice := _TWICE.match(what) and self._twice(text, place):
                raise twice from None
            raise self._refused(self._begun(what, place), place) from None
        except RecursionError:
            raise self._refused(DEEP, Position(line=1, column=1)) from None
        except ValueError:
            raise self._refused(LONG_NUMBER, Position(line=1, column=1)) from None

    def _begun(self, what: str, end: Position) -> Fault:
        """Return what is wrong, of a list also where it begins if that is another line."""
        fault = said(what)
        if not what.startswith(UNCLOSED):
            return fault
        before = "\n".join(
            (*self.lines[: end.line - 1], self.lines[end.line - 1][: end.column - 1])
        )
        begun = opened(before)
        line = end.line if begun is None else before.count("\n", 0, begun) + 1
        more = f": it begins in line {line}" if line < end.line else ""
        return fault._replace(what=f"{fault.what}{more}")

    def _twice(self, text: str, end: Position) -> Refused | None:
        """Return the refusal of a key or table that is there before; `end` is behind it."""
        root = tree_sitter.Parser(_language()).parse(self._source).root_node
        first: dict[Path, Position] = {}
        found: Path = ()
        place = end
        try:
            for path, (key, value) in self._walk(root):
                ends_there = key.line == end.line and key.column <= end.column
                if ends_there and path in first and isinstance(path[-1], str):
                    # A key has its value behind it; of a table's name the last part counts.
                    found, place = path, key
                    if key != value:
                        break
                first.setdefault(path, key)
        except (RecursionError, tomllib.TOMLDecodeError):  # of what follows
            pass
        if not found:
            return None
        twice = f"`{dotted(found)}` stands twice, first in line {first[found].line}"
        return self._refused(Fault(twice, KEEP_ONE), place)

    def _refused(self, fault: Fault, place: Position) -> Refused:
        return Refused(
            (
                Diagnostic(
                    code="toml-syntax",
                    message=f"not valid TOML: {fault.what}",
                    file=self.file,
                    position=place,
                    text=self.line(place),
                    allowed="TOML 1.0",
                    hint=fault.hint,
                ),
            )
        )

    def at(self, path: Path) -> Any:
        """Return the value at a path that is there."""
        value: Any = self.data
        for part in path:
            value = value[part]
        return value

    def line(self, position: Position) -> str:
        """Return the source line a position is in."""
        return self.lines[position.line - 1] if position.line <= len(self.lines) else ""

    def key(self, path: Path) -> Position | None:
        """Return where the key (or list element) stands, or its nearest ancestor that does."""
        return self._nearest(path, 0)

    def value(self, path: Path) -> Position | None:
        """Return where the value stands, or that of its nearest ancestor."""
        return self._nearest(path, 1)

    def _nearest(self, path: Path, which: int) -> Position | None:
        for end in range(len(path), 0, -1):
            if (place := self._places.get(path[:end])) is not None:
                return place[which]
        return None

    def _position(self, node: tree_sitter.Node) -> Position:
        row, column = node.start_point
        start = node.start_byte - column
        before = self._source[start : node.start_byte].decode(errors="replace")
        return Position(line=row + 1, column=len(before) + 1)

    def _walk(self, root: tree_sitter.Node) -> Iterator[tuple[Path, tuple[Position, Position]]]:
        counts: dict[Path, int] = {}
        for node in root.named_children:
            if node.type == "pair":
                yield from self._pair((), node)
            elif node.type in {"table", "table_array_element"}:
                key = node.named_children[0]
                path: Path = _names(key)
                for end in range(1, len(path)):
                    yield path[:end], (self._position(key), self._position(key))
                if node.type == "table_array_element":
                    counts[path] = counts.get(path, -1) + 1
                    yield path, (self._position(key), self._position(key))
                    path = (*path, counts[path])
                yield path, (self._position(key), self._position(key))
                for child in node.named_children[1:]:
                    if child.type == "pair":
                        yield from self._pair(path, child)

    def _pair(
        self, above: Path, node: tree_sitter.Node
    ) -> Iterator[tuple[Path, tuple[Position, Position]]]:
        parts = [child for child in node.named_children if child.type != "comment"]
        if len(parts) != 2:
            return
        key, value = parts
        names = _names(key)
        place = self._position(key)
        for end in range(1, len(names)):
            yield above + names[:end], (place, place)
        yield from self._value(above + names, value, place)

    def _value(
        self, path: Path, node: tree_sitter.Node, key: Position
    ) -> Iterator[tuple[Path, tuple[Position, Position]]]:
        yield path, (key, self._position(node))
        if node.type == "array":
            elements = [child for child in node.named_children if child.type != "comment"]
            for index, element in enumerate(elements):
                yield from self._value((*path, index), element, self._position(element))
        elif node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    yield from self._pair(path, child)


@cache
def _language() -> tree_sitter.Language:
    return tree_sitter.Language(tree_sitter_toml.language())


def _names(node: tree_sitter.Node) -> tuple[str, ...]:
    """Return the names of a key, unquoted by the parser that also reads the values."""
    found: list[str] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        text = (part.text or b"").decode(errors="replace")
        if part.type == "dotted_key":
            waiting += reversed(part.named_children)
        elif part.type == "quoted_key":
            found += tomllib.loads(f"{text} = 0")
        else:
            found.append(text)
    return tuple(found)
