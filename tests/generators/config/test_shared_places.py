"""A place that many workspaces share is told once, in few words."""

import re

import pytest

from jailoc.generators.config.load import load
from jailoc.generators.config.shared_places import MOST_NAMED, shared_places
from jailoc.model.document import Document
from jailoc.model.host import FileKind, Host


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


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize(
    ("entry", "trust", "told"),
    [
        ('mounts = ["~/.agents:/home/agent/.agents:rw"]', "", ".agents"),
        ('mounts = ["~/.agents:/elsewhere:rw"]', "", ".agents"),
        ('paths = ["~/.agents/skills"]', "~/.agents", ".agents/skills"),
        ('mounts = ["~/.agents:/elsewhere:ro"]', "", None),
    ],
)
def test_who_writes_what_every_other_sandbox_reads_is_told(
    entry: str, trust: str, told: str | None, names: tuple[str, str]
) -> None:
    """A built-in mount that is read-only joins its agent as well, whoever comes first."""
    writer, reader = names
    machine = Host(home="/home/alice", kinds={"/home/alice/.agents": FileKind.DIRECTORY})
    text = f'trust = ["{trust}"]\n' if trust else ""
    text += f"[workspaces.{writer}]\n{entry}\n[workspaces.{reader}]\n"
    document = Document(text, "config.toml")
    found = [each.message for each in shared_places(document, load(document, machine), machine)]
    said = f"`/home/alice/{told}` can be written by `{writer}` and is seen by `{reader}`"
    assert found == ([said] if told else [])


def test_nobody_is_joined_to_another_by_what_all_may_only_read() -> None:
    machine = Host(home="/home/alice", kinds={"/home/alice/.agents": FileKind.DIRECTORY})
    for text in ("[workspaces.a]\n[workspaces.b]\n",
                 '[workspaces.a]\nmounts = ["~/.agents:/elsewhere:rw"]\n'):  # fmt: skip
        document = Document(text, "config.toml")
        assert not [*shared_places(document, load(document, machine), machine)]
