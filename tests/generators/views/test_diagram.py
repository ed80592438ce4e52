"""Pictures of sandboxes: they show what is compiled, and no text in them is anything but text."""

import html
import ipaddress
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load
from jailoc.generators.config.resolve import names
from jailoc.generators.runtime.explain import opened
from jailoc.generators.views.diagram import ALL, draw, flowchart, label, mermaid
from jailoc.generators.views.svg import svg
from jailoc.generators.views.tree import tree
from jailoc.model.compose import Bind
from jailoc.model.diagram import Diagram, Way
from jailoc.model.text import visible
from tests.golden.test_golden import CASES, GOLDEN, document_of, host_of
from tests.strategies import HOST, NASTY, Value, bundle_of, config_of, configs, hostile, toml

ROOT = Path(__file__).parents[3]
TEXT = r'"(?P<text>(?:[^"#<>&`%{}\\$|\n]|#\d{1,7};|<br/>)*)"'
"""A quoted label without any character that Mermaid reads as more than itself."""
GRAMMAR = (
    re.compile(r"flowchart LR"),
    re.compile(rf"  subgraph (host|sandbox|network)\[{TEXT}\]"),
    re.compile(rf"    (?P<node>n\d+)\[{TEXT}\]"),
    re.compile(r"  end"),
    re.compile(rf"  (?P<one>n\d+) (-->|<-->|==>|-\.-x)\|{TEXT}\| (?P<two>n\d+)"),
    re.compile(r"  classDef [a-z]+ [a-z0-9#,:-]+"),
    re.compile(r"  class (n\d+)(,n\d+)* [a-z]+"),
)
HOSTILE = toml({"a": {
    "paths": [f"/data/{each}" for each in NASTY if "/" not in each and each not in {"..", "."}],
    "mounts": ["/m'n/\"<b>&x</b>:/mnt/]]>--><script>"],
    "allowed_hosts": ["*.a.test", "_b.test:443", "x--y.test"], "image": "x",
}})  # fmt: skip


def test_what_is_denied_and_what_is_published_is_in_the_picture() -> None:
    table: dict[str, Value] = {
        "denied_networks": ["10.9.0.0/16", "10.8.0.0/16:22"], "denied_hosts": ["evil.test"],
        "ports": ["3000", "8080:80", "5173-5175"], "volumes": ["npm:~/.npm"],
    }  # fmt: skip
    text = tree(draw(bundle_of(toml({"a": table}), "a")))
    for words in ("evil.test", "10.9.0.0/16", "10.8.0.0/16 port 22", "volume npm at",
                  "127.0.0.1, ports 3000, 5173-5175, 8080:80"):  # fmt: skip
        assert words in text


def test_a_tree_fits_a_terminal_and_is_in_columns_where_there_is_room() -> None:
    diagram = draw(bundle_of(toml({"a": {"paths": ["/srv/" + 30 * "x"]}}), "a"))
    assert max(map(len, tree(diagram).splitlines())) > 80
    assert tree(diagram, 200) == tree(diagram)
    narrow = tree(diagram, 80).splitlines()
    assert max(map(len, narrow)) <= 80
    assert "\u2502  \u2502    because of built-in" in narrow


def decoded(text: str) -> list[str]:
    """Return the lines of a label as they are shown."""
    return [
        re.sub(r"#(\d+);", lambda match: chr(int(match[1])), line) for line in text.split("<br/>")
    ]


def read(text: str) -> tuple[dict[str, list[str]], int]:
    """Read a flowchart by a strict grammar: the lines of every node, and how many edges."""
    nodes: dict[str, list[str]] = {}
    ends: list[str] = []
    assert text.endswith("\n")
    for line in text.removesuffix("\n").split("\n"):
        matches = [match for each in GRAMMAR if (match := each.fullmatch(line))]
        assert len(matches) == 1, line
        found = matches[0].groupdict()
        if found.get("node"):
            assert found["node"] not in nodes
            nodes[found["node"]] = decoded(found["text"])
        if found.get("one"):
            ends += [found["one"], found["two"]]
    assert set(ends) == nodes.keys(), "every node has an edge, and every edge two nodes"
    return nodes, len(ends) // 2


