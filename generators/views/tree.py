"""The picture of a sandbox as a tree for a terminal."""

from collections.abc import Iterator

from jailoc.model.diagram import Diagram, Node, NodeKind, Side, Way
from jailoc.model.text import visible

_MARKS = {
    Way.READ: "ro",
    Way.WRITE: "rw",
    Way.OPEN: "\u2500\u25b6 open",
    Way.CLOSED: "\u2500\u2715 closed",
}
_FORK, _END, _STEM = "\u251c\u2500", "\u2514\u2500", "\u2502"
_MARGIN = 6
"""Columns of the branches."""
Row = tuple[str, str, str, str]
"""How, where, through what door, and why; how is empty where a row goes on with the one above."""


def tree(diagram: Diagram, columns: int | None = None) -> str:
    """Write a picture as lines: every container, what is mounted in it, what it reaches.

    Args:
        diagram: What is drawn.
        columns: Of the terminal; rows that are wider in columns of their own stand without them.
    """
    lines = [f"{diagram.title}: one network namespace, no way out but through the wall"]
    services = diagram.on(Side.SANDBOX)
    for service in services:
        last = service is services[-1]
        lines.append(f"{_END if last else _FORK} {' - '.join(service.lines)}")
        rows = list(_rows(diagram, service))
        cells = _aligned(rows)
        if columns is not None and any(_MARGIN + len(each) > columns for _, each in cells):
            cells = list(_narrow(rows, columns - _MARGIN))
        end = max((index for index, (first, _) in enumerate(cells) if first), default=0)
        for index, (first, text) in enumerate(cells):
            more = index < end
            turn = (_FORK if more else _END) if first else (f"{_STEM} " if more else "  ")
            lines.append(f"{'  ' if last else f'{_STEM} '} {turn} {text}")
    return "".join(f"{visible(line)}\n" for line in lines)


def _aligned(rows: list[Row]) -> list[tuple[bool, str]]:
    """Return rows in columns, each with whether it begins something."""
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    found = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        found.append((bool(row[0]), "  ".join((*cells, row[3])).rstrip()))
    return found


def _narrow(rows: list[Row], room: int) -> Iterator[tuple[bool, str]]:
    """Yield rows without columns; why stands below where it has no room."""
    for row in rows:
        text, why = "  ".join(filter(None, row[:3])), row[3]
        if why and len(text) + 2 + len(why) > room:
            yield bool(row[0]), text
            yield False, f"  {why}"
        else:
            yield bool(row[0]), f"{text}  {why}".rstrip()


def _rows(diagram: Diagram, service: Node) -> Iterator[Row]:
    """Yield how, where, through what door, and why, of everything around a container."""
    for each in diagram.edges:
        if each.way is Way.BEHIND or service.key not in {each.source, each.target}:
            continue
        other = diagram.node(each.target if each.source == service.key else each.source)
        because = f"because of {each.because}" if each.because else ""
        if other.kind is NodeKind.CLIENT:
            yield "\u25c0\u2500 open", other.lines[0], each.label, because
            continue
        door = each.label if other.kind is NodeKind.PLACE else ""
        lines = [line.replace("\t", " ") for line in other.lines]
        if len(lines) == 2 and lines[1].startswith(("as ", "at ")):
            lines = [" ".join(lines)]
        yield _MARKS[each.way], lines[0], door, because
        for line in lines[1:]:
            yield "", f"  {line}", "", ""
