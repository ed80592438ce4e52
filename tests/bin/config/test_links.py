"""Links on a real file system: what leads where, and what is refused because of it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc.bin.deploy import proof
from jailoc.bin.host.links import Links, create, identity
from jailoc.bin.host.records import APPLIED
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


STEERED = "can be changed by an agent"


def kept(person: User, paths: str = '["~/proj"]', top: str = "") -> Path:
    """Have a configuration in a project, as a team keeps one, and return its place."""
    (person.home / "proj/sandboxes").mkdir(parents=True)
    place = person.home / "proj/sandboxes/config.toml"
    place.write_text(f"{top}[workspaces.a]\npaths = {paths}\n")
    return place


@pytest.mark.parametrize("way", ["flag", "variable", "link", "link to a link"])
def test_no_agent_can_change_the_configuration_it_is_bound_by(person: User, way: str) -> None:
    place = kept(person)
    outside = person.home / "elsewhere.toml"
    outside.write_bytes(place.read_bytes())
    person.config.parent.mkdir(parents=True)

    def said(file: Path) -> str:
        words, environment = ["validate"], {}
        if way == "flag":
            words += ["--config", str(file)]
        elif way == "variable":
            environment["JAILOC_CONFIG"] = str(file)
        else:
            person.config.unlink(missing_ok=True)
            middle = person.home / "middle"
            middle.unlink(missing_ok=True)
            middle.symlink_to(file)
            person.config.symlink_to(file if way == "link" else middle)
        result = person.run(*words, **environment)
        assert (result.status == 1) == (STEERED in result.stderr), result.stderr
        return result.stderr

    assert STEERED in said(place)
    # Controls: outside of what an agent can write, and where it is named, it may be.
    assert STEERED not in said(outside)
    place.write_text(f'trust = ["~/proj/sandboxes/config.toml"]\n{place.read_text()}')
    assert STEERED not in said(place)


def test_no_agent_of_another_configuration_can_change_one(person: User) -> None:
    place = kept(person, '["~/other"]')
    (person.home / "other").mkdir()
    words = ("validate", "--config", str(place))
    assert person.run(*words).status == 0
    mount = {"source": {"text": str(person.home / "proj")}, "mode": "rw"}
    record = person.home / f".local/share/jailoc/mine{APPLIED}"
    record.parent.mkdir(parents=True, exist_ok=True)
    told = {"compose": {"services": {"opencode": {"mounts": [mount]}}}}
    record.write_text(json.dumps(told))
    for environment in ({}, {"JAILOC_CONFIG": str(place)}):
        result = person.run(*words[: 1 if environment else 3], **environment)
        assert result.status == 1
        assert STEERED in result.stderr
    # The way out needs no other configuration.
    out = person.run("destroy", "mine", "--yes", *words[1:], DOCKER_HOST="unix:///nowhere.sock")
    assert STEERED not in out.stderr
    assert "Docker is not running" in out.stderr
    # No program of the agent's is run on that way, whatever it has written there.
    ran, docker = person.home / "ran", person.home / "proj/docker"
    docker.write_text(f"#!/bin/sh\ntouch {ran}\n")
    docker.chmod(0o755)
    before = place.read_text()
    place.write_text(f'trust = ["{docker.parent}"]\n{before}')
    path = f"{docker.parent}:{os.environ['PATH']}"
    person.run("destroy", "mine", "--yes", *words[1:], PATH=path)
    assert not ran.exists()
    place.write_text(before)
    # That it is trusted there may be the agent's word, unless it was started with that.
    place.write_text(f'trust = ["{place}"]\n{place.read_text()}')
    # Where an engine runs, the workspace was removed, and its record with it.
    for by, status in (("elsewhere.toml", 1), (str(place), 0)):
        record.write_text(json.dumps(told | {"config": by}))
        result = person.run(*words)
        assert result.status == status, result.stderr
        assert "trust =" not in result.stderr


def test_no_agent_can_change_a_policy(person: User) -> None:
    (person.home / "proj").mkdir()
    person.write('[workspaces.a]\npaths = ["~/proj"]\n')
    policy = '[[forbid]]\npower = "hold.ssh-agent"\nwhy = "keys stay"\n'
    for folder, status in (("proj", 1), (".", 0)):
        place = person.home / folder / "policy.toml"
        place.write_text(policy)
        for words in (("validate",), ("diff", str(person.config))):
            result = person.run(*words, JAILOC_POLICY=str(place))
            assert (STEERED in result.stderr) == (words == ("validate",) and status == 1)
        mount = {"source": {"text": str(person.home / "proj")}, "mode": "rw"}
        record = person.home / f".local/share/jailoc/mine{APPLIED}"
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({"compose": {"services": {"opencode": {"mounts": [mount]}}}}))
        result = person.run("diff", str(person.config), JAILOC_POLICY=str(place))
        assert (STEERED in result.stderr) == (status == 1), result.stderr


def test_no_agent_decides_what_file_a_credential_is(person: User) -> None:
    (person.home / "proj").mkdir()
    (person.home / "secret").write_text("x")
    (person.home / "proj/hop").symlink_to(person.home / "secret")
    (person.home / "token").symlink_to(person.home / "proj/hop")

    def said(place: str) -> str:
        person.write(
            '[workspaces.a]\npaths = ["~/proj"]\n[workspaces.b]\n[workspaces.b.credentials.c]\n'
            f'hosts = ["api.example.com"]\nscheme = "bearer"\nfrom_file = "{place}"\n'
        )
        result = person.run("validate")
        assert (result.status == 1) == ("can be read by the agent" in result.stderr), result.stderr
        return result.stderr

    assert "can be read by the agent of workspace `a`" in said("~/token")
    # Control: the same file by a way that no agent can turn.
    assert "can be read" not in said("~/secret")
