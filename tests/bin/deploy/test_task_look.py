"""What is told of a task's clone: the script itself runs here, on a repository of this machine."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jailoc.bin.deploy import task_look

ME = {f"GIT_{who}_{what}": "a@a.example" for who in ("AUTHOR", "COMMITTER")
      for what in ("NAME", "EMAIL")}  # fmt: skip


def git(place: Path, *words: str) -> str:
    quiet = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return subprocess.run(
        ["git", "-C", str(place), *words], env={**os.environ, **ME, **quiet}, check=True,
        capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Make a clone on its branch, with a file."""
    place = tmp_path / "clone"
    place.mkdir()
    git(place, "init", "-q", "-b", "task/fix")
    (place / "file").write_text("one\n")
    (place / ".gitignore").write_text("built\n")
    git(place, "add", "-A")
    git(place, "commit", "-qm", "base")
    return place


def fetched(place: Path) -> str:
    """Return the tree that a fetch of what is not committed brings home now."""
    script = f'set -eu\ncd "$1"\n{task_look.STAGE}\ngit write-tree'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "send", str(place)], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def told(place: Path, tree: str, *known: str) -> list[str]:
    before = (place / ".git/index").read_bytes(), sorted((place / ".git/objects").rglob("*"))
    words = ("look", str(place), "task/fix", tree, "/srv/api", *known)
    done = subprocess.run(
        ["/bin/sh", "-c", task_look.STATE, *words],
        check=True, capture_output=True, text=True,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
    )  # fmt: skip
    after = (place / ".git/index").read_bytes(), sorted((place / ".git/objects").rglob("*"))
    assert after == before, "nothing is written there"
    return done.stdout.splitlines()[1:]


def changed(place: Path) -> None:
    (place / "file").write_text("two\n")


def made(place: Path) -> None:
    (place / "new").mkdir()
    (place / "new/file").write_text("new\n")


def removed(place: Path) -> None:
    (place / "file").unlink()


def executable(place: Path) -> None:
    (place / "file").chmod(0o755)


def staged(place: Path) -> None:
    changed(place)
    git(place, "add", "file")


KINDS = [changed, made, removed, executable, staged]


@pytest.mark.parametrize("change", KINDS)
def test_what_came_home_is_home_until_something_differs(
    clone: Path, change: Callable[[Path], None]
) -> None:
    base = git(clone, "rev-parse", "HEAD")
    assert told(clone, "", base) == ["new 0"]
    change(clone)
    assert told(clone, "", base) == ["new 0", "dirty"]
    assert told(clone, git(clone, "rev-parse", "HEAD^{tree}"), base) == ["new 0", "dirty"]
    tree = fetched(clone)
    assert told(clone, tree, base) == ["new 0", "dirty", "home"]
    (clone / "built").write_text("ignored\n")
    assert told(clone, tree, base) == ["new 0", "dirty", "home"]
    (clone / "later").write_text("")
    assert told(clone, tree, base) == ["new 0", "dirty"]


@pytest.mark.parametrize("how", ["--skip-worktree", "--assume-unchanged"])
@pytest.mark.parametrize("name", ["file", "-n", 'a "b\\c\td\ne', "\u00e9"])
def test_no_index_hides_a_change(clone: Path, how: str, name: str) -> None:
    (clone / name).write_text("one\n")
    git(clone, "add", "--all")
    git(clone, "commit", "-q", "--allow-empty", "-m", "named")
    base = git(clone, "rev-parse", "HEAD")
    git(clone, "update-index", how, "--", name)
    assert told(clone, "", base) == ["new 0"]
    (clone / name).write_text("two\n")
    assert git(clone, "status", "--porcelain") == "", "the control: Git says nothing of it"
    assert told(clone, "", base) == ["new 0", "dirty"]
    assert told(clone, fetched(clone), base) == ["new 0", "dirty", "home"]


@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [("https://example.com/a.git", True), ("git@example.com:a.git", True),
     ("/srv/w", False), ("../w", False), ("file:///srv/w", False), ("http://127.0.0.1/w", False),
     ("w", False), ("git@localhost:x", False), ("ssh://u@[::1]/w", False), ("ext::sh", False)],
)  # fmt: skip
def test_what_a_remote_has_is_elsewhere_if_it_is(clone: Path, url: str, elsewhere: bool) -> None:
    base = git(clone, "rev-parse", "HEAD")
    git(clone, "commit", "-q", "--allow-empty", "-m", "new")
    git(clone, "remote", "add", "other", url)
    assert told(clone, "", base) == ["new 1"]
    git(clone, "update-ref", "refs/remotes/other/main", "HEAD")
    assert told(clone, "", base) == ["new 0" if elsewhere else "new 1"]


