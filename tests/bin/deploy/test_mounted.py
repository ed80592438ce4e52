"""Whom a place is shared with is known also of a start that was killed."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jailoc.bin.deploy import halt, made, observe, undo
from jailoc.bin.deploy.snapshots import Store
from jailoc.bin.engine import containers
from jailoc.bin.engine.containers import Container
from jailoc.bin.host import paths, records
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.host import FileKind, Host
from jailoc.model.repository import Placeholder


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Return a path that two workspaces have."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "project"
    (place / ".git").mkdir(parents=True)
    return str(place)


def composed(project: str) -> bytes:
    """Return what is written down of a start with a path."""
    home = "/home/alice"
    machine = Host(home=home, kinds={f"{home}/project": FileKind.DIRECTORY})
    config = load(Document('[workspaces.web]\npaths = ["~/project"]\n', "c"), machine)
    text = compile_workspace(config, "web", machine).compose.model_dump_json()
    data: dict[str, Any] = {"compose": json.loads(text.replace(f"{home}/project", project))}
    return json.dumps(data).encode()


@pytest.mark.parametrize("how", ["done", "begun"])
def test_no_undo_begins_while_another_agent_can_write_there(
    project: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    workspace = SimpleNamespace(name="api")
    store = cast(
        Store, SimpleNamespace(roots=(project,), restic=SimpleNamespace(workspace=workspace))
    )
    monkeypatch.setattr(halt, "agents", lambda _: ("its container",))
    monkeypatch.setattr(containers, "containers", lambda *_: ())
    undo.alone(store)  # control: nobody was started there
    (records.write if how == "done" else records.begin)("web", composed(project))
    assert project in [each.source.text for each in observe.mounted()["web"]]
    with pytest.raises(Refused, match="`web` runs and can write in"):
        undo.alone(store)


def test_a_path_that_a_link_of_ones_own_leads_to_is_shared(
    project: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(containers, "containers", lambda *_: ())
    (tmp_path / "by").symlink_to(tmp_path)
    (tmp_path / "other").mkdir()
    records.write("web", composed(f"{tmp_path}/by/project"))
    assert halt.sharing("api", (project,)) == {"web": project}
    assert halt.sharing("api", (f"{tmp_path}/by",)) == {"web": f"{tmp_path}/by"}
    assert halt.sharing("api", (f"{tmp_path}/other",)) == {}, "control"


def test_an_agent_of_which_nothing_is_written_down_shares_what_the_engine_says(
    project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {
        name: Container(
            id=name, service="opencode", project=f"jailoc-{name}", state="running", health="",
            exit_code=0, ports=(), started="", image="", writable=(project,), directory=directory,
        )
        for name, directory in (("web", str(paths.cache_directory() / "web")),
                                ("theirs", "/home/bob/.cache/jailoc/theirs"))
    }  # fmt: skip
    monkeypatch.setattr(containers, "containers", lambda *_: (*there.values(),))
    assert halt.sharing("api", (project,)) == {"web": project}


def given(*mounts: str) -> bytes:
    """Return what is written down of a start with such mounts."""
    machine = Host(home="/nowhere")
    lines = {"volumes": [each for each in mounts if each.startswith("shared:")]}
    lines["mounts"] = [each for each in mounts if each not in lines["volumes"]]
    text = "".join(f"{key} = {json.dumps(every)}\n" for key, every in lines.items())
    config = load(Document(f"[workspaces.web]\n{text}", "c"), machine)
    compose = compile_workspace(config, "web", machine).compose
    return json.dumps({"compose": json.loads(compose.model_dump_json())}).encode()


@pytest.mark.parametrize(
    ("first", "second", "third", "joined"),
    [
        ("{0}:/p:rw", "/a:/a:rw", "/b:/b:rw", ()),
        ("{0}:/p:rw", "{0}:/p:ro", "/b:/b:rw", ("two",)),
        ("{0}:/p:rw", "/a:/a:rw", "{0}/sub:/p:ro", ("three",)),
        ("{0}:/p:ro", "{0}:/p:ro", "{0}:/p:ro", ()),
    ],
)
def test_who_may_have_been_handed_a_directory_is_joined(
    project: str, monkeypatch: pytest.MonkeyPatch, first: str, second: str, third: str,
    joined: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr(containers, "containers", lambda *_: ())
    for name, mount in (("one", first), ("two", second), ("three", third)):
        records.write(name, given(mount.format(project)))
    assert halt.joined("one", (f"{project}/elsewhere",)) == joined


def test_who_is_joined_to_one_that_is_joined_is_so_too(
    project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "containers", lambda *_: ())
    records.write("one", given(f"{project}:/p:rw"))
    records.write("two", given(f"{project}:/p:ro", "shared:npm:/home/agent/.npm"))
    records.write("three", given("shared:npm:/home/agent/.cache/npm", "/b:/b:rw"))
    records.write("four", given("shared:other:/home/agent/.cache/npm"))
    assert halt.joined("one", (project,)) == ("three", "two")
    assert halt.sharing("one", (project,)) == {}, "neither writes there"


@pytest.mark.parametrize("how", ["done", "begun"])
def test_what_another_one_mounts_is_not_taken_away(project: str, how: str) -> None:
    entry = Placeholder(root=project, path=".git/commondir", text=".\n")
    assert made.make("api", entry)
    data = composed(project).replace(f'"{project}"'.encode(), f'"{entry.place}"'.encode())
    (records.write if how == "done" else records.begin)("web", data)
    made.take_away(Terminal(), "api")
    assert Path(entry.place).exists()
    assert [each.placeholder for each in made.known("web")] == [entry]
    records.record("web").unlink(missing_ok=True)
    records.forget("web")
    made.take_away(Terminal(), "web")
    assert not Path(entry.place).exists(), "control: nobody else mounts it"
