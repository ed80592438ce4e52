"""Write a picture of a sandbox as SVG 1.1: three columns, host, sandbox and network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jailoc.generators.views.diagram import look
from jailoc.model.diagram import Diagram, Edge, Node, Side, Way
from jailoc.model.text import visible

CHAR, LINE, PADDING, GAP, BETWEEN, MARGIN = 7.3, 17, 10, 12, 170, 24
"""Pixels: a character of 12px monospace, a line, inside and between boxes, between columns."""
LONGEST = 56
"""Characters of a line; what is longer loses its middle, and is whole in the tooltip."""
HEAD = 3 * MARGIN
_FILL = {
    "open": ("#dafbe1", "#1a7f37"), "closed": ("#ffebe9", "#cf222e"), "rw": ("#fff8c5", "#9a6700"),
    "ro": ("#f6f8fa", "#57606a"), "wall": ("#ddf4ff", "#0969da"),
}  # fmt: skip
_STROKE = {
    Way.READ: "#57606a", Way.WRITE: "#9a6700", Way.OPEN: "#1a7f37", Way.CLOSED: "#cf222e",
    Way.BEHIND: "#0969da",
}  # fmt: skip
_TITLES = {Side.HOST: "this machine", Side.SANDBOX: "sandbox", Side.NETWORK: "network"}


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def svg(diagram: Diagram) -> str:
    """Draw a picture; text of others can only be text in it."""
    boxes, width, height = _place(diagram)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="ui-monospace, DejaVu Sans Mono, monospace" font-size="12">',
        f"<title>{escape(diagram.title)}</title>",
        _markers(),
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        _text(MARGIN, 1.3 * MARGIN, diagram.title, "#1f2328", "bold"),
    ]
    for side, title in _TITLES.items():
        left = min((boxes[each.key].x for each in diagram.on(side)), default=MARGIN)
        body.append(_text(left, HEAD - 14, title, "#57606a"))
    body += _edges(diagram, boxes)
    body += [_node(diagram, each, boxes[each.key]) for each in diagram.nodes]
    return "\n".join([*body, "</svg>", ""])


def escape(text: str) -> str:
    """Write text as XML 1.0 character data, or as a value in double quotes."""
    safe = visible(text).replace("\t", " ")
    for char, entity in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        safe = safe.replace(char, f"&{entity};")
    return safe


def short(text: str) -> str:
    """Take the middle out of a line that is too long."""
    half = (LONGEST - 1) // 2
    return text if len(text) <= LONGEST else f"{text[:half]}\u2026{text[-half:]}"


def _size(diagram: Diagram, node: Node) -> tuple[float, float]:
    longest = max(len(short(line)) for line in node.lines)
    height = len(node.lines) * LINE + 2 * PADDING - 4
    if node.side is Side.SANDBOX:
        # As high as what meets there needs.
        ends = ([each.source for each in diagram.edges], [each.target for each in diagram.edges])
        height = max(height, 9 * max(side.count(node.key) for side in ends))
    return longest * CHAR + 2 * PADDING, height


def _place(diagram: Diagram) -> tuple[dict[str, _Box], float, float]:
    """Give every node its box: columns side by side, each centred on the highest."""
    columns = [diagram.on(side) for side in Side]
    heights = [sum(_size(diagram, each)[1] + GAP for each in column) - GAP for column in columns]
    # The containers stand apart, for what is written between them.
    heights[1] += 2 * GAP * (len(columns[1]) - 1)
    highest = max(heights)
    boxes: dict[str, _Box] = {}
    x: float = MARGIN
    for index, column in enumerate(columns):
        width = max((_size(diagram, each)[0] for each in column), default=0)
        y = HEAD + (highest - heights[index]) / 2
        for each in column:
            boxes[each.key] = _Box(x, y, width, _size(diagram, each)[1])
            y += _size(diagram, each)[1] + GAP * (3 if index == 1 else 1)
        x += width + BETWEEN
    return boxes, x - BETWEEN + MARGIN, HEAD + highest + MARGIN


def _markers() -> str:
    found = [
        f'<marker id="{way.value}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto-start-reverse"><path d="'
        f'{"M1 1L7 7M7 1L1 7" if way is Way.CLOSED else "M0 0L8 4L0 8z"}" '
        f'fill="{"none" if way is Way.CLOSED else _STROKE[way]}" stroke="{_STROKE[way]}"/></marker>'
        for way in Way
    ]
    return f"<defs>{''.join(found)}</defs>"


def _edges(diagram: Diagram, boxes: Mapping[str, _Box]) -> Iterator[str]:
    """Draw the edges; those that meet at one side of a box share its height among them."""
    meeting: dict[tuple[str, bool], list[int]] = {}
    across = [each for each in diagram.edges if each.way is not Way.BEHIND]
    for index, each in enumerate(across):
        meeting.setdefault((each.source, True), []).append(index)
        meeting.setdefault((each.target, False), []).append(index)
    for index, each in enumerate(across):
        source, target = boxes[each.source], boxes[each.target]
        start = _at(source, meeting[each.source, True], index)
        end = _at(target, meeting[each.target, False], index)
        # Several ways from one thing are of one sort.
        labelled = index == meeting[each.source, True][0] or each.way in {Way.OPEN, Way.CLOSED}
        yield _curve(each, source.x + source.width, start, target.x, end, labelled)
    for each in diagram.edges:
        if each.way is Way.BEHIND:
            yield _down(each, boxes)


def _at(box: _Box, indices: list[int], index: int) -> float:
    return box.y + box.height * (indices.index(index) + 1) / (len(indices) + 1)


def _curve(edge: Edge, x: float, y: float, to_x: float, to_y: float, labelled: bool) -> str:
    half = (x + to_x) / 2
    begin = f' marker-start="url(#{edge.way.value})"' if edge.way is Way.WRITE else ""
    dashes = ' stroke-dasharray="5 4"' if edge.way is Way.CLOSED else ""
    # The label stands where the edges of a box are furthest apart.
    host = edge.way in {Way.READ, Way.WRITE} or edge.label.startswith("127.")
    place, anchor = (x + 8, "start") if host else (to_x - 12, "end")
    level = (y if host else to_y) - 4
    return (
        f'<path d="M{x:.1f} {y:.1f}C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"'
        f' fill="none" stroke="{_STROKE[edge.way]}"{dashes}{begin}'
        f' marker-end="url(#{edge.way.value})">{_tooltip(edge.because)}</path>'
        + (_text(place, level, edge.label, _STROKE[edge.way], anchor=anchor) if labelled else "")
    )


def _down(edge: Edge, boxes: Mapping[str, _Box]) -> str:
    """Draw what stands behind the wall, past what stands between them."""
    source, target = boxes[edge.source], boxes[edge.target]
    x = source.x + source.width - 12 if source.y + source.height + 4 * GAP < target.y else (
        source.x + source.width / 2)  # fmt: skip
    return (
        f'<path d="M{x:.1f} {source.y + source.height:.1f}L{x:.1f} {target.y:.1f}" fill="none" '
        f'stroke="{_STROKE[edge.way]}" marker-end="url(#{edge.way.value})"/>'
    )


def _node(diagram: Diagram, node: Node, box: _Box) -> str:
    fill, stroke = _FILL[look(diagram, node)]
    lines = "".join(
        _text(box.x + PADDING, box.y + PADDING + 9 + index * LINE, short(line), "#1f2328")
        for index, line in enumerate(node.lines)
    )
    cut = [line for line in node.lines if short(line) != line]
    return (
        f'<g>{_tooltip("; ".join(cut))}<rect x="{box.x:.1f}" y="{box.y:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" rx="5" fill="{fill}" '
        f'stroke="{stroke}"/>{lines}</g>'
    )


def _tooltip(text: str | None) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


def _text(
    x: float, y: float, text: str, color: str, weight: str = "normal", anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-weight="{weight}" '
        f'text-anchor="{anchor}" stroke="#ffffff" stroke-width="{0 if weight == "bold" else 3}" '
        f'paint-order="stroke" xml:space="preserve">{escape(text)}</text>'
    )