def test_no_colours_hide_a_pointer(clone: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    (clone / "large").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (clone / ".gitattributes").write_text("* -diff\n")
    git(clone, "add", "--all")
    git(clone, "commit", "-q", "-m", "large")
    git(clone, "config", "color.ui", "always")
    assert told(clone, "", base) == ["new 1", "inside"]


def test_a_change_in_the_same_moment_as_the_last_look_comes_home(clone: Path) -> None:
    git(clone, "config", "core.trustctime", "false")
    base, moment = git(clone, "rev-parse", "HEAD"), 1_700_000_000 * 10**9
    os.utime(clone / "file", ns=(moment, moment))
    git(clone, "add", "--refresh", "file")  # the index has that moment of it
    changed(clone)  # and as many bytes
    for each in ("file", ".git/index"):
        os.utime(clone / each, ns=(moment, moment))
    tree = fetched(clone)
    assert tree != git(clone, "rev-parse", "HEAD^{tree}")
    assert told(clone, tree, base) == ["new 0", "dirty", "home"]


def test_what_no_commit_holds_is_never_home(clone: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    staged(clone)
    (clone / "file").write_text("three\n")
    assert told(clone, fetched(clone), base) == ["new 0", "dirty", "beside"]
    git(clone, "checkout", "-q", "HEAD", "file")
    inner = clone / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    git(inner, "commit", "-qm", "x", "--allow-empty")
    (inner / "file").write_text("nowhere else\n")
    assert told(clone, fetched(clone), base) == ["new 0", "dirty", "beside"]


def stashed(place: Path) -> None:
    changed(place)
    git(place, "stash")


def detached(place: Path) -> None:
    git(place, "checkout", "-q", "--detach")
    git(place, "commit", "-q", "--allow-empty", "-m", "own")


def tagged(place: Path) -> None:
    detached(place)
    git(place, "tag", "kept")
    git(place, "checkout", "-q", "task/fix")


def put_aside(place: Path) -> None:
    changed(place)
    made = git(place, "stash", "create")
    git(place, "checkout", "-q", "file")
    (place / ".git/rebase-merge").mkdir()
    (place / ".git/rebase-merge/autostash").write_text(f"{made}\n")


@pytest.mark.parametrize("put", [stashed, detached, tagged, put_aside])
def test_what_no_branch_has_counts(clone: Path, put: Callable[[Path], None]) -> None:
    base = git(clone, "rev-parse", "HEAD")
    # What came from a remote is there.
    other = git(clone, "commit-tree", "-m", "theirs", f"{base}^{{tree}}")
    git(clone, "update-ref", "refs/remotes/origin/main", other)
    (clone / ".git/refs/heads/broken").write_text(f"{'1' * 40}\n")
    assert told(clone, "", base) == ["new 0"]
    put(clone)
    new, elsewhere = told(clone, "", base)
    assert (new != "new 0", elsewhere) == (True, "elsewhere")


def test_what_a_repository_inside_has_committed_is_nowhere_else(clone: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    inner = clone / "lib"
    inner.mkdir()
    git(inner, "init", "-q")
    git(inner, "commit", "-qm", "x", "--allow-empty")
    git(clone, "add", "lib")
    git(clone, "commit", "-qm", "lib")
    assert told(clone, "", base) == ["new 1", "inside"]
    assert told(clone, "", base, git(clone, "rev-parse", "HEAD")) == ["new 0", "inside"]
    # One that was there when the task began is somewhere else, too.
    assert told(clone, "", git(clone, "rev-parse", "HEAD")) == ["new 0"]


def test_nor_is_what_git_lfs_has(clone: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    (clone / "asset").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    git(clone, "add", "asset")
    git(clone, "commit", "-qm", "asset")
    tip = git(clone, "rev-parse", "HEAD")
    assert told(clone, "", base, tip) == ["new 0", "inside"]
    assert told(clone, "", tip) == ["new 0"]


def test_changes_in_a_linked_working_tree_count(clone: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    (clone / ".git/info/exclude").write_text(".worktrees/\n")
    git(clone, "worktree", "add", "-q", "--detach", ".worktrees/w")
    (clone / ".git/worktrees/w/gitdir").write_text("/srv/api/.worktrees/w/.git\n")
    assert told(clone, "", base) == ["new 0"]
    (clone / ".worktrees/w/new").touch()
    assert told(clone, "", base) == ["new 0", "linked"]
    # Git 2.48 writes where it is from there, if it is told to.
    (clone / ".git/worktrees/w/gitdir").write_text("../../../.worktrees/w/.git\n")
    assert told(clone, "", base) == ["new 0", "linked"]
    (clone / ".git/worktrees/w/gitdir").write_text("/srv/gone/.git\n")
    assert told(clone, "", base) == ["new 0"]


def test_commits_below_what_came_home_are_home_and_unknown_ones_count_for_nothing(
    clone: Path,
) -> None:
    base = git(clone, "rev-parse", "HEAD")
    git(clone, "commit", "-q", "--allow-empty", "-m", "own")
    tip = git(clone, "rev-parse", "HEAD")
    assert told(clone, "", base) == ["new 1"]
    assert told(clone, "", base, tip) == ["new 0"]
    assert told(clone, "", base, "1" * 40) == ["new 1"]
    assert told(clone, "", "1" * 40) == ["new 2"]
