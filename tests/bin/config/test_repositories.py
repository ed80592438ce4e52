"""What an agent may have made is looked through: no link followed, nothing run, all bounded."""

import os
import re
import shutil
import socket
import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest

from jailoc.bin.config import (
    git_directory,
    git_repository,
    git_settings,
    passed_over,
    repositories,
    told,
    walk,
)
from jailoc.generators.config.mentioned import Search
from jailoc.model import git_config, protect, repository
from jailoc.model.host import FileKind, Host, Tree
from jailoc.model.protected_names import DEFAULT
from jailoc.model.repository import protection
from jailoc.model.seen_root import Root

NAMES = tuple(each for each in DEFAULT if not each.startswith(".git/"))


EVIL = '[core]\nrepositoryformatversion = 0\nfsmonitor = "touch hit; false"\n'


def git(place: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(place.parent), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }  # fmt: skip
    return subprocess.run(
        ["git", *arguments], cwd=place, env=environment, capture_output=True, text=True, check=True
    ).stdout


def made(place: Path) -> Path:
    place.mkdir(parents=True)
    git(place, "init", "-q")
    git(place, "commit", "-q", "--allow-empty", "-m", "x")
    return place


def look(root: Path, home: Path | None = None, names: tuple[str, ...] = NAMES) -> Tree:
    search = Search(root=str(root), names=names, git=True)
    place = str(home or root.parent / "home")
    trees, _, _ = repositories.gather([search], place, f"{place}/.config")
    return trees[str(root)]


def found(tree: Tree, root: Path) -> list[str]:
    return sorted(os.path.relpath(each.directory, root) for each in tree.repositories)


def test_every_kind_of_repository_is_found(tmp_path: Path) -> None:
    root = tmp_path / "p"
    main = made(root / "main")
    git(main, "worktree", "add", "-q", "../linked")
    made(tmp_path / "lib")
    git(main, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(tmp_path / "lib"), "deep/sub")  # fmt: skip
    git(root, "init", "-q", "--bare", "bare")
    made(root / "node_modules/x")
    tree = look(root)
    assert found(tree, root) == [
        "bare", "main/.git", "main/.git/modules/deep/sub", "node_modules/x/.git",
    ]  # fmt: skip
    assert set(tree.places) == {f"{root}/linked/.git", f"{main}/deep/sub/.git"}
    kinds = next(each for each in tree.repositories if each.top == str(main)).kinds
    # Git's template has `branches`, depending on its version.
    assert {name: kind for name, kind in kinds.items() if name != "branches"} == {
        "config": FileKind.FILE, "hooks": FileKind.DIRECTORY,
        "worktrees/linked/commondir": FileKind.FILE, "worktrees/linked/gitdir": FileKind.FILE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("crate", "node_modules/x"),
        ("a/deep", "../NODE_MODULES/../node_modules/x/sub/.."),
        ("all", "node_modules"),
        ("a/lib", "../venv/site-packages"),
        ("refs", ".git/refs/x"),
        ("module", ".git/modules/x"),
    ],
)
def test_a_link_to_where_no_name_is_looked_for_is_looked_through(
    tmp_path: Path, link: str, target: str
) -> None:
    """Nobody opens that as a project, and nobody knows that it is that when a link is opened."""
    root = tmp_path / "p"
    made(root)
    places = [root / "node_modules/x", root / "venv/site-packages/x"]
    places += [root / ".git/refs/x", root / ".git/modules/x"]
    for each in (*places, root / "node_modules/x/node_modules/y", root / "NODE_MODULES"):
        (each / ".cargo").mkdir(parents=True)
        (each / ".cargo/config.toml").touch()
        (each / "sub").mkdir()
    (root / "a").mkdir()
    assert look(root).links == (), "the control"
    (root / link).symlink_to(target)
    (name,) = {each.removeprefix(f"{root}/{link}").lstrip("/") for each in look(root).links}
    assert name in {".cargo/config.toml", "x/.cargo/config.toml"}
    (root / link).unlink()
    (root / "node_modules/y").symlink_to("x")  # one inside is another installation's
    (root / "a/node_modules").symlink_to("../node_modules")
    assert look(root).links == ()
    outside = tmp_path / "elsewhere/node_modules/.cargo"
    outside.mkdir(parents=True)
    (outside / "config.toml").touch()
    (root / "outside").symlink_to(outside.parent)  # which no agent can write
    assert look(root).links == ()


def test_very_much_behind_links_to_where_no_name_is_looked_for_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passed_over, "MOST", 10)
    root = tmp_path / "p"
    for each in range(11):
        (root / f"node_modules/x/{each}").mkdir(parents=True)
    assert look(root).limit is None
    (root / "link").symlink_to("node_modules/x")
    assert "lead to more than 10 entries" in str(look(root).limit)


def test_what_other_programs_keep_in_a_git_directory_is_found(tmp_path: Path) -> None:
    """As git-remote-hg does clones, and whoever makes working trees there."""
    root = tmp_path / "p"
    git_directory = made(root) / ".git"
    git(root, "worktree", "add", "-q", "--detach", ".git/wt/f")
    (git_directory / "wt/f/.envrc").touch()
    (git_directory / "hg/.hg").mkdir(parents=True)
    (git_directory / "hg/.hg/hgrc").touch()
    (git_directory / ".dir-locals.el").touch()
    made(git_directory / "tmp/inner")
    # What is Git's own has other names than these, and very many.
    (git_directory / "objects/.envrc").touch()
    tree = look(root)
    places = {os.path.relpath(each, root) for each in tree.places}
    assert places == {
        ".git/wt/f/.git", ".git/wt/f/.envrc", ".git/hg/.hg/hgrc", ".git/.dir-locals.el",
    }  # fmt: skip
    assert found(tree, root) == [".git", ".git/tmp/inner/.git"]


@pytest.mark.parametrize("name", [".git/g", ".git", "a/.git/objects", ".git/hooks/x"])
def test_a_submodule_of_whatever_name_is_found(tmp_path: Path, name: str) -> None:
    root = tmp_path / "p"
    inner = made(root) / ".git/modules" / name
    inner.parent.mkdir(parents=True)
    shutil.copytree(made(tmp_path / "lib") / ".git", inner)
    (inner / "hooks/post-checkout").touch()
    tree = look(root)
    assert f".git/modules/{name}" in found(tree, root)


def test_the_path_itself_may_have_become_a_bare_repository(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / ".git/HEAD").rename(root / "HEAD")
    for name in ("objects", "refs"):
        (root / name).mkdir()
    (root / "config").write_text(EVIL + "worktree = .\n")
    git(root, "status")
    assert (root / "hit").exists(), "Git executes it, as the documentation says"
    (root / "hit").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "-c", "safe.bareRepository=explicit", "status")
    assert not (root / "hit").exists()
    (evil,) = (each for each in look(root).repositories if each.directory == str(root))
    assert evil.settings == {"config": ("core.fsmonitor = touch hit; false",)}


