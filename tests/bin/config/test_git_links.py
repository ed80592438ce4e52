"""Which repository a working tree belongs to: a repository says so itself, nobody else can."""

import os
from pathlib import Path

import pytest

from jailoc.bin.config import git_links, repositories
from jailoc.generators.config.mentioned import Search
from jailoc.model.host import Gathered, GitLink
from tests.bin.config.test_repositories import git, made


def look(path: Path, home: Path | None = None) -> Gathered:
    place = str(home or path.parent / "home")
    search = Search(root=str(path), names=(), git=True)
    return repositories.gather([search], place, f"{place}/.config", [str(path)])


def linked(tmp_path: Path) -> tuple[Path, Path]:
    main = made(tmp_path / "main")
    git(main, "worktree", "add", "-q", "../feat")
    return main, tmp_path / "feat"


def only(path: Path) -> GitLink:
    (link,) = look(path).git.links
    return link


@pytest.mark.parametrize("relative", [False, True])
def test_a_linked_working_tree_is_one_that_its_repository_names(
    tmp_path: Path, relative: bool
) -> None:
    main, feat = linked(tmp_path)
    own = main / ".git/worktrees/feat"
    if relative:  # as Git 2.48 writes it (worktree.useRelativePaths)
        (feat / ".git").write_text("gitdir: ../main/.git/worktrees/feat\n")
        (own / "gitdir").write_text(os.path.relpath(feat / ".git", own) + "\n")
        assert git(feat, "status", "--short") == ""
    link = only(feat)
    assert (link.worktree, link.trouble) == (True, None)
    assert (link.directory, link.common) == (str(own), f"{main}/.git")
    assert link.shared == ("logs", "objects", "refs")


def test_a_file_that_names_the_working_tree_of_somebody_else_is_none(tmp_path: Path) -> None:
    _, feat = linked(tmp_path)
    for name, make in (
        ("copied", lambda place: place.write_text((feat / ".git").read_text())),
        ("linked", lambda place: place.symlink_to(feat / ".git")),
        ("hard", lambda place: os.link(feat / ".git", place)),
    ):
        mine = tmp_path / name
        mine.mkdir()
        make(mine / ".git")
        assert git(mine, "rev-parse", "--git-dir"), "Git itself takes it"
        assert not any(each.worktree for each in look(mine).git.links), name


def test_a_working_tree_that_leaves_its_repository_is_trouble(tmp_path: Path) -> None:
    main, feat = linked(tmp_path)
    other = made(tmp_path / "other")
    (main / ".git/worktrees/feat/commondir").write_text(f"{other}/.git\n")
    assert "outside of its repository" in (only(feat).trouble or "")
    (main / ".git/worktrees/feat/commondir").write_text("../..\n")
    (main / ".git/logs").rename(tmp_path / "logs")
    (main / ".git/logs").symlink_to(tmp_path / "logs")
    assert "symbolic link" in (only(feat).trouble or "")


def test_what_decides_in_the_working_trees_directory_is_known(tmp_path: Path) -> None:
    main, feat = linked(tmp_path)
    git(main, "config", "extensions.worktreeConfig", "true")
    own = f"{main}/.git/worktrees/feat"
    (found,) = look(feat).trees[own].repositories
    assert found.linked
    assert {*found.kinds} == {"commondir", "gitdir"}
    assert found.trees == (".",)
    made(tmp_path / "lib")
    git(feat, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(tmp_path / "lib"), "sub")  # fmt: skip
    assert [each.directory for each in look(feat).trees[own].repositories] == [
        own, f"{own}/modules/sub",
    ]  # fmt: skip


def test_a_submodule_and_a_folder_know_what_they_are_part_of(tmp_path: Path) -> None:
    top = made(tmp_path / "src/top")
    made(tmp_path / "lib")
    git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(tmp_path / "lib"), "sub")  # fmt: skip
    link = only(top / "sub")
    assert (link.worktree, link.common) == (False, f"{top}/.git/modules/sub")
    (top / "packages/a").mkdir(parents=True)
    home = str(tmp_path / "home")
    assert git_links.top_of(str(top / "packages/a"), home) == str(top)
    assert git_links.top_of(str(top), home) is None
    assert git_links.top_of(str(tmp_path / "src"), home) is None
    # A repository of the whole home directory is none of a project's.
    made(tmp_path / "home")
    (tmp_path / "home/code").mkdir()
    assert git_links.top_of(f"{home}/code", home) is None


def test_files_and_programs_of_the_users_configuration_are_found(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/config").write_text("[core]\npager = delta --dark\n[commit]\ngpgsign=1\n")
    (home / ".gitconfig").write_text(
        "[include]\npath = more\n[credential]\nhelper = store\nhelper = !/opt/gh auth x\n"
        '[filter "lfs"]\nprocess = git-lfs filter-process\n[core]\nfsmonitor = true\n'
        "[commit]\ntemplate = ~/template\n[user]\nsigningkey = ~/.ssh/id\n[alias]\nx = !evil\n"
    )
    (home / "more").write_text("[commit]\ngpgsign = false\n[core]\neditor = $X\n")
    (home / "template").write_text("\n")
    (home / ".ssh").mkdir()
    for name in ("id", "id.pub"):
        (home / ".ssh" / name).write_text("key\n")
    path = made(tmp_path / "p")
    found = look(path, home).git
    assert {each.path.removeprefix(f"{home}/") for each in found.files} == {
        ".config/git/config", "more", "template", ".ssh/id.pub",
    }  # fmt: skip
    assert {each.name: each.key for each in found.programs} == {
        "delta": "core.pager", "git-credential-store": "credential.helper",
        "/opt/gh": "credential.helper", "git-lfs": "filter.lfs.process",
    }  # fmt: skip
    assert found.user["user.signingkey"] == "~/.ssh/id"
