"""What lies between a mount's place and that of the mount that it is in."""

import time
from pathlib import Path

import pytest

from jailoc.bin.deploy import ways
from jailoc.bin.engine import startup
from jailoc.bin.engine.startup import MountPoint
from jailoc.model.diagnostic import Refused


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
    ways.check("container", "image")
    assert time.monotonic() - begun < 10
    (tmp_path / "repo7").symlink_to("/etc")
    with pytest.raises(Refused) as refused:
        ways.check("container", "image")
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
    ways.check("container", "image")
    (tmp_path / "inner/deep/x").symlink_to("/etc")
    with pytest.raises(Refused, match="inner/deep/x"):
        ways.check("container", "image")