def test_a_repository_in_the_index_of_its_parent_is_found(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    nested = made(root / "x")
    (nested / ".git/config").write_text(EVIL)
    commit = git(nested, "rev-parse", "HEAD").strip()
    (nested / "hit").unlink(missing_ok=True)
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{commit},x")
    git(root, "status")
    assert (nested / "hit").exists(), "Git executes it, as the documentation says"
    told = {each.directory: each.settings for each in look(root).repositories}
    assert told[f"{nested}/.git"] == {"config": ("core.fsmonitor = touch hit; false",)}


def test_nothing_hides_in_what_looks_like_a_repository(tmp_path: Path) -> None:
    root = tmp_path / "p"
    made(root / "x/objects/y")
    made(root / "x/refs/y")
    (root / "x/HEAD").write_text("ref: refs/heads/x\n")
    assert found(look(root), root) == ["x", "x/objects/y/.git", "x/refs/y/.git"]


def test_hooks_and_settings_that_run_something_are_told_and_bounded(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    for index in range(50):
        hook = root / f".git/hooks/h{index:02}{'x' * 120}"
        hook.write_text("")
        hook.chmod(0o755)
        git(root, "config", f"filter.f{index}.clean", "y" * 500)
    (tree,) = look(root).repositories
    assert 0 < len(tree.hooks) <= told.MOST_TOLD
    assert 0 < len(tree.settings["config"]) <= told.MOST_TOLD
    assert all(len(each) < 250 for each in (*tree.hooks, *tree.settings["config"]))


@pytest.mark.parametrize("where", ["repository", "worktree", "include", "user"])
def test_hooks_elsewhere_are_found_whoever_names_them(tmp_path: Path, where: str) -> None:
    root, home = made(tmp_path / "p"), tmp_path / "home"
    home.mkdir()
    (root / ".githooks").mkdir()
    setting = "[core]\n\thooksPath = .githooks\n"
    match where:
        case "repository":
            git(root, "config", "core.hooksPath", ".githooks")
        case "worktree":
            (root / ".git/config.worktree").write_text(setting)
        case "include":
            (tmp_path / "more").write_text(setting)
            git(root, "config", "include.path", "../../more")
        case "user":
            (home / ".gitconfig").write_text(setting)
    (tree,) = look(root, home).repositories
    assert (f"{root}/.githooks", FileKind.DIRECTORY) in [
        (each.path, each.kind) for each in tree.named
    ]


def test_hooks_of_a_linked_worktree_are_those_beside_it(tmp_path: Path) -> None:
    main = made(tmp_path / "main")
    git(main, "config", "core.hooksPath", ".githooks")
    root = tmp_path / "linked"
    git(main, "worktree", "add", "-q", str(root))
    assert [each.path for each in look(root).named] == [f"{root}/.githooks"]


def test_a_commondir_that_leads_elsewhere_is_seen(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    git(root, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert look(root).repositories[0].elsewhere == {}
    (root / ".git/commondir").write_text(".\n")
    assert look(root).repositories[0].elsewhere == {}
    (root / ".git/commondir").write_text("../copy\n")
    (root / ".git/worktrees/linked/commondir").write_text("../../../copy\n")
    assert look(root).repositories[0].elsewhere == {
        "commondir": "../copy", "worktrees/linked/commondir": "../../../copy",
    }  # fmt: skip


def test_links_are_not_followed(tmp_path: Path) -> None:
    made(tmp_path / "other")
    root = tmp_path / "p"
    root.mkdir()
    (root / "x").symlink_to(tmp_path / "other")
    (root / "loop").symlink_to(root)
    (root / ".git").symlink_to(tmp_path / "other/.git")
    tree = look(root)
    assert (tree.repositories, tree.links) == ((), (f"{root}/.git",))


def test_names_are_found_at_every_level_and_in_other_letters(tmp_path: Path) -> None:
    root = tmp_path / "p"
    for name in ("a/b/.VSCODE", "a/.idea", "node_modules/x/.vscode", "c/tool/settings"):
        (root / name).mkdir(parents=True)
    tree = look(root, names=(".vscode", ".idea", "Tool/settings"))
    assert set(tree.places) == {
        f"{root}/a/b/.VSCODE", f"{root}/a/.idea", f"{root}/c/tool/settings",
    }  # fmt: skip


def test_a_pipe_or_a_device_in_the_place_of_a_file_holds_nothing_up(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / ".git/config").unlink()
    os.mkfifo(root / ".git/config")
    os.mkfifo(root / ".git/commondir")
    (root / ".git/config.worktree").symlink_to("/dev/zero")
    (root / "sub").mkdir()
    os.mkfifo(root / "sub/.git")
    started = time.monotonic()
    look(root)
    assert time.monotonic() - started < 5


def test_includes_that_go_round_end(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    with (root / ".git/config").open("a") as file:
        file.write("[include]\n" + "".join(f"path = x{index}\n" for index in range(100)))
    for index in range(100):
        (root / f".git/x{index}").write_text(f"[include]\npath = x{(index + 1) % 100}\n")
    assert len(look(root).repositories[0].named) <= git_repository.MOST_NAMED


ODD = os.fsdecode(b"\xff")
SHOWN = "\N{REPLACEMENT CHARACTER}"


def test_what_lies_below_a_name_that_is_no_text_is_told_and_stops_nothing(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / ODD / "empty").mkdir(parents=True)
    made(root / "z")
    assert look(root).troubles == {}
    made(root / ODD / "deep/er")
    git(root / ODD / "deep/er", "config", "core.fsmonitor", "evil")
    hook = root / ODD / "deep/er/.git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    (root / ODD / ".envrc").write_text("evil\n")
    (root / "z" / ODD).mkdir()
    (root / "z" / ODD / ".git").write_text("gitdir: ../../copy\n")
    tree = look(root)
    reason = walk.NO_TEXT
    assert tree.troubles == {
        f"{root}/{SHOWN}/.envrc": reason,
        f"{root}/{SHOWN}/deep/er/.git": f"{reason}; hook pre-commit; core.fsmonitor = evil",
        f"{root}/z/{SHOWN}/.git": reason,
    }
    assert found(tree, root) == [".git", "z/.git"]
    tree.model_dump_json()


def test_the_limits_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path / "p")
    made(root / "a/b/c")
    assert look(root).limit is None
    for name, limit in (("MOST_DIRECTORIES", 2), ("MOST_ENTRIES", 2), ("MOST_DEPTH", 1),
                        ("MOST_FOUND", 1)):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(walk, name, limit)
            assert look(root).limit is not None, name


@pytest.mark.parametrize("where", ["repository", "linked worktree", "user"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[include]\n" + "".join(f"path = x{index}\n" for index in range(20)), "16 files"),
        ("[a]\n" + "b\n" * 10_001 + "[core]\nfsmonitor = ./evil\n", "10,000 settings"),
        ("#" * (1 << 20) + "\n[core]\nfsmonitor = ./evil\n", "1024 KiB"),
        ("[core]\nfsmonitor = " + " ".join(f"./{each}" for each in range(2000)), "1,000 places"),
        ("[core]\nfsmonitor = " + "x" * 70_000, "65,536 characters"),
    ],
)
def test_a_configuration_that_is_not_read_whole_is_told(
    tmp_path: Path, where: str, text: str, reason: str
) -> None:
    main, home = made(tmp_path / "main"), tmp_path / "home"
    home.mkdir()
    linked = tmp_path / "linked"
    git(main, "worktree", "add", "-q", str(linked))
    root = linked if where == "linked worktree" else main
    assert look(root, home).troubles == {}
    with ((home / ".gitconfig") if where == "user" else (main / ".git/config")).open("a") as file:
        file.write(text)
    for index in range(20):  # what is included, wherever that is
        for holder in (home, main / ".git"):
            (holder / f"x{index}").write_text("[a]\nb = 1\n")
    tree = look(root, home)
    # What the agent can write keeps it from being started; what is the user's own does not.
    told_, other = tree.troubles, tree.unread
    if where == "repository":
        told_, other = other, told_
    place = str(root) if where == "user" else f"{root}/.git"
    assert set(told_) == {place}
    assert reason in told_[place]
    assert not other


@pytest.mark.parametrize(
    "text", [b"[include]\npath = ../x\xff\n", b"[core]\nhooksPath = h\xff\n",
             b"[core]\nfsmonitor = ./t\xff\n"]
)  # fmt: skip
def test_a_place_whose_name_is_no_text_is_told_also_where_it_is_there(
    tmp_path: Path, text: bytes
) -> None:
    root, home = made(tmp_path / "p"), tmp_path / "home"
    home.mkdir()
    with (root / ".git/config").open("ab") as file:
        file.write(text)
    assert "not UTF-8" in look(root, home).unread[f"{root}/.git"]


@pytest.mark.parametrize("setting", ["[include]\npath", "[core]\nhooksPath"])
def test_a_place_by_where_git_is_installed_is_told(tmp_path: Path, setting: str) -> None:
    root, home = made(tmp_path / "p"), tmp_path / "home"
    home.mkdir()
    with (root / ".git/config").open("a") as file:
        file.write(f"{setting} = %(prefix)/..{tmp_path}/x\n")
    assert "installed" in look(root, home).unread[f"{root}/.git"]


def test_words_in_another_coding_that_name_no_place_are_none(tmp_path: Path) -> None:
    root, home = made(tmp_path / "p"), tmp_path / "home"
    home.mkdir()
    with (root / ".git/config").open("ab") as file:
        file.write(b"[user]\nname = J\xf6rg\n[alias]\nx = !echo gr\xfc\xdf dich\n")
    assert not look(root, home).unread


def test_the_trouble_of_the_users_own_configuration_hides_that_of_a_repository(
    tmp_path: Path,
) -> None:
    root, home = made(tmp_path / "p"), tmp_path / "home"
    home.mkdir()
    long = "#" * (1 << 20) + "\n"
    (home / ".gitconfig").write_text(long)
    tree = look(root, home)
    assert (set(tree.troubles), tree.unread) == ({str(root)}, {})
    with (root / ".git/config").open("a") as file:
        file.write(long + "[core]\nfsmonitor = ./evil\n")
    tree = look(root, home)
    assert (set(tree.troubles), set(tree.unread)) == ({str(root)}, {f"{root}/.git"})


def test_a_linked_working_tree_whose_repository_an_agent_can_write_is_not_read_whole(
    tmp_path: Path,
) -> None:
    main = made(tmp_path / "p/main")
    git(main, "worktree", "add", "-q", "../linked")
    git(main, "config", "extensions.worktreeConfig", "true")
    own = main / ".git/worktrees/linked/config.worktree"
    own.write_text("#" * (1 << 20) + "\n[core]\nfsmonitor = touch hit; false\n")
    git(tmp_path / "p/linked", "status")
    assert (tmp_path / "p/linked/hit").exists(), "Git executes it"
    assert set(look(tmp_path / "p").unread) == {f"{main}/.git", f"{tmp_path}/p/linked/.git"}
    search = Search(root=str(tmp_path / "p/linked"), names=NAMES, git=True)
    trees, _, _ = repositories.gather([search], str(tmp_path / "home"), str(tmp_path / "home"))
    assert set(trees[search.root].unread) == {f"{tmp_path}/p/linked/.git"}


PIPES = ("index", "HEAD", "MERGE_RR", "packed-refs", "refs/heads/x", "logs/HEAD",
         "objects/pack/x", "objects/ab/cdef", "info/exclude", "rebase-merge/done")  # fmt: skip


@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_in_a_git_directory_is_told_once(tmp_path: Path, name: str) -> None:
    root = made(tmp_path / "p")
    assert look(root).believed == ()
    place = root / ".git" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    (found_,) = look(root).believed
    assert found_.path == str(place)
    assert found_.stops
    assert "Git waits" in found_.reason


@pytest.mark.parametrize("name", ["index", "HEAD", "packed-refs", "info/exclude", "../.gitignore"])
def test_git_waits_for_a_pipe_that_is_told(tmp_path: Path, name: str) -> None:
    root = made(tmp_path / "p")
    (root / "untracked").touch()
    place = Path(os.path.normpath(root / ".git" / name))
    place.unlink(missing_ok=True)
    subprocess.run(["git", "status"], cwd=root, timeout=20, check=False, capture_output=True)
    os.mkfifo(place)
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["git", "status"], cwd=root, timeout=2, check=False, capture_output=True)
    assert [each.path for each in look(root).believed if each.stops] == [str(place)]


def test_a_link_to_a_pipe_in_the_place_of_an_object_is_told(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    os.mkfifo(root / "pipe")
    (root / ".git/objects/ab").mkdir(exist_ok=True)
    (root / ".git/objects/ab/cd").symlink_to("../../../pipe")
    (root / ".git/objects/ab/ce").symlink_to("../../../file")
    (found_,) = look(root).believed
    assert found_.path == f"{root}/.git/objects/ab/cd"


def test_many_pipes_hide_none_and_the_monitors_socket_is_gits_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made(tmp_path / "p")
    monkeypatch.chdir(root)  # a socket's path is short (unix(7))
    with socket.socket(socket.AF_UNIX) as own, socket.socket(socket.AF_UNIX) as other:
        own.bind(".git/fsmonitor--daemon.ipc")
        tree = look(root)
        assert (tree.believed, tree.sockets, tree.unread) == ((), (), {})
        other.bind(".git/logs/s")
        assert look(root).sockets == (f"{root}/.git/logs/s",)
    (root / ".git/fsmonitor--daemon.ipc").unlink()
    os.mkfifo(root / ".git/fsmonitor--daemon.ipc")
    assert len(look(root).believed) == 1
    for number in range(walk.MOST_WAITING):
        os.mkfifo(root / f".git/logs/p{number}")
    assert "pipes lie in it" in look(root).unread[f"{root}/.git"]


def test_the_users_own_configuration_counts_where_no_repository_is(tmp_path: Path) -> None:
    root, home = tmp_path / "p", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    (home / ".gitconfig").write_text("#" * (1 << 20) + "\n")
    assert set(look(root, home).troubles) == {str(root)}


def test_words_after_many_are_covered_all_the_same(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / "evil").write_text("")
    git(root, "config", "core.fsmonitor", "true " + "x " * 70 + "; ./evil")
    assert [each.path for each in look(root).repositories[0].named] == [f"{root}/evil"]


def test_many_others_hide_no_hook_of_git(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    for name in (*(f"a{index:04}" for index in range(1100)), "post-checkout"):
        (root / f".git/hooks/{name}").write_text("")
        (root / f".git/hooks/{name}").chmod(0o755)
    (tree,) = look(root).repositories
    assert tree.hooks[:3] == ("hook post-checkout", "hook a0000", "hook a0001")
    assert re.fullmatch(r"and up to 1098 more \([0-9a-f]{16}\)", tree.hooks[3])
    for index in range(3, 1100):
        (root / f".git/hooks/a{index:04}").unlink()
    (tree,) = look(root).repositories
    assert tree.hooks == ("hook post-checkout", "hook a0000", "hook a0001", "hook a0002")


def test_a_setting_is_told_with_the_file_that_has_it(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    git(root, "config", "extensions.worktreeConfig", "true")
    git(root, *AUTHOR, "commit", "-q", "--allow-empty", "-m", "a")
    git(root, "worktree", "add", "-q", "../other")
    (root / ".git/worktrees/other/config.worktree").write_text(EVIL)
    (repository,) = look(root).repositories
    told = {each.path: each.executes for each in protection(repository).wanted if each.executes}
    place = f"{root}/.git/worktrees/other/config.worktree"
    assert told == {place: ("core.fsmonitor = touch hit; false",)}


def test_settings_that_are_not_told_are_counted(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    for index in range(9):
        git(root, "config", f"filter.f{index}.clean", "x")
    (tree,) = look(root).repositories
    found = tree.settings["config"]
    assert (len(found), found[-1][:10]) == (4, "and 6 more")
    # What is not told is compared all the same.
    git(root, "config", "filter.f8.clean", "y")
    (tree,) = look(root).repositories
    assert tree.settings["config"][:-1] == found[:-1]
    assert tree.settings["config"][-1] != found[-1]
    (root / ".git/config").write_text(f"[alias]\nx = !{'x' * 300}\n")
    long = look(root).repositories[0].settings["config"]
    (root / ".git/config").write_text(f"[alias]\nx = !{'x' * 299}y\n")
    assert look(root).repositories[0].settings["config"] != long


def test_a_submodule_of_a_linked_worktree_is_found(tmp_path: Path) -> None:
    main = made(tmp_path / "main")
    made(tmp_path / "lib")
    git(main, "worktree", "add", "-q", "../linked")
    git(tmp_path / "linked", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(tmp_path / "lib"), "sub")  # fmt: skip
    assert found(look(main), main) == [".git", ".git/worktrees/linked/modules/sub"]


def test_working_trees_of_a_bare_repository_are_parts_of_it(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    git(root, "clone", "-q", "--bare", str(made(tmp_path / "m")), "app.git")
    git(root / "app.git", "worktree", "add", "-q", "../feat")
    tree = look(root)
    assert found(tree, root) == ["app.git"]
    assert tree.repositories[0].elsewhere == {}
    assert "worktrees/feat/commondir" in tree.repositories[0].kinds


def pointed(root: Path, words: str) -> Path:
    """Make a working tree whose `.git` is a file; return it."""
    place = root / "x"
    place.mkdir()
    (place / ".git").write_text(f"gitdir: {words}\n")
    return place


def evil(place: Path) -> Path:
    made(place.parent / "spare")
    (place.parent / "spare/.git").rename(place)
    (place / "config").write_text(EVIL)
    return place


def test_a_repository_where_none_usually_lies_is_found_by_the_file_that_names_it(
    tmp_path: Path,
) -> None:
    root = tmp_path / "p"
    main = made(root / "main")
    evil(main / ".git/evil")
    place = pointed(root, "../main/.git/evil")
    git(place, "status")
    assert (place / "hit").exists(), "Git executes it"
    tree = look(root)
    assert found(tree, root) == ["main/.git", "main/.git/evil"]
    assert tree.troubles == {}


def test_so_is_one_in_the_place_of_a_working_trees(tmp_path: Path) -> None:
    root = tmp_path / "p"
    main = made(root / "main")
    (main / ".git/worktrees").mkdir()
    within = evil(main / ".git/worktrees/evil")
    assert inner(look(root)) == {str(within)}, "whoever leads there: a link among submodules, too"
    place = pointed(root, f"{main}/.git/worktrees/evil")
    git(place, "status")
    assert (place / "hit").exists(), "Git executes it"
    assert found(look(root), root) == ["main/.git", "main/.git/worktrees/evil"]
    # As what holds one that is none of a working tree's, so that a cover can be there.
    (within / "commondir").write_text(".\n")
    assert found(look(root), root) == ["main/.git", "main/.git/worktrees/evil"]
    assert inner(look(root)) == {str(within)}
    git(main, "worktree", "add", "-q", "--detach", "../other")
    assert inner(look(root)) == {str(within)}, "an honest one is no repository"


def test_a_common_directory_is_found_where_it_is(tmp_path: Path) -> None:
    root = tmp_path / "p"
    main = made(root / "main")
    shared = evil(main / ".git/shared")
    own = main / ".git/own"
    own.mkdir()
    (shared / "HEAD").rename(own / "HEAD")
    (own / "commondir").write_text("../shared\n")
    place = pointed(root, "../main/.git/own")
    git(place, "status")
    assert (place / "hit").exists(), "Git executes it"
    assert found(look(root), root) == ["main/.git", "main/.git/own", "main/.git/shared"]


def test_a_repository_that_does_not_exist_yet_or_behind_a_link_is_told(tmp_path: Path) -> None:
    root = tmp_path / "p"
    main = made(root / "main")
    place = pointed(root, "../main/.git/evil")
    assert look(root).troubles == {
        f"{main}/.git/evil": f"`{place}/.git` names it, and it is no repository yet"
    }
    evil(tmp_path / "outside")
    (main / ".git/evil").symlink_to(tmp_path / "outside")
    (told_,) = look(root).troubles.values()
    assert "symbolic link" in told_
    (main / ".git/evil").unlink()
    (place / ".git").write_text(f"gitdir: {tmp_path}/outside\n")
    assert look(root).troubles == {}


def test_a_repository_in_another_writable_path_is_found_there(tmp_path: Path) -> None:
    root, other = tmp_path / "p", tmp_path / "q"
    root.mkdir()
    evil(made(other) / ".git/evil")
    pointed(root, "../../q/.git/evil")
    searches = [Search(root=str(each), names=NAMES, git=True) for each in (root, other)]
    trees, _, _ = repositories.gather(searches, str(tmp_path / "home"), str(tmp_path / "home"))
    assert found(trees[str(other)], other) == [".git", ".git/evil"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("remote.origin.url", "ext::sh -c touch% hit"),
        ("url.ext::sh -c touch% hit;.insteadOf", "https://x.invalid/"),
        ("branch.master.remote", "ext::sh -c touch% hit"),
    ],
)
def test_an_address_that_is_a_command_is_told(tmp_path: Path, key: str, value: str) -> None:
    root = made(tmp_path / "p")
    git(root, "branch", "-M", "master")
    git(root, "config", "remote.origin.url", "https://x.invalid/y")
    git(root, "config", key, value)
    git(root, "config", "protocol.ext.allow", "always")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "fetch")
    assert (root / "hit").exists(), "Git executes it"
    (tree,) = look(root).repositories
    assert "protocol.ext.allow = always" in tree.settings["config"]
    assert any("ext::" in each for each in tree.settings["config"])


@pytest.mark.parametrize("place", [".git", ".git/info", ".git/worktrees", ".git/worktrees/linked"])
def test_what_is_hidden_in_a_crowd_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    root = made(tmp_path / "p")
    git(root, "worktree", "add", "-q", "../linked")
    monkeypatch.setattr(git_directory, "MOST_ENTRIES", 20)
    assert look(root).troubles == {}
    for index in range(21):
        (root / place / f"x{index}").mkdir()
    (reason,) = look(root).unread.values()
    assert f"{root / place}` holds more than 20" in reason


AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.editor=true")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("COMMIT_EDITMSG", "the agent's text"),
        ("logs/HEAD", "the agent's text"),
        ("logs/refs/heads/main", "the agent's text"),
        ("index", "DIRC"),
    ],
)
def test_a_link_in_the_place_of_what_git_writes_is_told(
    tmp_path: Path, name: str, text: str
) -> None:
    root = tmp_path / "p"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, *AUTHOR, "commit", "-q", "--allow-empty", "-m", "x")
    victim = tmp_path / "victim"
    if name != "index":  # which Git makes, but does not write over another kind of file
        victim.touch()
    assert look(root).followed == {}
    place = root / ".git" / name
    place.unlink(missing_ok=True)
    place.symlink_to(victim)
    (root / "a").touch()
    git(root, "add", "a")
    git(root, *AUTHOR, "commit", "-q", "-m", "the agent's text")
    assert text in victim.read_bytes().decode(errors="replace"), "Git follows it"
    assert look(root).followed == {str(place): str(victim)}


@pytest.mark.parametrize(
    "name", ["objects/ab", "objects/pack", "objects/info", "refs/heads", "refs/heads/x", "logs",
             "rebase-merge", "worktrees", "worktrees/w/logs", "info/exclude", "FETCH_HEAD",
             "modules", "modules/sub", "modules/a/b", "worktrees/w/modules/sub"],
)  # fmt: skip
def test_a_link_anywhere_in_git_is_told(tmp_path: Path, name: str) -> None:
    root = made(tmp_path / "p")
    place = root / ".git" / name
    shutil.rmtree(place, ignore_errors=True)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to("../../../../../victim" if "/" in name else "/home/victim")
    assert list(look(root).followed) == [str(place)]


@pytest.mark.parametrize("name", ["hooks", "config", "commondir", "info/attributes",
                                  "objects/info/alternates"])  # fmt: skip
def test_a_link_in_the_place_of_what_decides_is_one_of_the_repository(
    tmp_path: Path, name: str
) -> None:
    root = made(tmp_path / "p")
    place = root / ".git" / name
    place.rename(tmp_path / "other") if place.exists() else (tmp_path / "other").touch()
    place.symlink_to(tmp_path / "other")
    tree = look(root)
    assert (tree.repositories[0].links, tree.followed) == ((name,), {})


def test_a_link_through_the_kernels_directories_is_none_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made(tmp_path / "p")
    (root / "else").mkdir()
    (root / ".git/HEAD").unlink()
    (root / ".git/HEAD").symlink_to("refs/heads/main")
    (root / ".git/logs/x").symlink_to(root / "else/x")
    stay = {
        f"{root}/.git/HEAD": f"{root}/.git/refs/heads/main",
        f"{root}/.git/logs/x": f"{root}/else/x",
    }
    assert look(root).followed == stay
    # Git asks from elsewhere than who looks.
    (root / ".git/logs/y").symlink_to("/proc/self/cwd/x")
    (root / ".git/logs/z").symlink_to(root / "way/x")
    (root / "way").symlink_to("/dev/fd/../cwd")
    for place in (root, root / "else", Path("/")):
        monkeypatch.chdir(place)
        followed = look(root).followed
        assert followed[f"{root}/.git/logs/y"].startswith("/proc/")
        assert followed[f"{root}/.git/logs/z"].startswith("/proc/")


def test_a_link_over_a_working_tree_is_told_wherever_that_leads(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / "docs").symlink_to(".git/refs")
    (root / ".git/MERGE_MSG").symlink_to("../docs/x")
    (root / ".git/SQUASH_MSG").symlink_to("refs/x")
    (root / ".git/logs/refs/l").symlink_to("../../lead")
    (root / ".git/lead").symlink_to("refs/y")
    # What is there now, or is not, a checkout replaces by a link: then `..` leads elsewhere.
    (root / "dir").mkdir()
    for name, way in (("FETCH_HEAD", "dir"), ("ORIG_HEAD", "missing")):
        (root / f".git/{name}").symlink_to(f"../{way}/../.git/refs/z")
    assert look(root).followed == {
        f"{root}/.git/FETCH_HEAD": f"{root}/dir",
        f"{root}/.git/ORIG_HEAD": f"{root}/missing",
        f"{root}/.git/MERGE_MSG": f"{root}/docs",
        f"{root}/.git/SQUASH_MSG": f"{root}/.git/refs/x",
        f"{root}/.git/logs/refs/l": f"{root}/.git/refs/y",
        f"{root}/.git/lead": f"{root}/.git/refs/y",
    }


def test_a_working_tree_in_a_bare_repository_is_none_of_gits_own(tmp_path: Path) -> None:
    root = tmp_path / "p"
    git(tmp_path, "clone", "-q", "--bare", str(made(tmp_path / "m")), str(root))
    git(root, "worktree", "add", "-q", "--detach", "main")
    tree = root / "main"
    (tree / "python").symlink_to("/usr/bin/python3")
    assert look(root).followed == {}, "what lies in it is nothing that Git writes through"
    (root / "worktrees/main/logs").mkdir(exist_ok=True)
    (root / "logs").mkdir(exist_ok=True)
    (root / "logs/a").symlink_to("../main/k/x")
    (root / "logs/b").symlink_to("../main/k/../../refs/x")
    (root / "logs/c").symlink_to("../refs/x")
    seen = look(root)
    assert seen.followed == {
        f"{root}/logs/a": f"{tree}/k/x", f"{root}/logs/b": f"{tree}/k",
        f"{root}/logs/c": f"{root}/refs/x",
    }  # fmt: skip
    host = Host(home="/home/a", trees={str(root): seen})
    at = Root(path=str(root), container=str(root), writable=True, project=True)
    entries = tuple((f"**/{each}", "x") for each in DEFAULT)
    exposed = protect.protection((at,), entries, host).exposed
    stopping = [each.path for each in exposed if each.stops]
    assert f"{root}/logs/c" not in stopping
    assert {f"{root}/logs/a", f"{root}/logs/b"} <= {*stopping}


def test_a_crowd_hides_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path / "p")
    for index in range(30):
        (root / f".git/logs/a{index}").symlink_to(root / "x")
    (root / ".git/logs/z").symlink_to(tmp_path / "victim")
    assert f"{root}/.git/logs/z" in look(root).followed
    for index in range(walk.MOST_LINKS):
        (root / f".git/logs/b{index}").symlink_to(tmp_path / "x")
    assert "more than 20 links" in look(root).unread[f"{root}/.git"]
    monkeypatch.setattr(git_directory, "MOST_WALKED", 20)
    assert "more than 20 entries" in look(made(tmp_path / "q")).unread[f"{tmp_path}/q/.git"]


def test_where_a_repository_takes_objects_from_is_seen(tmp_path: Path) -> None:
    made(tmp_path / "private")
    root = made(tmp_path / "p")
    (root / ".git/objects/info/alternates").write_text(f"# x\n{tmp_path}/private/.git/objects\n")
    (repository,) = look(root).repositories
    assert repository.kinds["objects/info/alternates"] is FileKind.FILE
    assert repository.alternates == (f"objects of {tmp_path}/private/.git/objects",)


@pytest.mark.parametrize(
    ("file", "text", "told_"),
    [("branches/origin", "/home/u/private#main\n", "origin is /home/u/private#main"),
     ("remotes/origin", "Push: x:x\nURL: /p/r.git\n", "origin is /p/r.git")],
)  # fmt: skip
def test_the_older_lists_of_remotes_are_seen_and_git_obeys_them(
    tmp_path: Path, file: str, text: str, told_: str
) -> None:
    root = made(tmp_path / "p")
    private = made(tmp_path / "private")
    place = root / ".git" / file
    place.parent.mkdir(exist_ok=True)
    named = text.replace("/home/u/private#main", str(private)).replace("/p/r.git", str(private))
    place.write_text(named)
    git(root, "fetch", "-q")
    head = git(private, "rev-parse", "HEAD").strip()
    assert head in (root / ".git/FETCH_HEAD").read_text(), "Git goes where the file says"
    place.write_text(text)
    (repository,) = look(root).repositories
    folder = file.partition("/")[0]
    assert repository.kinds[folder] is FileKind.DIRECTORY
    assert repository.remotes[folder] == (told_,)


def test_a_file_with_a_second_name_is_found_wherever_the_host_executes_from(
    tmp_path: Path,
) -> None:
    root = made(tmp_path / "p")
    (root / "src").mkdir()
    (root / ".vscode/deep").mkdir(parents=True)
    places = {
        root / ".envrc": root / ".envrc",
        root / ".vscode/deep/tasks.json": root / ".vscode",
        root / ".git/config": root / ".git/config",
        root / ".git/hooks/pre-commit": root / ".git/hooks",
    }
    for file in places:
        file.touch()
    assert look(root).shared == {}
    for number, file in enumerate(places):
        (root / f"src/{number}").hardlink_to(file)
    assert look(root).shared == {str(place): str(file) for file, place in places.items()}


def test_a_place_too_large_to_be_looked_through_for_second_names_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made(tmp_path / "p")
    (root / ".vscode").mkdir()
    for number in range(30):
        (root / f".vscode/{number}").touch()
    assert look(root).shared == {}
    monkeypatch.setattr(walk, "MOST_INSIDE", 20)
    assert look(root).shared == {f"{root}/.vscode": None}


def test_links_in_git_that_stay_hide_none_that_leads_out(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    for number in range(walk.MOST_LINKS + 5):
        (root / f".git/a{number}").symlink_to(root / "x")
    (root / ".git/z").symlink_to(tmp_path / "victim")
    tree = look(root)
    assert tree.followed[f"{root}/.git/z"] == str(tmp_path / "victim")
    assert "links lie in it" in tree.unread[f"{root}/.git"]


def test_settings_that_multiply_are_bounded_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made(tmp_path / "p")
    text = f'[a "{"x" * 100_000}"]\n' + "b\n" * 10_000
    (root / ".git/config").write_text(text)
    tracemalloc.start()
    tree = look(root)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 32 << 20
    assert "characters or more" in tree.unread[f"{root}/.git"]
    (root / ".git/config").write_text("[core]\n" + "x = y\n" * 50)
    made(root / "other")
    (root / "other/.git/config").write_text("[core]\n" + "x = y\n" * 60)
    assert look(root).unread == {}
    monkeypatch.setattr(git_settings, "MOST_KEPT", 100)
    tree = look(root)
    assert tree.limit == git_settings.ALL
    assert tree.unread == {}, "it is told once"


def test_very_much_configuration_is_told_once_and_hides_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, other = tmp_path / "p", made(tmp_path / "q")
    git(other, "config", "core.hooksPath", "mine")
    for number in range(10):
        (made(root / f"{number}") / ".git/config").write_text("[core]\n" + "#" * 5000)
    monkeypatch.setattr(git_settings, "MOST_ROOM", 60_000)
    assert look(root).limit is None
    monkeypatch.setattr(git_settings, "MOST_ROOM", 40_000)
    searches = [Search(root=str(each), names=NAMES, git=True) for each in (root, other)]
    trees, _, _ = repositories.gather(searches, f"{tmp_path}/home", f"{tmp_path}/home/.config")
    assert trees[str(root)].limit == git_settings.ALL
    assert trees[str(root)].unread == {}
    assert trees[str(other)].limit is None
    assert [each.path for each in trees[str(other)].repositories[0].named] == [f"{other}/mine"]


def test_what_another_path_holds_hides_nothing_of_the_repository_around_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, evil = made(tmp_path / "p"), tmp_path / "evil"
    (root / "sub/tools").mkdir(parents=True)
    git(root, "config", "core.hooksPath", "sub/tools")
    for number in range(20):
        (made(evil / str(number)) / ".git/config").write_text("[a]\n" + "b = c\n" * 1000)
    monkeypatch.setattr(git_settings, "MOST_ROOM", 60_000)
    searches = [Search(root=str(each), names=NAMES, git=True) for each in (root / "sub", evil)]
    home = f"{tmp_path}/home"
    trees, _, _ = repositories.gather(searches, home, f"{home}/.config")
    assert trees[str(evil)].limit == git_settings.ALL, "the control: the bound is reached there"
    assert [each.path for each in trees[f"{root}/sub"].named] == [f"{root}/sub/tools"]


def test_one_file_as_the_configuration_of_very_many_working_trees_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, parsed = made(tmp_path / "p"), list[int]()
    (root / "large").write_text("[core]\n" + "#" * 5000)
    for number in range(100):
        tree = root / f".git/worktrees/{number}"
        tree.mkdir(parents=True)
        (tree / "config.worktree").hardlink_to(root / "large")

    def counted(text: str) -> tuple[git_config.GitSetting, ...]:
        parsed.append(len(text))
        return git_config.parse(text)

    monkeypatch.setattr(git_settings, "parse", counted)
    monkeypatch.setattr(git_settings, "MOST_ROOM", 60_000)
    assert look(root).limit == git_settings.ALL
    assert sum(parsed) < 3 * 60_000


@pytest.mark.parametrize(
    "name",
    [".pdbrc", "bunfig.toml", "global.json", ".lfsconfig", ".npmrc", ".yarnrc.yml", ".nvmrc",
     ".yarn/releases", "pnpm-workspace.yaml", ".pnpmfile.cjs", ".cargo/config.toml",
     "_opam/.opam-switch", ".bzr/branch/branch.conf", "tools/bazel"],
)  # fmt: skip
def test_what_programs_load_where_they_are_started_is_found_at_every_level(
    tmp_path: Path, name: str
) -> None:
    root = made(tmp_path / "p")
    (root / "deep" / name).parent.mkdir(parents=True)
    (root / "deep" / name).touch()
    assert f"{root}/deep/{name}" in look(root).places
    assert f"{root}/deep/{name}" not in look(root, names=(".envrc",)).places


def executing(place: Path) -> Path:
    """Make a repository of which Git executes something in whatever is above it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    git(place.parent, "init", "-q", str(place))
    (place / ".git/config").write_text(EVIL)
    git(place, *AUTHOR, "-c", "core.fsmonitor=false", "commit", "-q", "--allow-empty", "-m", "a")
    return place


def inner(tree: Tree) -> set[str]:
    return {each.path for each in tree.believed if "is a repository in what is" in each.reason}


@pytest.mark.parametrize(
    "head", ["garbage", "ref: x", "", " ref: refs/heads/main", "ref: refs/heads/main"]
)
@pytest.mark.parametrize("folder", ["logs", "refs/heads", "objects/ab", "hooks", "info/x"])
def test_a_repository_in_what_is_gits_own_is_told_and_stops(
    tmp_path: Path, head: str, folder: str
) -> None:
    """For some versions of Git a submodule's may lie there, whatever it is for jailoc."""
    root = made(tmp_path / "p")
    outer = root / ".git/modules/a"
    (outer / "objects").mkdir(parents=True)
    (outer / "refs").mkdir()
    within = outer / folder / "b"
    within.parent.mkdir(parents=True, exist_ok=True)
    git(tmp_path, "init", "-q", "--bare", str(within))
    (outer / "HEAD").write_text(f"{head}\n")
    assert inner(look(root)) == {str(within)}
    shutil.rmtree(within)
    assert inner(look(root)) == set()


@pytest.mark.parametrize("name", [".git\u00ad", ".GIT", ".g\u200cit", ".gat"])
def test_git_goes_into_what_is_no_git_directory_of_its_own(tmp_path: Path, name: str) -> None:
    """Where the case counts, and with it all signs, that is a directory like others."""
    root = made(tmp_path / "p")
    hidden = executing(root / name / "logs/x")
    commit = git(hidden, "-c", "core.fsmonitor=false", "rev-parse", "HEAD").strip()
    link = f"160000,{commit},{name}/logs/x"
    git(root, "-c", "core.protectHFS=false", "-c", "core.protectNTFS=false",
        "update-index", "--add", "--cacheinfo", link) if name != ".GIT" else None  # fmt: skip
    (hidden / ".envrc").touch()
    tree = look(root)
    assert str(hidden / ".git") in {each.directory for each in tree.repositories} | inner(tree)
    assert str(hidden / ".envrc") in tree.places
    if name != ".GIT":
        git(root, "status")
        assert (hidden / "hit").exists(), "the control: Git runs it"


@pytest.mark.parametrize(
    "target",
    ["../.git/logs/e", "../.git/l\udcff/e", "/proc/self/cwd/.git/logs/e",
     "/proc/self/cwd/far/../../../.git/logs/e", "/dev/fd/../cwd/far/../../../.git/logs/e"],
)  # fmt: skip
def test_what_a_file_names_is_found_however_it_says_so(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    root = made(tmp_path / "p")
    git(root, "init", "-q", "--bare", ".git/logs/e")
    (root / "sub").mkdir()
    (root / "sub/.git").write_bytes(os.fsencode(f"gitdir: {target}\n"))
    (root / os.fsdecode(b".git/l\xff")).symlink_to("logs")
    tree = look(root)
    assert inner(tree) == {f"{root}/.git/logs/e"}
    odd = target != "../.git/logs/e"
    assert ("another for each program" in tree.troubles.get(f"{root}/sub/.git", "")) is odd


@pytest.mark.parametrize("decoy", ["config.worktree", "CONFIG"])
def test_a_file_that_git_does_not_read_takes_no_cover_away(tmp_path: Path, decoy: str) -> None:
    root = made(tmp_path / "p")
    git(root, "config", "core.hooksPath", "githooks")
    for each in ("githooks", "sub/githooks"):
        (root / each).mkdir(parents=True)
    assert named(look(root)) == {f"{root}/githooks"}
    (root / ".git" / decoy).write_text("[core]\nworktree = ../sub\nignorestat = true\n")
    assert named(look(root)) == {f"{root}/githooks", f"{root}/sub/githooks"}
    (root / "a").touch()
    git(root, "add", "a")
    git(root, "update-index", "--assume-unchanged", "a")
    assert any("--assume-unchanged" in each.reason for each in look(root).believed)
    many = "".join(f"[core]\nworktree = ../{each}\n" for each in range(9))
    (root / ".git/config").write_text(many)
    assert "more than 8 working trees" in look(root).unread[f"{root}/.git"]


def test_a_working_tree_is_where_the_way_to_it_leads(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / "a/b/c").mkdir(parents=True)
    (root / "l").symlink_to("a/b/c")
    (root / "a/b/w/hk").mkdir(parents=True)
    for key, value in (("core.worktree", "../l/../w"), ("core.hooksPath", "hk")):
        git(root, "config", key, value)
    assert git(root, "rev-parse", "--show-toplevel").strip() == f"{root}/a/b/w"
    assert f"{root}/a/b/w/hk" in named(look(root))


def named(tree: Tree) -> set[str]:
    return {each.path for one in tree.repositories for each in one.named}


def test_a_working_tree_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (tmp_path / "victim").mkdir()
    (root / os.fsdecode(b"\xff")).symlink_to(tmp_path / "victim")
    (root / ".git/config").write_bytes(b"[core]\nworktree = ../\xff\n")
    assert any("core.worktree" in each.reason and each.stops for each in look(root).believed)


def test_what_a_directory_of_hooks_has_is_told_wherever_that_is(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    git(root, "config", "core.hooksPath", "githooks")
    (root / "githooks").mkdir()
    (root / "githooks/pre-commit").write_text("")
    assert look(root).repositories[0].named[0].hooks == ()
    (root / "githooks/pre-commit").chmod(0o755)
    (only,) = look(root).repositories[0].named
    assert (only.path, only.hooks) == (f"{root}/githooks", ("hook pre-commit",))
    (wanted,) = repository.named([only], {str(root): str(root)}, [str(root)])
    assert wanted.executes == ("core.hookspath = githooks", "hook pre-commit")


def test_a_link_in_what_is_covered_to_what_each_program_has_is_told(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / ".husky").mkdir()
    for each in (".git/hooks/pre-commit", ".husky/pre-commit"):
        (root / each).symlink_to("/proc/self/cwd/evil.sh")
    tree = look(root)
    assert tree.repositories[0].hooks == ("hook pre-commit",)
    assert {each for each, why in tree.troubles.items() if "each program" in why} == {
        f"{root}/.git/hooks/pre-commit", f"{root}/.husky/pre-commit",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "told_"),
    [("include.path = /proc/self/cwd/inc", True), ("core.fsmonitor = /proc/self/cwd/x.sh", True),
     ("core.hooksPath = /proc/thread-self/cwd/hk", True), ("core.hooksPath = hk", False),
     ("alias.x = !cat /dev/stdin", False), ("core.editor = /dev/fd/../cwd/vi", True),
     ("core.editor = way/vi", True)],
)  # fmt: skip
def test_a_configuration_that_names_what_each_program_has_is_told(
    tmp_path: Path, setting: str, told_: bool
) -> None:
    root = made(tmp_path / "p")
    (root / "hk").mkdir()
    (root / "way").symlink_to("/proc/self/cwd")
    git(root, "config", *setting.split(" = "))
    assert ("each program" in look(root).unread.get(f"{root}/.git", "")) is told_


def test_what_git_makes_beside_what_it_has_is_followed_too(tmp_path: Path) -> None:
    """As `git fsck --lost-found` does, and other programs do."""
    root = made(tmp_path / "p")
    (root / ".git/lost-found/other").mkdir(parents=True)
    (root / ".git/lost-found/other/x").symlink_to(tmp_path / "out")
    (root / ".git/lost-found/y").symlink_to("other/y")
    assert look(root).followed == {
        f"{root}/.git/lost-found/other/x": f"{tmp_path}/out",
        f"{root}/.git/lost-found/y": f"{root}/.git/lost-found/other/y",
    }


def test_hooks_that_are_a_clone_and_names_that_are_none_stop_nothing(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    made(tmp_path / "hooks")
    shutil.rmtree(root / ".git/hooks")
    git(root, "clone", "-q", str(tmp_path / "hooks"), ".git/hooks")
    git(root, "worktree", "add", "-q", "--detach", "../w")
    (root / ".git/worktrees/w/gitdir").write_text("a\0b/.git\n")
    tree = look(root)
    assert inner(tree) == set()


def test_a_submodules_hooks_are_looked_for_in_its_working_tree_alone(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    made(tmp_path / "lib")
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(tmp_path / "lib"), "sub")  # fmt: skip
    git(root / "sub", "config", "core.hooksPath", ".husky")
    assert named(look(root)) == {f"{root}/sub/.husky"}


def test_what_lies_elsewhere_is_told_by_its_name(tmp_path: Path) -> None:
    """Another agent may write it later."""
    root = made(tmp_path / "p")
    git(root, "config", "include.path", f"{tmp_path}/q/more")
    (root / ".git/hooks/pre-commit").symlink_to(tmp_path / "q/hook")
    (repository_,) = look(root).repositories
    assert repository_.settings == {"config": (f"include.path = {tmp_path}/q/more",)}
    assert repository_.hooks == ("hook pre-commit",)


def test_two_directories_of_hooks_hide_none_of_the_other(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / ".git/hooks/pre-commit").write_text("")
    (root / ".git/hooks/pre-commit").chmod(0o755)
    (root / ".git/hooks\u00ad").mkdir()
    (root / ".git/HOOKS").mkdir()
    assert look(root).repositories[0].hooks == ("hook pre-commit",)


@pytest.mark.parametrize(
    ("name", "link"),
    [(".cargo/config.toml", ".cargo"), ("_opam/.opam-switch", "_opam"),
     (".bzr/branch/branch.conf", ".bzr/branch"), (".bzr/branch/branch.conf", ".bzr"),
     (".npmrc", ".npmrc")],
)  # fmt: skip
def test_a_link_on_the_way_to_such_a_file_is_told(tmp_path: Path, name: str, link: str) -> None:
    root = made(tmp_path / "p")
    (root / "aside" / name).parent.mkdir(parents=True)
    (root / "aside" / name).touch()
    place = root / "deep" / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(root / "aside" / link)
    tree = look(root, names=(name,))
    assert (root / "deep" / name).exists()
    assert list(tree.links) == [f"{root}/deep/{name}"]


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        (".pdbrc", "import os; os.system('touch ran')", ("python3", "-m", "pdb", "x.py")),
        (".perldb", "system('touch ran');", ("perl", "-d", "x.pl")),
    ],
)
def test_control_such_a_file_is_run(
    tmp_path: Path, name: str, text: str, command: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / command[-1]).write_text("1\n")
    subprocess.run(command, cwd=tmp_path, input=b"q\n", capture_output=True, check=False)
    assert (tmp_path / "ran").exists()


def test_submodules_that_are_not_there_are_found_as_far_as_their_way_is(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    commit = git(root, "rev-parse", "HEAD").strip()
    there = made(root / "there")
    (root / "later").mkdir()
    (root / "linked").symlink_to("there")
    for name in ("there", "later", "gone/deep/x", "linked", "sub/x"):
        git(root, "update-index", "--add", "--cacheinfo", f"160000,{commit},{name}")
    git(root, "worktree", "add", "-q", "tree")
    git(root / "tree", "update-index", "--add", "--cacheinfo", f"160000,{commit},own")
    (root / "sub").mkdir()
    assert look(root).empty == {
        f"{root}/later": None,
        f"{root}/gone": None,
        f"{root}/linked": "Git has a submodule there or below it, and it is no directory",
        f"{root}/sub/x": None,
        f"{root}/tree/own": None,
    }
    assert there.is_dir()


def test_submodules_of_a_working_tree_whose_repository_is_elsewhere_are_found_too(
    tmp_path: Path,
) -> None:
    root, outside = tmp_path / "p", tmp_path / "outer"
    root.mkdir()
    git(root, "init", "-q", "--separate-git-dir", str(root / "store"), "apart")
    git(root / "apart", "commit", "-q", "--allow-empty", "-m", "x")
    commit = git(root / "apart", "rev-parse", "HEAD").strip()
    git(root / "apart", "update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    assert look(root).empty == {f"{root}/apart/sub": None}
    # A path in a working tree, whose repository the agent does not see.
    made(outside)
    part = outside / "part"
    part.mkdir()
    for name in ("part/sub", "other"):
        git(outside, "update-index", "--add", "--cacheinfo", f"160000,{commit},{name}")
    assert look(part).empty == {f"{part}/sub": None}
    git(outside, "worktree", "add", "-q", str(tmp_path / "tree"))
    linked = tmp_path / "tree/part"
    linked.mkdir()
    git(tmp_path / "tree", "update-index", "--add", "--cacheinfo", f"160000,{commit},part/sub")
    assert look(linked).empty == {f"{linked}/sub": None}


def test_what_lies_in_the_git_directory_of_a_working_tree_alone_is_found(tmp_path: Path) -> None:
    outer, tree = made(tmp_path / "outer"), tmp_path / "tree"
    git(outer, "worktree", "add", "-q", str(tree))
    own = outer / ".git/worktrees/tree"
    for each in ("foo", "modules/a", "logs/b"):
        (own / each).parent.mkdir(exist_ok=True)
        git(outer, "init", "-q", "--bare", str(own / each))
    search, home = Search(root=str(tree), names=NAMES, git=True), str(tmp_path / "home")
    trees, _, _ = repositories.gather([search], home, home)
    assert found(trees[str(own)], own) == [".", "foo", "modules/a"]
    assert inner(trees[str(own)]) == {f"{own}/logs/b"}


def test_submodules_are_looked_for_in_the_working_tree_that_git_means(tmp_path: Path) -> None:
    root = tmp_path / "p"
    main = made(root / "main")
    commit = git(main, "rev-parse", "HEAD").strip()
    git(main, "worktree", "add", "-q", str(root / "tree"))
    (main / ".git/worktrees/tree/gitdir").write_text("../../../../tree/.git\n")
    git(root / "tree", "update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    tool = made(root / "tool")
    git(tool, "config", "core.worktree", "../..")
    git(root, "--git-dir", "tool/.git", "update-index", "--add", "--cacheinfo",
        f"160000,{commit},lib")  # fmt: skip
    # And in the one that it would be, did Git not read what says so.
    assert look(root).empty == {
        f"{root}/tree/sub": None, f"{root}/lib": None, f"{root}/tool/lib": None,
    }  # fmt: skip


def test_what_objects_are_borrowed_from_is_known_as_a_place(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    (root / "store").mkdir()
    (root / "way").symlink_to("store")
    (root / ".git/objects/info/alternates").write_text(f"../../store\n# no\n{root}/way\n/none\n")
    (found,) = look(root).repositories
    assert [(each.path, each.real, each.kind) for each in found.borrowed] == [
        (f"{root}/store", f"{root}/store", FileKind.DIRECTORY),
        (f"{root}/way", f"{root}/store", FileKind.DIRECTORY),
        ("/none", "/none", None),
    ]


def test_of_an_index_that_does_not_say_where_a_submodule_is_that_is_told(tmp_path: Path) -> None:
    root = made(tmp_path / "p")
    commit = git(root, "rev-parse", "HEAD").strip()
    (root / "cc").write_text("x")
    git(root, "add", "cc")
    git(root, "update-index", "--split-index")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{commit},cc")
    ((place, why),) = look(root).empty.items()
    assert place == f"{root}/.git/index"
    assert "--no-split-index" in (why or "")


def test_no_repository_of_an_agents_passes_for_the_one_of_a_working_tree(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    git(root, "init", "-q", "--separate-git-dir", str(root / "store"), "apart")
    git(root / "apart", "commit", "-q", "--allow-empty", "-m", "x")
    commit = git(root / "apart", "rev-parse", "HEAD").strip()
    git(root / "apart", "update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    other = made(root / "other")
    (other / "f").write_text("f")
    git(other, "add", "f")
    git(other, "config", "core.worktree", str(root / "apart"))
    assert look(root).empty == {f"{root}/apart/sub": None}


def test_so_is_what_these_borrow_from_whose_repository_it_ever_is(tmp_path: Path) -> None:
    """Git follows them in turn, and a path in quotes (git 2.39)."""
    root = made(tmp_path / "p")
    blob = git(root, "hash-object", "-w", "--stdin").strip()  # of nothing
    for name in ("one", "two", "a b"):
        (root / name / "info").mkdir(parents=True)
    lent = root / "a b" / blob[:2]
    lent.mkdir()
    (root / f".git/objects/{blob[:2]}/{blob[2:]}").rename(lent / blob[2:])
    (root / "one/info/alternates").write_text(f"{root}/two\n")
    (root / "two/info/alternates").write_text(f'"{root}/a\\040b"\n')
    (root / ".git/objects/info/alternates").write_text("../../one\n")
    assert git(root, "cat-file", "-t", blob) == "blob\n", "Git finds it"
    (found,) = look(root).repositories
    places = [f"{root}/{name}" for name in ("one", "two", "a b")]
    assert [each.path for each in found.borrowed] == places
    git(root, "config", "lfs.storage", f"{root}/lfs")
    assert [each.path for each in look(root).repositories[0].borrowed] == [*places, f"{root}/lfs"]
    # Of a repository elsewhere, too: by a file, and around a path.
    (root / ".git").rename(tmp_path / "store")
    (root / ".git").write_text(f"gitdir: {tmp_path}/store\n")
    (tmp_path / "store/objects/info/alternates").write_text(f"{root}/one\n")
    assert [each.path for each in look(root).borrowed] == places
    part = root / "two"
    (part / "deep").mkdir()
    (root / "one/info/alternates").write_text(f"{part}/deep\n")
    assert f"{part}/deep" in [each.path for each in look(part).borrowed]