def check_flowchart(diagram: Diagram) -> None:
    nodes, edges = read(flowchart(diagram))
    wanted = {each.key: [visible(line) for line in each.lines] for each in diagram.nodes}
    assert (nodes, edges) == (wanted, len(diagram.edges))


def check_svg(diagram: Diagram) -> None:
    root = ET.fromstring(svg(diagram))  # noqa: S314 -- our own, and the test is that it parses
    tags = {each.tag.removeprefix("{http://www.w3.org/2000/svg}") for each in root.iter()}
    assert tags <= {"svg", "title", "defs", "marker", "path", "rect", "text", "g"}
    keys = {key for each in root.iter() for key in each.attrib}
    assert not [each for each in keys if each.startswith("on") or "href" in each]
    shown = {each.text for each in root.iter() if each.tag.endswith(("text", "title"))}
    for node in diagram.nodes:
        for line in node.lines:
            clean = visible(line).replace("\t", " ")
            assert any(clean in (text or "") for text in shown), "whole, or in the tooltip"
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = [
        tuple(float(each.attrib[key]) for key in ("x", "y", "width", "height"))
        for each in root.iter("{http://www.w3.org/2000/svg}rect") if "x" in each.attrib
    ]  # fmt: skip
    assert len(boxes) == len(diagram.nodes)
    for index, (x, y, wide, high) in enumerate(boxes):
        assert x >= 0 <= y
        assert (x + wide <= width, y + high <= height) == (True, True)
        for x2, y2, wide2, high2 in boxes[:index]:
            apart = x + wide < x2 or x2 + wide2 < x or y + high < y2 or y2 + high2 < y
            assert apart, "two boxes cover each other"


def check_terminal(diagram: Diagram) -> None:
    text = tree(diagram)
    bars = str.maketrans("", "", "\u2502\u251c\u2514\u2500")
    assert tree(diagram, 60).translate(bars).split() == text.translate(bars).split()
    assert all(each.isprintable() or each in "\n\t" for each in text)
    for node in diagram.nodes:
        assert all(visible(line.replace("\t", " ")) in text for line in node.lines)


@given(configs)
def test_a_picture_of_anything_that_loads_is_well_formed_and_always_the_same(written: str) -> None:
    config = config_of(written)
    for name in config.workspaces:
        bundle = compile_workspace(config, name, HOST)
        diagram = draw(bundle, ALL)
        assert draw(bundle, ALL) == diagram
        check_flowchart(diagram)
        check_svg(diagram)
        check_terminal(diagram)


@given(hostile)
def test_a_label_is_text_whatever_it_says(text: str) -> None:
    written = label([text])
    assert re.fullmatch(TEXT, f'"{written}"')
    assert decoded(written) == [visible(text)]


@pytest.mark.parametrize(
    "text",
    ['"]; click n0 "javascript:x"', "%%{init: {}}%%", "`**bold**`", "- item", "fa:fa-bomb", "$$x$$",
     "a<br/>b", "end", "#quot;", "n0 --> n1", "\\n", "&lt;", "x_y_ _z_", "*a* *b*", "a:::closed"],
)  # fmt: skip
def test_what_mermaid_would_read_as_more_is_coded(text: str) -> None:
    written = label([text])
    assert decoded(written) == [text]
    assert not re.search(r'["%{}`<>$\\*]|^-|fa:fa-|::|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])', written)


def test_hostile_paths_stay_inside_their_boxes() -> None:
    diagram = draw(bundle_of(HOSTILE, "a"), ALL)
    check_flowchart(diagram)
    check_svg(diagram)
    check_terminal(diagram)
    assert "<script>" not in svg(diagram)
    assert html.escape("<script>") in svg(diagram)


@pytest.mark.parametrize("case", CASES)
def test_every_mount_of_the_agent_is_in_the_picture_with_its_mode(case: str) -> None:
    host = host_of(GOLDEN / case)
    config = load(document_of(GOLDEN / case), host)
    for name in names(config):
        bundle = compile_workspace(config, name, host)
        diagram = draw(bundle, ALL)
        shown = {
            (line.removesuffix(" "), each.way.value)
            for each in diagram.edges
            for line in (
                *diagram.node(each.source).lines,
                " ".join(diagram.node(each.source).lines),
            )
        }
        for mount in bundle.compose.services["opencode"].mounts:
            if isinstance(mount, Bind) and not mount.source.text.startswith(bundle.directory):
                source, target = mount.source.text, mount.target.text
                text = source if source == target else f"{source} as {target}"
                assert (text, mount.mode.value) in shown


