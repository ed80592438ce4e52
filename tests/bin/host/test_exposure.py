"""Directories in whose place another user can put something are known."""

import os
import shutil
import subprocess

import pytest

from jailoc.bin.host.exposure import exposed
from tests.engine.world import User

OTHER = 4711


@pytest.mark.parametrize(
    ("mode", "told"), [(0o755, False), (0o775, False), (0o1777, False), (0o777, True)]
)
def test_who_may_write_a_directory_on_the_way_renames_what_is_in_it(
    user: User, monkeypatch: pytest.MonkeyPatch, mode: int, told: bool
) -> None:
    monkeypatch.setenv("HOME", str(user.home))
    place = user.home / "shared"
    place.mkdir()
    place.chmod(mode)
    (user.home / "link").symlink_to(place)
    for each in (place / "jailoc", place, user.home / "link/jailoc"):
        assert ("every user of this machine can write `" in exposed(each)) == told
    assert not exposed(user.home / "else")


def test_links_on_the_way_count(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(user.home))
    public, real = user.home / "public", user.home / "real"
    real.mkdir()
    public.mkdir()
    (public / "hop").symlink_to("../real")
    (user.home / "cache").symlink_to(public / "hop")
    assert not exposed(user.home / "cache/jailoc")
    public.chmod(0o777)
    assert f"every user of this machine can write `{public}`" in exposed(user.home / "cache/jailoc")
    (user.home / "round").symlink_to(user.home / "round")
    assert not exposed(user.home / "round/jailoc")


def test_a_file_that_everybody_writes_is_told(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(user.home))
    place = user.home / "config.toml"
    place.touch(0o644)
    (user.home / "link").symlink_to(place)
    assert not exposed(user.home / "link")
    place.chmod(0o666)
    assert exposed(user.home / "link") == f"every user of this machine can write `{place}`"


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="no setfacl")
def test_whoever_an_access_control_list_names_counts(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(user.home))
    place = user.home / "shared"
    place.mkdir()

    def allow(rights: str) -> str:
        subprocess.run(["setfacl", "--modify", rights, place], check=True)
        return exposed(place / "jailoc")

    assert not allow(f"u:{OTHER}:r-x")
    assert not allow(f"u:{os.geteuid()}:rwx")
    assert not allow(f"g:{OTHER}:rwx")
    told = f"user {OTHER} can write `{place}` by its access control list"
    assert allow(f"u:{OTHER}:rwx") == told
    assert not allow("m::r-x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives something away")
def test_so_does_its_owner(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    place = user.home / "theirs"
    place.mkdir()
    os.chown(place, OTHER, OTHER)
    assert exposed(place / "jailoc") == f"`{place}` is user {OTHER}'s"
    # By sudo, root is at home with somebody.
    monkeypatch.setenv("HOME", str(place))
    assert not exposed(place / "jailoc")
