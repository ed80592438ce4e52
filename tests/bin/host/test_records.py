"""What a sandbox was started with outlasts the cache, and moves there from where it was."""

import json
import shutil
from pathlib import Path

import pytest

from jailoc.bin.config.changeable import Recorded, starter
from jailoc.bin.deploy import observe
from jailoc.bin.host import bind_mounts, paths, records
from jailoc.bin.host.records import APPLIED


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, Path]:
    """Return the cache, and what an agent is given."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "project").mkdir()
    cache = paths.cache_directory()
    cache.mkdir(parents=True)
    return cache, tmp_path / "project"


def started(path: Path) -> bytes:
    mount = {"source": {"text": str(path)}, "mode": "rw"}
    return json.dumps({"compose": {"services": {"opencode": {"mounts": [mount]}}}}).encode()


def test_a_cleared_cache_does_not_make_an_agents_place_unknown(places: tuple[Path, Path]) -> None:
    cache, project = places
    program = str(project / "bin/git")
    assert not Recorded()(program), "control: nobody was started there"
    records.write("api", started(project))
    shutil.rmtree(cache)
    assert Recorded()(program)
    assert observe.recorded() == ("api",)


def test_an_agents_place_is_known_by_whatever_mount_it_is_called(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program is run, and no file read, that lies in it by `mount --bind`."""
    _, project = places
    table = project.parent / "mountinfo"
    rows = (
        "22 1 8:1 / / rw - ext4 /dev/a rw\n",
        f"31 22 8:1 {project} /srv/seen rw - ext4 /dev/a rw\n",
    )
    monkeypatch.setattr(bind_mounts, "TABLE", table)
    records.write("api", started(project))
    table.write_text(rows[0])
    assert (Recorded()("/srv/seen/git"), starter("/srv/seen/c.toml")) == (False, None), "control"
    table.write_text("".join(rows))
    assert (Recorded()("/srv/seen/git"), starter("/srv/seen/c.toml")) == (True, "api")
    assert not Recorded()("/srv/seen-not/git")
    records.write("api", started(Path("/srv/seen/sub")))
    assert (Recorded()(str(project / "sub/git")), Recorded()(str(project / "git"))) == (True, False)


def test_what_was_in_the_cache_moves_and_the_later_one_counts(places: tuple[Path, Path]) -> None:
    cache, project = places
    new = paths.state_directory() / f"api{APPLIED}"
    new.parent.mkdir(parents=True)
    new.write_bytes(started(project / "before"))
    # An earlier version has started it again meanwhile, and another workspace, too.
    (cache / f"api{APPLIED}").write_bytes(started(project))
    (cache / f"web{APPLIED}").write_bytes(started(project))
    assert records.every() == (new, records.record("web"))
    assert new.read_bytes() == started(project)
    assert [each.stat().st_mode & 0o777 for each in records.every()] == [0o600, 0o600]
    assert not list(cache.iterdir())


def test_what_lies_in_another_cache_replaces_nothing(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent may write there, which is known only later."""
    _, project = places
    records.write("api", b"{}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / ".cache"))
    forged = project / f".cache/jailoc/api{APPLIED}"
    forged.parent.mkdir(parents=True)
    forged.write_bytes(b'{"forged": 1}')
    assert records.record("api").read_bytes() == b"{}"
    assert forged.exists()


def test_what_cannot_be_moved_is_not_passed_over(places: tuple[Path, Path]) -> None:
    cache, project = places
    (cache / f"api{APPLIED}").write_bytes(started(project))
    paths.state_directory().parent.mkdir(parents=True)
    paths.state_directory().write_text("no directory can be made here")
    with pytest.raises(OSError, match=r"share/jailoc"):
        Recorded()(str(project / "bin/git"))
    assert (cache / f"api{APPLIED}").exists()


def test_what_a_start_has_begun_with_counts_until_it_is_done(places: tuple[Path, Path]) -> None:
    cache, project = places
    program = str(project / "bin/git")
    assert not Recorded()(program), "control: nobody was started there"
    records.begin("api", started(project))
    assert Recorded()(program)
    assert records.known("api")
    assert not records.known("web")
    records.write("api", started(cache / "elsewhere"))
    assert Recorded()(program), "a change of the rules is no new start"
    records.forget("api")
    assert not Recorded()(program)
