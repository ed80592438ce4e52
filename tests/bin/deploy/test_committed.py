"""What Git on the host would write over a cover is told, and nothing else is.

Each attack is first shown with the real Git, which writes it over the covered file.
"""

import os
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jailoc.bin.config.source import LoadedConfig, check
from jailoc.bin.deploy import committed
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.deployed import Applied
from tests.bin.config.test_repositories import AUTHOR, git, made

EVIL, GOOD = "echo the agent was here\n", "echo good\n"
HOOK = ".husky/pre-commit"
RECORD: Any = Applied


class Project:
    """A workspace with one repository in which a hook is covered."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
        self.top = place / "p"
        self.top.mkdir()
        git(self.top, "init", "-q", "-b", "main", *more)
        self.hook = self.top / HOOK
        self.hook.parent.mkdir()
        self.hook.write_text(GOOD)
        self.hook.chmod(0o755)
        (self.top / "a.py").write_text("one\n")
        self.commit("first")
        self.applied: Any = None
        monkeypatch.setattr(committed, "last", lambda _: self.applied)

    def commit(self, message: str) -> None:
        git(self.top, "add", "-A")
        git(self.top, *AUTHOR, "commit", "-q", "-m", message)

    def origin(self) -> LoadedConfig:
        text = f'[workspaces.a]\nmounts = ["{self.top}:/data/p:rw"]\n'
        return check(text, self.top.parent / "config.toml")

    def start(self) -> None:
        """Write down what there is, as a start does."""
        origin = self.origin()
        compose = compile_workspace(origin.config, "a", origin.host).compose
        known = committed.look(origin, "a").accepted
        self.applied = RECORD.model_construct(compose=compose, committed=known)
        # It is kept as text.
        assert RECORD.model_construct(committed=known).model_dump_json()

    def told(self) -> list[str]:
        found = committed.rows(self.origin(), "a")
        return [each.removeprefix(f"{self.top}/") for each in found]

    def blob(self, text: str) -> str:
        aside = self.top.parent / "blob"
        aside.write_text(text)
        return git(self.top, "hash-object", "-w", str(aside)).strip()

    def stage(self, path: str, text: str, mode: str = "100755") -> None:
        """Do what an agent can: put something into the index, not into the working tree."""
        git(self.top, "update-index", "--add", "--cacheinfo", f"{mode},{self.blob(text)},{path}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return Project(tmp_path, monkeypatch)


def stash(project: Project) -> None:
    (project.top / "a.py").write_text("two\n")
    git(project.top, *AUTHOR, "stash", "-q")


COMMIT = ("-c", "core.hooksPath=/dev/null", *AUTHOR, "commit", "-q", "-m", "x")


@pytest.mark.parametrize(
    ("how", "commands", "write"),
    [
        ("staged", [], lambda it: git(it.top, "checkout", "-q", ".")),
        ("staged and committed", [COMMIT], stash),
        ("committed", [COMMIT, ("reset", "-q", "--soft", "HEAD"),
                       ("read-tree", "HEAD~1")], lambda it: git(it.top, "reset", "-q", "--hard")),
    ],
)  # fmt: skip
def test_what_git_would_write_over_a_cover_is_told(
    project: Project,
    how: str,
    commands: list[tuple[str, ...]],
    write: Callable[[Project], object],
) -> None:
    project.start()
    assert project.told() == []
    project.stage(HOOK, EVIL)
    for each in commands:
        git(project.top, *each)
    (line,) = project.told()
    assert line.startswith(f"{HOOK}: {how} since the start, and `git ")
    assert project.hook.read_text() == GOOD
    write(project)
    assert project.hook.read_text() == EVIL
    # Now everybody sees what it is.
    assert project.told() == []


def test_no_git_runs_where_an_agent_writes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = project.top / "tmp"
    inside.mkdir()
    monkeypatch.setenv("TMPDIR", str(inside))
    monkeypatch.setattr("tempfile.tempdir", None)
    project.start()
    project.stage(HOOK, EVIL)
    mtime = inside.stat().st_mtime_ns
    assert len(project.told()) == 1
    assert inside.stat().st_mtime_ns == mtime


def test_another_start_does_not_make_it_known(project: Project) -> None:
    project.start()
    project.stage(HOOK, EVIL)
    before = project.told()
    project.start()
    assert project.told() == before != []
    git(project.top, "reset", "-q")
    assert project.told() == []


def test_what_is_new_is_told_and_what_is_not_protected_is_not(project: Project) -> None:
    project.start()
    project.stage(".envrc", EVIL, "100644")
    project.stage("deep/er/.vscode/tasks.json", EVIL, "100644")
    project.stage("b.py", EVIL, "100644")
    project.stage(".husky-not", EVIL, "100644")
    project.stage("link/.idea", "/etc", "120000")
    assert [each.partition(":")[0] for each in project.told()] == [
        ".envrc", "deep/er/.vscode/tasks.json", "link/.idea",
    ]  # fmt: skip


def test_no_crowd_hides_what_is_covered(project: Project) -> None:
    project.start()
    project.stage(HOOK, EVIL)
    for number in range(20):
        project.stage(f"!{number}/.envrc", EVIL, "100644")
    told = project.told()
    assert len(told) == 21
    assert told[0].startswith(f"{HOOK}: ")


def test_changes_of_the_users_own_are_not_told(project: Project) -> None:
    project.hook.write_text("echo mine, not committed\n")
    project.start()
    assert project.told() == []
    project.hook.write_text("echo mine, edited meanwhile\n")
    assert project.told() == []
    project.commit("mine")
    assert project.told() == []
    git(project.top, "checkout", "-q", "HEAD~1")
    assert project.told() == []


def test_lines_that_end_as_elsewhere_are_the_same(project: Project) -> None:
    project.start()
    git(project.top, "config", "core.autocrlf", "true")
    project.hook.write_bytes(b"one\r\ntwo\r\n")
    project.commit("crlf")
    assert project.told() == []


def test_a_hook_that_only_becomes_executable_is_told(project: Project) -> None:
    project.hook.chmod(0o644)
    project.commit("quiet")
    project.start()
    project.stage(HOOK, GOOD, "100755")
    assert [each.partition(":")[0] for each in project.told()] == [HOOK]


def test_an_object_with_another_content_is_told(project: Project) -> None:
    project.start()
    name = git(project.top, "rev-parse", f"HEAD:{HOOK}").strip()
    file = project.top / ".git/objects" / name[:2] / name[2:]
    file.chmod(0o644)
    data = EVIL.encode()
    file.write_bytes(zlib.compress(b"blob %d\0" % len(data) + data))
    (line,) = project.told()
    assert line.startswith(f"{HOOK}: its object in Git is forged")
    project.hook.unlink()
    git(project.top, "checkout", HOOK)
    assert project.hook.read_text() == EVIL


def test_a_repository_that_the_agent_has_made_is_told(project: Project) -> None:
    project.start()
    inner = made(project.top / "inner")
    (inner / ".envrc").write_text(EVIL)
    git(inner, "add", "-A")
    git(inner, *AUTHOR, "commit", "-q", "-m", "x")
    (inner / ".envrc").write_text(GOOD)
    assert [each.partition(":")[0] for each in project.told()] == ["inner/.envrc"]


def test_linked_working_trees_and_submodules_are_looked_at(
    project: Project, tmp_path: Path
) -> None:
    lib = made(tmp_path / "lib")
    (lib / ".envrc").write_text(GOOD)
    git(lib, "add", "-A")
    git(lib, *AUTHOR, "commit", "-q", "-m", "x")
    git(project.top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(lib), "sub")  # fmt: skip
    project.commit("sub")
    git(project.top, "worktree", "add", "-q", "tree")
    project.start()
    assert project.told() == []
    for place, path in (("sub", ".envrc"), ("tree", HOOK)):
        git(
            project.top / place,
            "update-index",
            "--cacheinfo",
            f"100755,{project.blob(EVIL)},{path}",
        )
        if place == "sub":
            git(project.top / place, "hash-object", "-w", str(tmp_path / "blob"))
    assert [each.partition(":")[0] for each in project.told()] == ["sub/.envrc", f"tree/{HOOK}"]


def test_packed_references_and_longer_names_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    project = Project(tmp_path, monkeypatch, "--object-format=sha256")
    git(project.top, "pack-refs", "--all")
    git(project.top, "gc", "-q")
    project.start()
    assert project.told() == []
    project.stage(HOOK, EVIL)
    git(project.top, *COMMIT)
    git(project.top, "pack-refs", "--all")
    git(project.top, "config", "core.splitIndex", "true")
    git(project.top, "update-index", "--split-index")
    (line,) = project.told()
    assert line.startswith(f"{HOOK}: staged and committed")


def packed(line: str) -> Callable[[Path, str], None]:
    """Write a branch into `packed-refs` as no Git does; each reads it."""

    def write(top: Path, _: str) -> None:
        evil = git(top, "rev-parse", "HEAD").strip()
        (top / ".git/refs/heads/main").unlink()
        (top / ".git/packed-refs").write_text(line.format(evil, evil.upper()))

    return write


def linked_branch(top: Path, good: str) -> None:
    """Git takes the text of a link for the name of another reference, from its own directory."""
    heads = top / ".git/refs/heads"
    (heads / "evil").write_bytes((heads / "main").read_bytes())
    (heads / "refs/heads").mkdir(parents=True)
    (heads / "refs/heads/evil").write_text(f"{good}\n")
    (heads / "main").unlink()
    (heads / "main").symlink_to("refs/heads/evil")


def linked_head(top: Path, _: str) -> None:
    git(top, "pack-refs", "--all")
    (top / ".git/HEAD").unlink()
    (top / ".git/HEAD").symlink_to("refs/heads/main")


@pytest.mark.parametrize(
    "where",
    [
        linked_head,
        linked_branch,
        packed("{0}\trefs/heads/main\n"),
        packed("{1} refs/heads/main\n"),
    ],
    ids=["a link in the place of HEAD", "a link in that of a branch", "a tab", "capitals"],
)
def test_a_reference_is_what_git_takes_it_for(
    project: Project, where: Callable[[Path, str], None]
) -> None:
    project.start()
    good = git(project.top, "rev-parse", "HEAD").strip()
    project.stage(HOOK, EVIL)
    git(project.top, *COMMIT)
    git(project.top, "read-tree", good)
    where(project.top, good)
    assert [each.partition(" since")[0] for each in project.told()] == [f"{HOOK}: committed"]
    git(project.top, "reset", "-q", "--hard")
    assert project.hook.read_text() == EVIL


def test_references_of_a_linked_working_tree_are_its_own(project: Project) -> None:
    git(project.top, "worktree", "add", "-q", "tree")
    project.start()
    good = git(project.top, "rev-parse", "HEAD").strip()
    tree = project.top / "tree"
    git(tree, "update-index", "--cacheinfo", f"100755,{project.blob(EVIL)},{HOOK}")
    git(tree, *COMMIT)
    own, common = project.top / ".git/worktrees/tree", project.top / ".git"
    for place, commit in ((own, git(tree, "rev-parse", "HEAD").strip()), (common, good)):
        (place / "refs/worktree").mkdir(parents=True)
        (place / "refs/worktree/x").write_text(f"{commit}\n")
    (own / "HEAD").write_text("ref: refs/worktree/x\n")
    git(tree, "read-tree", good)
    assert [each.partition(" since")[0] for each in project.told()] == [f"tree/{HOOK}: committed"]
    git(tree, "reset", "-q", "--hard")
    assert (tree / HOOK).read_text() == EVIL


def test_head_may_name_what_is_no_commit(project: Project) -> None:
    project.start()
    project.stage(HOOK, EVIL)
    tree, good = git(project.top, "write-tree").strip(), git(project.top, "rev-parse", "HEAD")
    git(project.top, "read-tree", good.strip())
    (project.top / ".git/HEAD").write_text(f"{tree}\n")
    assert [each.partition(" since")[0] for each in project.told()] == [f"{HOOK}: committed"]
    git(project.top, "checkout", "-q", "HEAD", "--", ".")
    assert project.hook.read_text() == EVIL


def test_nothing_is_committed_yet(project: Project) -> None:
    git(project.top, "checkout", "-q", "--orphan", "other")
    project.start()
    assert project.told() == []
    project.stage(HOOK, EVIL)
    assert [each.partition(" since")[0] for each in project.told()] == [f"{HOOK}: staged"]


def test_a_branch_may_have_any_name(project: Project) -> None:
    project.start()
    git(project.top, "checkout", "-q", "-b", "\u00e4-\u4e2d")
    assert project.told() == []


def test_a_side_of_a_merge_is_told(project: Project) -> None:
    project.start()
    name, base = project.blob(EVIL), git(project.top, "rev-parse", f"HEAD:{HOOK}").strip()
    rows = "".join(f"100755 {each} {stage}\t{HOOK}\n"
                   for stage, each in ((1, base), (2, name), (3, base)))  # fmt: skip
    file = project.top.parent / "rows"
    file.write_text(rows)
    git(project.top, "update-index", "--force-remove", HOOK)
    script = f"git update-index --index-info <{file}"
    subprocess.run(["sh", "-ec", script], cwd=project.top, check=True, capture_output=True)
    assert [each.partition(":")[0] for each in project.told()] == [HOOK]
    git(project.top, "checkout", "-q", "--ours", ".")
    assert project.hook.read_text() == EVIL


def test_what_a_repository_has_git_execute_is_covered_by_no_name_and_told(project: Project) -> None:
    """Its own configuration names it: a directory of hooks, a filter."""
    for each in ("githooks/pre-commit", "bin/flt", "bin/other"):
        (project.top / each).parent.mkdir(exist_ok=True)
        (project.top / each).write_text(GOOD)
        (project.top / each).chmod(0o755)
    project.commit("second")
    git(project.top, "config", "core.hooksPath", "githooks")
    git(project.top, "config", "filter.x.clean", "./bin/flt")
    project.start()
    assert project.told() == []
    for each in ("githooks/pre-commit", "bin/flt", "bin/other", "githooks/post-merge"):
        project.stage(each, EVIL)
    assert {each.partition(":")[0] for each in project.told()} == {
        "githooks/pre-commit", "bin/flt", "githooks/post-merge"
    }  # fmt: skip
    git(project.top, "checkout", "-q", ".")
    assert (project.top / "githooks/pre-commit").read_text() == EVIL, "Git writes it"


def test_a_link_above_what_is_covered_is_told(project: Project) -> None:
    hook = project.top / "tools/deep/hooks/pre-commit"
    hook.parent.mkdir(parents=True)
    hook.write_text(GOOD)
    project.commit("second")
    git(project.top, "config", "core.hooksPath", "tools/deep/hooks")
    project.start()
    git(project.top, "rm", "-q", "-r", "--cached", "tools")
    project.stage("tools", "other", "120000")
    (line,) = project.told()
    assert line.startswith("tools: staged since the start")
    git(project.top, *COMMIT)
    (line,) = project.told()
    assert line.startswith("tools: staged and committed since the start")
    git(project.top, "reset", "-q", "--hard")
    assert (project.top / "tools").is_symlink(), "Git puts it there"


def test_a_branch_that_leads_to_any_file_is_told(project: Project) -> None:
    """For Git each file of its directory may be a reference, and HEAD leads over five of them."""
    project.start()
    git(project.top, "branch", "aside")
    project.stage(HOOK, EVIL)
    git(project.top, *COMMIT)
    evil = git(project.top, "rev-parse", "HEAD").strip()
    git(project.top, "reset", "-q", "aside")
    assert project.told() == []
    (project.top / ".git/other").write_text(f"{evil}\n")
    (project.top / ".git/refs/heads/main").write_text("ref: other\n")
    (line,) = project.told()
    assert "`refs/heads/main` leads to `other`, which is no branch" in line
    git(project.top, "reset", "-q", "--hard")
    assert project.hook.read_text() == EVIL, "Git writes it"
    (project.top / ".git/refs/heads/main").write_text("ref: refs/heads/aside\n")
    git(project.top, "reset", "-q", "--hard")
    assert project.told() == [], "an honest one"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"rebase-merge/orig-head": "{}", "rebase-merge/head-name": "refs/heads/main",
          "rebase-merge/onto": "{}", "rebase-merge/msgnum": "1", "rebase-merge/end": "1",
          "rebase-merge/interactive": ""}, ("rebase", "--abort")),
        ({"BISECT_START": "{}", "BISECT_LOG": "", "BISECT_TERMS": "bad\ngood"},
         ("bisect", "reset")),
    ],
)  # fmt: skip
def test_what_an_end_goes_back_to_is_told(
    project: Project, files: dict[str, str], command: tuple[str, ...]
) -> None:
    """Nobody began it: a few files are enough, and `git status` says how it ends."""
    project.start()
    first = git(project.top, "rev-parse", "HEAD").strip()
    project.stage(HOOK, EVIL)
    git(project.top, *COMMIT)
    evil = git(project.top, "rev-parse", "HEAD").strip()
    git(project.top, "reset", "-q", "--hard", first)
    assert project.told() == []
    for name, text in files.items():
        place = project.top / ".git" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"{text.format(evil)}\n" if text else "")
    (line,) = project.told()
    assert line.startswith(f"{HOOK}: in what a rebase, cherry-pick or bisection goes back to since")
    git(project.top, *AUTHOR, *command)
    assert project.hook.read_text() == EVIL, "Git writes it"


def test_a_stash_is_what_its_log_says(project: Project) -> None:
    (project.top / "a.py").write_text("of the user\n")
    git(project.top, *AUTHOR, "stash", "-q")
    project.start()
    project.hook.write_text(EVIL)
    stash = git(project.top, *AUTHOR, "stash", "create").strip()
    project.hook.write_text(GOOD)
    log = project.top / ".git/logs/refs/stash"
    first, _, rest = log.read_text().partition(" ")
    log.write_text(f"{first} {stash} {rest.partition(' ')[2]}no line of a log\n")
    assert project.told() == [f"{HOOK}: stashed since the start, and `git stash pop` writes it"]
    git(project.top, "stash", "pop", "-q")
    assert project.hook.read_text() == EVIL, "Git writes it"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_stashed_is_told(project: Project, packed: bool) -> None:
    (project.top / "a.py").write_text("of the user\n")
    git(project.top, *AUTHOR, "stash", "-q")
    project.start()
    assert project.told() == []
    project.hook.write_text(EVIL)
    aside = project.top / "new/.envrc"
    aside.parent.mkdir()
    aside.write_text(EVIL)
    git(project.top, *AUTHOR, "stash", "-q", "--include-untracked")
    if packed:
        git(project.top, "pack-refs", "--all")
        assert not (project.top / ".git/refs/stash").exists()
    assert project.told() == [
        f"{each}: stashed since the start, and `git stash pop` writes it"
        for each in (HOOK, "new/.envrc")
    ]
    git(project.top, "stash", "pop", "-q")
    assert (project.hook.read_text(), aside.read_text()) == (EVIL, EVIL), "Git writes it"
    assert project.told() == []


def test_what_lies_behind_a_link_is_in_no_working_tree(project: Project) -> None:
    project.start()
    (project.top / "link").symlink_to(".")
    (project.top / ".envrc").write_text(EVIL)
    project.stage("link/.envrc", EVIL, "100644")
    assert "link/.envrc" in [each.partition(":")[0] for each in project.told()]


@pytest.mark.parametrize(("bound", "value"), [("MOST", 1), ("ALTOGETHER", 0.0), ("LISTING", 10)])
def test_what_is_too_much_is_told_and_what_was_known_stays_so(
    project: Project, monkeypatch: pytest.MonkeyPatch, bound: str, value: float
) -> None:
    project.start()
    project.stage(HOOK, EVIL)
    git(project.top, *COMMIT)
    project.stage(".envrc", EVIL)
    known = project.applied.committed
    with monkeypatch.context() as less:
        less.setattr(committed, bound, value)
        (line,) = committed.rows(project.origin(), "a")
        assert f"{project.top}: what Git would write there cannot be read: " in line
        assert committed.look(project.origin(), "a").accepted == known
    assert len(project.told()) == 2


def test_nothing_of_the_repository_is_executed_or_waited_for(project: Project) -> None:
    project.start()
    hit = project.top.parent / "hit"
    for key in ("core.fsmonitor", "core.pager", "core.alternateRefsCommand"):
        git(project.top, "config", key, f"touch {hit}")
    git(project.top, "config", "filter.x.smudge", f"touch {hit}")
    (project.top / ".gitattributes").write_text("* filter=x diff=x\n")
    assert project.told() == []
    assert not hit.exists()
    head = project.top / ".git/HEAD"
    head.unlink()
    os.mkfifo(head)
    (line,) = committed.rows(project.origin(), "a")
    assert line.startswith(f"{project.top}: what Git would write there cannot be read: ")


@pytest.mark.parametrize("name", ["index", "objects/info/alternates"])
def test_a_pipe_is_waited_for_only_so_long(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(committed, "PATIENCE", 0.5)
    project.start()
    place = project.top / ".git" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    (line,) = committed.rows(project.origin(), "a")
    assert "cannot be read: " in line
