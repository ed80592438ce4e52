"""From where a task's clone takes objects."""

import json
from pathlib import Path

import pytest

from jailoc.bin.config import clone_source
from jailoc.bin.host.records import APPLIED
from jailoc.model.diagnostic import Refused
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.sandbox import AGENT
from tests.engine import world


def test_no_agent_chooses_of_which_repository_objects_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with world.home("objects") as user:
        chosen(user.home, monkeypatch)


def chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    project, other = home / "project", home / "other/.git/objects"
    info = project / ".git/objects/info"
    for each in (info, other, home / "data/jailoc"):
        each.mkdir(parents=True)
    (info / "alternates").write_text(f"{other}\n")
    host = Host(home=str(home))

    def started(*mounts: tuple[Path, Mode]) -> None:
        given = [{"source": {"text": str(place)}, "mode": mode.value} for place, mode in mounts]
        record = {"compose": {"services": {AGENT: {"mounts": given}}}}
        (home / f"data/jailoc/a{APPLIED}").write_text(json.dumps(record))

    # Controls: no agent was there; it was, and could not write the file.
    assert clone_source.source(str(project), host) == (
        (str(project / ".git"),),
        (str(other),),
        False,
    )
    started((project, Mode.READ_WRITE), (info / "alternates", Mode.READ_ONLY))
    assert clone_source.source(str(project), host) == (
        (str(project / ".git"),),
        (str(other),),
        False,
    )
    started((project, Mode.READ_WRITE))
    with pytest.raises(Refused, match="came while an agent could write it"):
        clone_source.source(str(project), host)


def test_no_agent_leads_what_a_clone_is_made_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with world.home("led") as user:
        led(user.home, monkeypatch)


def led(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    info, other = home / "src/a/.git/objects/info", home / "src/b/.git"
    for each in (info, other / "objects", home / "private/.git/objects", home / "data/jailoc"):
        each.mkdir(parents=True)
    (home / "ways").symlink_to(home / "src")
    (info / "alternates").write_text(f"{home}/ways/b/.git/objects\n")
    project, place, host = f"{home}/src/a", f"{home}/ways/b/.git/objects", Host(home=str(home))
    given = [
        {"source": {"text": f"{home}/src/a"}, "mode": "rw"},
        {"source": {"text": f"{info}/alternates"}, "mode": "ro"},
        {"source": {"text": f"{home}/src/b"}, "mode": "rw"},
    ]
    record = {"compose": {"services": {AGENT: {"mounts": given}}}}
    (home / f"data/jailoc/a{APPLIED}").write_text(json.dumps(record))
    # Controls: the user's own link on the way; and one in the place of the directory, of nobody's.
    assert clone_source.source(project, host) == ((f"{project}/.git",), (place,), False)
    (other / "objects").rmdir()
    (other / "objects").symlink_to(home / "private/.git/objects")
    with pytest.raises(Refused, match="an agent decides where a link on the way"):
        clone_source.source(project, host)
    (home / f"data/jailoc/a{APPLIED}").unlink()
    assert clone_source.source(project, host) == ((f"{project}/.git",), (place,), False)


def test_no_agent_says_which_repository_is_cloned(monkeypatch: pytest.MonkeyPatch) -> None:
    with world.home("named") as user:
        home = user.home
        monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
        for each in ("disk/p/mine/.git/objects", "private/.git/objects", "data/jailoc"):
            (home / each).mkdir(parents=True)
        (home / "p").symlink_to(home / "disk/p")
        given = [{"source": {"text": f"{home}/p"}, "mode": "rw"}]
        record = {"compose": {"services": {AGENT: {"mounts": given}}}}
        (home / f"data/jailoc/a{APPLIED}").write_text(json.dumps(record))
        project, host = f"{home}/p/mine", Host(home=str(home))
        assert clone_source.source(project, host) == ((f"{project}/.git",), (), False), (
            "the user's own link is one"
        )
        (home / "p/mine").rename(home / "p/away")
        (home / "p/mine").symlink_to(home / "private")
        with pytest.raises(Refused, match="where the agent of workspace `a` could put it"):
            clone_source.source(project, host)
