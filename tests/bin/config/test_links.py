"""Links on a real file system: what leads where, and what is refused because of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc.bin.deploy import proof
from jailoc.bin.host.links import Links, create, identity
from jailoc.model.diagnostic import Refused
from tests.engine import world
from tests.engine.world import User

GUARDED = (".ssh", ".gnupg", ".aws", ".config/jailoc", ".cache", ".local/share/jailoc")


@pytest.fixture
def person() -> Iterator[User]:
    with world.home("links") as user:
        yield user


@pytest.mark.parametrize("entry", ['paths = ["~/dot"]', 'mounts = ["~/dot/TARGET:/x:ro"]'])
@pytest.mark.parametrize("name", GUARDED)
def test_the_real_place_of_what_is_guarded_is_guarded(person: User, name: str, entry: str) -> None:
    target = name.rpartition("/")[2].lstrip(".")
    place = person.home / name
    place.parent.mkdir(parents=True, exist_ok=True)
    (person.home / "dot" / target).mkdir(parents=True)
    place.symlink_to(person.home / "dot" / target)
    person.write("[workspaces.a]\n" + entry.replace("TARGET", target))
    result = person.run("validate")
    assert result.status == 1
    assert "forbidden" in result.stderr
    person.write('[workspaces.a]\npaths = ["~/other"]\n')
    assert person.run("validate").status == 0


@pytest.mark.parametrize("link", ["sub", "hop", ".claude/transcripts"])
def test_a_way_that_an_agent_can_swap_is_refused(person: User, link: str) -> None:
    (person.home / "proj/sub/in").mkdir(parents=True)
    (person.home / ".claude/transcripts").mkdir(parents=True)
    (person.home / "hop").symlink_to(person.home / "proj/sub")
    mount = {"sub": "~/proj/sub:/x:ro", "hop": "~/hop/in:/x:ro"}.get(link, "~/.claude:/x:rw")
    text = f'[workspaces.a]\npaths = ["~/proj"]\nmounts = ["{mount}"]\n'
    person.write(text)
    result = person.run("validate")
    assert result.status == 1
    assert "put another place of the host there" in result.stderr
    person.write('trust = ["~/proj", "~/hop", "~/.claude"]\n' + text)
    assert person.run("validate").status == 0, "unless it is named"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/proc/self/environ", "is no file on a disk"),
        ("/dev/zero", "is not a regular file"),
        ("fifo", "is not a regular file"),
        ("large", "is larger than 1024 KiB"),
        ("folder", "is a directory"),
        ("/srv/jailoc-nowhere/config.toml", "`/srv/jailoc-nowhere/config.toml`, which does not"),
    ],
)
def test_a_configuration_that_is_no_file_is_refused_and_never_quoted(
    person: User, target: str, words: str
) -> None:
    os.mkfifo(person.home / "fifo")
    (person.home / "large").write_bytes(b"# PLANTED\n" * 200_000)
    (person.home / "folder").mkdir()
    person.config.parent.mkdir(parents=True)
    person.config.symlink_to(person.home / target)
    for command in (("validate",), ("plan",), ("render",)):
        result = person.run(*command, TOKENS="PLANTED")
        assert result.status == 1
        assert words in result.stderr
        assert "PLANTED" not in result.stderr + result.stdout
        assert "defect" not in result.stderr


def test_a_way_is_told_with_every_link_on_it_and_what_a_link_leaves(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "one").symlink_to("a/b/../../two")
    (tmp_path / "two").symlink_to(tmp_path / "c")
    (tmp_path / "loop").symlink_to("loop")
    base = os.path.realpath(tmp_path)
    real, hops = Links().trace(f"{base}/one/x")
    assert real == os.path.realpath(f"{base}/one/x") == f"{base}/c/x"
    assert hops == (f"{base}/one", f"{base}/a/b", f"{base}/a", f"{base}/two")
    assert Links().trace(f"{base}/loop")[0] == f"{base}/loop"
    assert Links().trace(f"{base}/c/none") == (f"{base}/c/none", ())


def test_a_look_and_a_new_file_follow_no_link(tmp_path: Path) -> None:
    place = Path(os.path.realpath(tmp_path))
    (place / "real").mkdir()
    (place / "link").symlink_to("real")
    (place / "real/file").touch()
    found = (place / "real/file").stat()
    assert identity(f"{place}/real/file") == (found.st_dev, found.st_ino)
    assert identity(f"{place}/link/file") is None
    with pytest.raises(OSError, match=r"link|directory"):
        create(f"{place}/link", "new", "text")
    create(f"{place}/real", "new", "text")
    assert (place / "real/new").read_text() == "text"


def test_a_link_in_last_place_is_nothing_that_could_be_compared(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    assert identity(str(tmp_path / "there")) is not None
    assert identity(str(tmp_path / "link")) is None


def test_a_mount_that_landed_elsewhere_is_refused() -> None:
    sources = {"/w": "/host/w", "/w/sub": "/host/w/sub"}
    proof.in_place(sources, {"/", "/w", "/w/sub"})
    with pytest.raises(Refused, match="`/host/w/sub` is not mounted at `/w/sub`"):
        proof.in_place(sources, {"/", "/w", "/elsewhere"})
