"""What an engine makes of users is found out from what it says of itself."""

import grp
import os
import platform
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from jailoc.bin.config import user
from jailoc.bin.engine import stats
from jailoc.bin.engine.stats import About
from jailoc.bin.host import subordinate_ids
from jailoc.model.host import Host, Ids
from jailoc.model.permissions import Permissions

PLAIN = About("Debian GNU/Linux 13 (trixie)", platform.release(), "box", "/var/lib/docker", ())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every engine is in a machine")
@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ({"security": ("name=apparmor", "name=seccomp,profile=builtin")}, Ids.KEPT),
        ({"security": ("name=seccomp,profile=builtin", "name=rootless")}, Ids.SHIFTED),
        ({"security": ("name=userns",)}, Ids.SHIFTED),
        ({"system": "Docker Desktop", "kernel": "6.12.5-linuxkit"}, Ids.SHARED),
        ({"system": "Docker Desktop"}, Ids.SHARED),
        ({"system": "OrbStack", "kernel": "6.15.11-orbstack-00539"}, Ids.SHARED),
        ({"system": "Ubuntu 24.04.2 LTS", "kernel": "6.8.0-64-generic", "name": "colima"},
         Ids.SHARED),
        ({"name": "lima-default"}, Ids.SHARED),
        ({"kernel": "6.8.0-64-generic", "security": ("name=rootless",)}, Ids.SHARED),
    ],
)  # fmt: skip
def test_what_an_engine_makes_of_users_is_read_from_its_words(
    said: dict[str, object], ids: Ids
) -> None:
    assert user.ids_of(PLAIN._replace(**said)) is ids  # type: ignore[arg-type]


def test_who_is_behind_the_agent_of_a_remapping_engine_is_in_its_directory() -> None:
    engine = PLAIN._replace(root="/var/lib/docker/165536.231072", security=("name=userns",))
    assert user.behind(engine, 1234) == (166536, 232072)


def test_who_is_behind_the_agent_of_an_engine_without_root_is_subordinate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "subuid").write_text("other:500000:65536\n987654:231072:65536\n")
    (tmp_path / "subgid").write_text("987654:300000:65536\n")
    files = tuple(str(tmp_path / each) for each in ("subuid", "subgid"))
    monkeypatch.setattr(subordinate_ids, "FILES", files)
    assert user.behind(PLAIN, 987654) == (231072 + 999, 300000 + 999)
    assert user.behind(PLAIN, 987655) is None
    # `doctor` asks the same reader, for as many as such an engine wants.
    enough = [subordinate_ids.first(each, 987654, subordinate_ids.ENOUGH) for each in files]
    assert enough == [231072, 300000]
    (tmp_path / "subgid").write_text("987654:300000:999\n")
    assert subordinate_ids.first(files[1], 987654, subordinate_ids.ENOUGH) is None
    assert user.behind(PLAIN, 987654) is None


class _Asked(Exception):  # noqa: N818 -- no error
    pass


def _refuse() -> About:
    raise _Asked


@pytest.mark.parametrize(
    ("uid", "owner", "asks"),
    [(1000, 1000, False), (1000, 0, False), (1234, 1234, True), (0, 0, False), (0, 1000, False),
     (0, 1234, True)],
)  # fmt: skip
def test_the_engine_is_asked_only_where_its_answer_decides_something(
    uid: int, owner: int, asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "about", _refuse)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(os, "getegid", lambda: uid)
    monkeypatch.setattr(os, "getgroups", lambda: [uid])
    place = Permissions(uid=owner, gid=owner, mode=0o755)
    monkeypatch.setattr(user, "permissions", lambda _: place)
    host = Host(home="/home/alice")
    if asks:
        with pytest.raises(_Asked):
            user.gather(host, ("/code",), ("/code",))
    else:
        assert user.gather(host, ("/code",), ("/code",)).ids is Ids.KEPT


def test_no_agent_has_a_group_that_is_as_good_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it makes with the bit for a group, others run with that."""
    names = {105: "docker", 106: "project", 27: "sudo", 4501: "alice"}

    def entry(gid: int) -> SimpleNamespace:
        if gid not in names:
            raise KeyError(gid)
        return SimpleNamespace(gr_name=names[gid])

    monkeypatch.setattr(grp, "getgrgid", entry)
    monkeypatch.setattr(os, "getgroups", lambda: [4501, 106, 27, 105, 9999])
    monkeypatch.setattr(os, "geteuid", lambda: 4501)
    monkeypatch.setattr(os, "getegid", lambda: 105)
    found = user.gather(Host(home="/home/alice", ids=Ids.KEPT), (), ())
    assert (found.gid, found.groups) == (4501, (106, 4501, 9999))
    monkeypatch.setattr(os, "getegid", lambda: 106)
    assert user.gather(Host(home="/home/alice", ids=Ids.KEPT), (), ()).gid == 106
