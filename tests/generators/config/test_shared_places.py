"""A place that many workspaces share is told once, in few words."""

import re

import pytest

from jailoc.generators.config.load import load
from jailoc.generators.config.shared_places import MOST_NAMED, shared_places
from jailoc.model.document import Document
from jailoc.model.host import Host


@pytest.mark.parametrize(
    ("count", "end"),
    [(2, "`w0001`"), (MOST_NAMED + 2, f"`w{MOST_NAMED + 1:04}`"), (MOST_NAMED + 3, "2 others"),
     (3_000, f"{2_999 - MOST_NAMED} others")],
)  # fmt: skip
def test_of_very_many_workspaces_some_are_named_and_the_others_counted(
    count: int, end: str
) -> None:
    text = '[defaults]\nmounts = ["/srv/cache:/cache:rw"]\n'
    text += "".join(f"[workspaces.w{index:04}]\n" for index in range(count))
    machine = Host(home="/home/alice")
    document = Document(text, "config.toml")
    (found,) = shared_places(document, load(document, machine), machine)
    named = re.findall(r"`(w\d+)`", found.message)
    assert found.message.endswith(f" and {end}")
    assert len(named) == min(count, MOST_NAMED + (2 if end.startswith("`") else 1))
    assert named == [f"w{index:04}" for index in range(len(named))]