@pytest.mark.parametrize("egress", ["public", "allowlist", "none"])
def test_the_picture_says_of_the_internet_what_the_rules_say(egress: str) -> None:
    bundle = bundle_of(toml({"a": {"egress": egress, "image": "x"}}), "a")
    diagram = draw(bundle)
    (edge,) = [each for each in diagram.edges
               if diagram.node(each.target).lines == ("the public internet",)]  # fmt: skip
    open_ = opened(bundle.firewall, ipaddress.ip_network("1.2.3.4/32"), None)
    assert (edge.way is Way.OPEN) is open_ is (egress == "public")
    resolvers = [each for each in diagram.nodes if each.lines == ("the wall's resolver",)]
    assert len(resolvers) == (egress != "none")


def test_what_is_allowed_is_shown_with_its_ports_its_last_day_and_its_entry() -> None:
    text = """
[workspaces.a]
image = "x"
expose_port = false
host_ports = [5432, 6379]
allowed_hosts = [{ to = "git.example.com", ports = [22, 443] }, "10.0.0.7:80"]
allowed_networks = [{ to = "10.1.0.0/16", until = 2099-01-31 }]
"""
    diagram = draw(bundle_of(text, "a"))
    found = {diagram.node(each.target).lines[0]: (each.label, each.because)
             for each in diagram.edges if each.way is Way.OPEN}  # fmt: skip
    assert found == {
        "git.example.com": ("ports 22, 443", "workspaces.a.allowed_hosts[0]"),
        "10.0.0.7": ("port 80", "workspaces.a.allowed_hosts[1]"),
        "10.1.0.0/16 until 2099-01-31": ("every port", "workspaces.a.allowed_networks[0]"),
        "this machine": ("ports 5432, 6379", "host_ports"),
        "the wall's resolver": ("any name", "DNS"),
        "the public internet": ("every port", "public"),
    }


def test_what_an_allow_has_opened_is_not_called_closed() -> None:
    whole = toml({"a": {"image": "x", "allowed_networks": ["192.168.0.0/16", "10.0.0.0/9"]}})
    (closed,) = [each for each in draw(bundle_of(whole, "a"), ALL).nodes
                 if each.lines[0] == "every other address"]  # fmt: skip
    assert "private (RFC 1918)" in closed.lines, "half of 10.0.0.0/8 and 172.16.0.0/12 are"
    assert "loopback (RFC 1122)" not in closed.lines, "the sandbox itself"


def test_a_picture_of_a_thousand_allows_is_still_a_picture() -> None:
    many = [f"10.{index // 250}.{index % 250}.0/24" for index in range(1000)]
    bundle = bundle_of(toml({"a": {"image": "x", "allowed_networks": many}}), "a")
    diagram = draw(bundle)
    assert len(diagram.nodes) < 50
    assert any("988 more allowed places" in each.lines for each in diagram.nodes)
    assert tree(draw(bundle, ALL)).count("/24") == 1000
    read(mermaid(bundle))


MARK = re.compile(r"(<!-- graph of golden/(\S+) (\S+) -->\n```mermaid\n)(.*?)(```\n)", re.DOTALL)


def test_the_picture_in_the_documentation_is_the_one_that_is_drawn(update_golden: bool) -> None:
    page = ROOT / "docs/explanation/architecture.md"
    text = page.read_text(encoding="utf-8")
    match = MARK.search(text)
    assert match
    case = GOLDEN / match[2]
    host = host_of(case)
    drawn = mermaid(compile_workspace(load(document_of(case), host), match[3], host))
    if update_golden:
        page.write_text(text[: match.start(4)] + drawn + text[match.end(4) :], encoding="utf-8")
    else:
        assert match[4] == drawn, "to accept: bin/test --fast --update-golden"
