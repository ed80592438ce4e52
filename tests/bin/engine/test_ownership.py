"""Whose a workspace on the engine is, told by where it was started from."""

from pathlib import Path

import pytest

from jailoc.bin.engine import ownership


def test_only_ones_own_place_is_it_by_whatever_way_one_gets_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, cache, project = tmp_path / "real", tmp_path / "cache", tmp_path / "project"
    (real / "jailoc/api").mkdir(parents=True)
    cache.symlink_to(real)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    for each in (cache, real):
        assert ownership.made_here("api", str(each / "jailoc/api"))
        assert not ownership.made_here("web", str(each / "jailoc/api"))
    # What an agent's compose file is started from, which is then made a link.
    project.symlink_to(real / "jailoc/api")
    assert not ownership.made_here("api", str(project))
    assert not ownership.made_here("api", "")
