"""What cannot be looked into is told and stops a start: not seen is not the same as not there."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jailoc.bin.config import repositories, source, walk
from jailoc.bin.host import unseen
from jailoc.generators.config.exposures import stopping
from jailoc.generators.config.mentioned import Search
from jailoc.generators.config.resolve import protection
from jailoc.model.host import Repository, Tree

USER = 1000
ME = os.geteuid()


@contextmanager
def ordinary() -> Iterator[None]:
    """Be a user from whom a mode keeps something; root sees all."""
    if ME:
        yield
        return
    os.setresuid(USER, USER, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def project() -> Iterator[Path]:
    """Give a directory that an ordinary user gets to; those of pytest are its own."""
    place = Path(tempfile.mkdtemp(dir=Path.home() if ME else "/srv")).resolve()
    if ME == 0:
        os.chown(place, USER, USER)
    place.chmod(0o755)
    yield place
    subprocess.run(["chmod", "-R", "u+rwX", place], check=True)
    shutil.rmtree(place)


def look(root: Path) -> Tree:
    with ordinary():
        search = Search(root=str(root), names=(".envrc",), git=True)
        return repositories.gather([search], "/nowhere", "/nowhere/.config").trees[str(root)]


def evil(place: Path) -> Path:
    with ordinary():
        place.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", place], check=True, capture_output=True)
        with (place / ".git/config").open("a") as file:
            file.write("[core]\nfsmonitor = touch hit; false\n")
    return place


@pytest.mark.parametrize("mode", [0o311, 0o000, 0o600])
def test_a_directory_that_hides_a_repository_is_told(project: Path, mode: int) -> None:
    evil(project / "lib/x")
    # Control: where it can be looked into, the repository is seen.
    (seen,) = look(project).repositories
    assert seen.directory == f"{project}/lib/x/.git"
    (project / "lib").chmod(mode)
    tree = look(project)
    assert tree.repositories == ()
    assert tree.unread[f"{project}/lib"] == "it cannot be looked into (Permission denied)"
    if mode == 0o311:
        with ordinary():
            # The danger is real: Git needs no list to get in.
            git = ["git", "-c", "safe.directory=*", "-C", f"{project}/lib/x", "status"]
            subprocess.run(git, check=True, capture_output=True)
        assert (project / "lib/x/hit").exists()


@pytest.mark.parametrize("name", [".", ".git", ".git/hooks", ".git/worktrees"])
def test_so_is_one_in_git_and_the_path_itself(project: Path, name: str) -> None:
    evil(project / "x")
    with ordinary():
        (project / "x/.git/worktrees").mkdir()
    assert look(project / "x").unread == {}
    place = project / "x" / name
    place.chmod(0o311)
    assert str(place) in look(project / "x").unread
    place.chmod(0o755)


def test_names_whose_files_cannot_be_asked_about_are_told(project: Path) -> None:
    evil(project / "x")
    with ordinary():
        (project / "tools").mkdir()
        (project / "tools/monitor").write_text("true\n")
        (project / "x/.git/config").write_text("[core]\nfsmonitor = ../tools/monitor\n")
    assert any(each.path.endswith("/monitor") for each in look(project).repositories[0].named)
    # It is listed, but whether a word of a command is a file cannot be said.
    (project / "tools").chmod(0o444)
    assert str(project / "tools") in look(project).unread


def test_a_configuration_that_cannot_be_read_is_told(project: Path) -> None:
    config = evil(project / "x") / ".git/config"
    config.chmod(0)
    assert str(config) in look(project).unread


def test_a_way_that_is_longer_than_the_kernel_takes_is_told(project: Path) -> None:
    with ordinary():
        here = os.open(project, os.O_RDONLY)
        for _ in range(20):
            os.mkdir("n" * 240, dir_fd=here)
            below = os.open("n" * 240, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
    (told,) = look(project).unread.values()
    assert told == "it cannot be looked into (File name too long)"


def test_an_error_of_the_disk_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil(project / "lib")
    real = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("/lib"):
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(os, "scandir", failing)
    assert "Input/output error" in look(project).unread[f"{project}/lib"]


def test_what_has_gone_meanwhile_is_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ordinary():
        (project / "build").mkdir()
    real = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("/build"):
            raise FileNotFoundError(2, "gone")
        return real(path)

    monkeypatch.setattr(os, "scandir", failing)
    assert look(project).unread == {}


@pytest.mark.skipif(ME != 0, reason="gives a directory away")
def test_another_users_directory_is_told_and_stops_nothing(project: Path) -> None:
    (project / "pgdata").mkdir()
    os.chown(project / "pgdata", 70, 70)
    (project / "pgdata").chmod(0o700)
    tree = look(project)
    assert tree.unread == {}
    assert "another user (70)" in tree.troubles[f"{project}/pgdata"]
    # Where one gets in by a name, it counts.
    (project / "pgdata").chmod(0o711)
    assert str(project / "pgdata") in look(project).unread
    # An agent of an engine without root may be such a user.
    (project / "pgdata").chmod(0o700)
    os.chown(project / "pgdata", 165000, 165000)
    assert str(project / "pgdata") in look(project).unread


def test_so_many_that_they_are_not_kept_stop_it_all(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unseen, "MOST", 2)
    with ordinary():
        for each in "abc":
            (project / each).mkdir(mode=0)
    assert str(project) in look(project).unread


def test_a_repository_that_its_owner_has_locked_is_not_sealed(project: Path) -> None:
    git = evil(project / "x") / ".git"
    git.chmod(0o555)
    # The agent could open it again after the start, and make what is missing.
    assert not look(project).repositories[0].sealed


def stops(text: str) -> list[str]:
    # What Python loads late may lie where root alone gets to.
    source.check('[workspaces.a]\npaths = ["/srv/none"]\n', Path("/nowhere/config.toml"))
    with ordinary():
        found = source.check(text, Path("/nowhere/config.toml"))
        return [each.message for each in stopping(found.document, found.config, "a", found.host)]


@pytest.mark.parametrize("protect", ["", 'protect = ["scripts/run"]'])
def test_a_start_is_refused_until_it_is_looked_into_or_trusted(
    project: Path, protect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    with ordinary():
        (project / "scripts").mkdir()
        (project / "scripts/run").write_text("true\n")
    text = f'[workspaces.a]\npaths = ["{project}"]\n{protect}\n'
    assert stops(text) == []
    (project / "scripts").chmod(0o000)
    assert all("cannot be looked into" in each for each in stops(text))
    assert stops(text)
    named = [f"{project}/scripts", f"{project}/scripts/run"]
    assert stops(f"trust = {named}\n{text}".replace("'", '"')) == []


def test_a_repository_that_is_not_read_whole_stops_a_start(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    text = f'[workspaces.a]\npaths = ["{project}"]\n'
    with ordinary():
        subprocess.run(["git", "init", "-q", project], check=True, capture_output=True)
        assert stops(text) == []
        with (project / ".git/config").open("a") as file:
            file.write("#" * (1 << 20) + "\n[core]\nfsmonitor = ./evil\n")
    (told,) = stops(text)
    assert f"`{project}/.git` cannot be protected" in told
    assert "larger than 1024 KiB" in told
    assert stops(f'trust = ["{project}/.git"]\n{text}') == []


def test_a_pipe_that_git_would_wait_for_stops_a_start(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    text = f'[workspaces.a]\npaths = ["{project}"]\n'
    with ordinary():
        subprocess.run(["git", "init", "-q", project], check=True, capture_output=True)
        os.mkfifo(project / ".git/index.lock")
        os.mkfifo(project / "plain")
    (told,) = stops(text)
    assert told.startswith(f"`{project}/.git/index.lock`: it is a pipe")
    assert stops(f'trust = ["{project}/.git/index.lock"]\n{text}') == []


@pytest.mark.parametrize(
    ("bound", "most", "flood"), [("MOST_DIRECTORIES", 20, "mkdir"), ("MOST_FOUND", 10, "link")]
)
def test_who_makes_more_than_is_looked_at_takes_no_cover_away(
    project: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int, flood: str
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setattr(walk, bound, most)
    with ordinary():
        (project / "a/b/c/.husky").mkdir(parents=True)
    text = f'[workspaces.a]\npaths = ["{project}"]\n'
    husky = f"{project}/a/b/c/.husky"
    # Control: it is seen, and nothing keeps the workspace from being started.
    assert husky in places(text)
    assert stops(text) == []
    with ordinary():
        for number in range(most + 1):
            (project / f"z{number}").mkdir()
            if flood == "link":
                (project / f"z{number}/.envrc").symlink_to("x")
    assert husky not in places(text)
    (told,) = stops(text)
    assert "holds more than" in told
    assert stops(f'trust = ["{project}"]\n{text}') == []


def places(text: str) -> set[str]:
    with ordinary():
        found = source.check(text, Path("/nowhere/config.toml"))
    return {each.path for each in protection(found.config, "a", found.host).covers}


def test_a_socket_is_told_and_stops_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    text = f'[workspaces.a]\npaths = ["{project}"]\n'
    assert look(project).sockets == ()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{project}/x.sock")
        assert look(project).sockets == (f"{project}/x.sock",)
        told = source.check(text, Path("/nowhere/config.toml")).warnings
        assert [each.code for each in told if "x.sock" in each.message] == ["socket-shown"]
        assert stops(text) == []


def test_more_covers_than_the_engine_can_tell_of_are_refused_before_anything_starts() -> None:
    text = '[workspaces.a]\npaths = ["/data/p"]\n'
    found = source.check(text, Path("/nowhere/config.toml"))

    def messages(count: int) -> list[str]:
        deep = "/".join(["d" * 240] * 4)
        tree = Tree(repositories=tuple(
            Repository(directory=f"/data/p/{each}/{deep}/.git") for each in range(count)
        ))  # fmt: skip
        host = found.host.model_copy(update={"trees": {"/data/p": tree}})
        return [each.message for each in stopping(found.document, found.config, "a", host)]

    assert messages(20) == []
    (told,) = messages(200)
    assert "at most 1,024 KiB" in told
