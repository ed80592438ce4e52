"""What lies between a mount's place and that of the mount that it is in."""

import posixpath
import time
from pathlib import Path
from typing import Any

import pytest

from jailoc.bin.deploy import halt, ways
from jailoc.bin.deploy.ways import MountWay
from jailoc.bin.engine import container_list, containers, startup
from jailoc.bin.engine.container_list import Listed
from jailoc.bin.engine.startup import MountPoint
from jailoc.model.diagnostic import Refused
from jailoc.model.sandbox import AGENT


def test_of_very_many_covers_each_is_looked_at_soon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A workspace of two thousand repositories; all at once took minutes."""
    covers = [
        MountPoint("bind", f"/p/repo{number}/.git/{name}", "/cover")
        for number in range(2_000) for name in "abcdefghij"
    ]  # fmt: skip
    inner = MountPoint("bind", "/p/repo7/.git/a/deep", "/cover")
    every = (*covers, inner, MountPoint("bind", "/p", str(tmp_path)))
    monkeypatch.setattr(startup, "mounts", lambda _: every)
    begun = time.monotonic()
    ways.check(ways.of("container"), "image")
    assert time.monotonic() - begun < 10
    (tmp_path / "repo7").symlink_to("/etc")
    with pytest.raises(Refused) as refused:
        ways.check(ways.of("container"), "image")
    assert len(refused.value.diagnostics) == 10


def test_the_innermost_mount_around_it_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for each in ("outer/in", "inner/deep"):
        (tmp_path / each).mkdir(parents=True)
    every = tuple(
        MountPoint("bind", place, str(tmp_path / source))
        for place, source in (("/p/in/deep/x", "x"), ("/p/in", "inner"), ("/p", "outer"))
    )
    monkeypatch.setattr(startup, "mounts", lambda _: every)
    (tmp_path / "outer/in/deep").symlink_to("/etc")
    ways.check(ways.of("container"), "image")
    (tmp_path / "inner/deep/x").symlink_to("/etc")
    with pytest.raises(Refused, match="inner/deep/x"):
        ways.check(ways.of("container"), "image")


def agent(name: str, *mounts: tuple[str, bool], state: str = "running") -> dict[str, Any]:
    """Return what the engine says of one; of each mount its source, and whether it can write."""
    return {
        "Id": name, "Image": "sha256:1", "Config": {"Image": "x", "Labels": {
            "com.docker.compose.project": f"jailoc-{name}", "com.docker.compose.service": AGENT}},
        "State": {"Status": state, "ExitCode": 0, "StartedAt": ""},
        "NetworkSettings": {"Ports": {}},
        "Mounts": [{"Type": "bind", "Destination": "/d", "RW": writes, "Source": source}
                   for source, writes in mounts],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mounts", "moves"),
    [
        ([("{}", True)], True),
        ([("{}/vendor/deep", True)], True),
        ([("{}/../by", True)], True),
        ([("{}", False)], False),
        ([("{}/vendor/deep/lib", True)], False),
        ([("{}/other", True)], False),
        ([("{}-other", True)], False),
        ([], False),
    ],
)
def test_who_can_change_a_way_is_found(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    mounts: list[tuple[str, bool]],
    moves: bool,
) -> None:
    top = tmp_path / "project"
    (top / "vendor/deep/lib").mkdir(parents=True)
    (tmp_path / "by").symlink_to(top)
    given = [(posixpath.normpath(source.format(top)), writes) for source, writes in mounts]
    every = [agent("web", *given), agent("own", *given), agent("idle", *given, state="paused")]
    listed = tuple(Listed(each["Id"], "", AGENT, f"jailoc-{each['Id']}", "") for each in every)
    monkeypatch.setattr(container_list, "listed", lambda: listed)
    monkeypatch.setattr(
        containers, "inspected",
        lambda there: [each for each in every if each["Id"] in {one.id for one in there}],
    )  # fmt: skip
    found = (MountWay(MountPoint("bind", "/p", str(top)), "/p/vendor/deep/lib"),)
    monkeypatch.setattr(halt, "joined", lambda name, roots: ())
    assert ways.movers(found, "jailoc-own") == (
        {"web": "web", "idle": "idle"} if moves else {}
    )  # another jailoc may let go on who is halted
    # Who may have been handed a directory is one, too.
    monkeypatch.setattr(halt, "joined", lambda name, roots: ("idle", "web") * (name == "own"))
    assert ways.movers(found, "jailoc-own") == {"web": "web", "idle": "idle"}
    assert ways.movers((), "jailoc-own") == {}
