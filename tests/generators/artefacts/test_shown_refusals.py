"""What the agent reads of its refusals: the last ones, with the words of the rule that closes."""

import json
from pathlib import Path

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.assets.refusals import Shown
from jailoc.generators.config.load import load
from jailoc.model.document import Document
from jailoc.model.host import Host

CONFIG = """
[workspaces.a]
egress = "allowlist"
denied_networks = ["44.0.0.0/8"]
"""


def test_the_reason_is_that_of_the_rule_which_closes_a_place(tmp_path: Path) -> None:
    machine = Host(home="/home/alice", ipv6=True)
    bundle = compile_workspace(load(Document(CONFIG, "c"), machine), "a", machine)
    for each in bundle.files:
        if each.path.startswith("wall/rules"):
            (tmp_path / each.path.removeprefix("wall/")).write_text(each.text)
    shown = Shown(tmp_path / "refused.json")
    shown.watch(tmp_path)
    seen = {"count": 2, "first": 1, "last": 5}
    shown.write(
        {("10.1.2.3", 6, 22): {**seen, "also": ["db.example.org"]}, ("44.1.1.1", 6, 443): seen,
         ("11.22.33.44", 17, 443): seen, ("8.8.8.8", 17, 53): {**seen, "last": 6},
         ("fd00::1", 58, 0): seen},
        {("x.example.org",): {**seen, "last": 9}},
    )  # fmt: skip
    rows = json.loads((tmp_path / "refused.json").read_text())["refused"]
    assert [rows[0]["to"], rows[1]["to"]] == ["x.example.org", "8.8.8.8"]
    assert {each["to"]: each["rule"] for each in rows} == {
        "x.example.org": "the name is not allowed, so it does not resolve",
        "8.8.8.8": "DNS elsewhere than to the resolvers of the container",
        "10.1.2.3": "private (RFC 1918)",
        "44.1.1.1": "workspaces.a.denied_networks[0]",
        "11.22.33.44": "workspaces.a.egress",
        "fd00::1": "unique local (RFC 4193)",
    }
    assert rows[2]["name"] == "db.example.org"


def test_of_many_the_last_hundred_are_shown(tmp_path: Path) -> None:
    shown = Shown(tmp_path / "refused.json")
    entries = {("10.0.0.1", 6, port): {"count": 1, "last": port} for port in range(1, 500)}
    shown.write(entries, {})
    rows = json.loads((tmp_path / "refused.json").read_text())["refused"]
    assert [each["port"] for each in rows] == [*range(499, 399, -1)]
