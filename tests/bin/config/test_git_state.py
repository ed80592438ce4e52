"""What Git on the host believes of its own files: it obeys, and it is told before anybody runs it.

Each attack is shown first with the real Git, then to be seen.
"""

import hashlib
import os
import shlex
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jailoc.bin.config import git_state, repositories, source
from jailoc.generators.config.exposures import stopping
from jailoc.generators.config.mentioned import Search
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime.uncovered import beyond
from jailoc.generators.runtime.uncovered import told as rows
from jailoc.model import git_index
from jailoc.model.git_state import Believed
from tests.bin.config.test_repositories import AUTHOR, NAMES, git, made

KEY = "MADE PRIVATE KEY"


def project(tmp_path: Path) -> Path:
    """Make a project with one file, beside a private key of the user's."""
    root = made(tmp_path / "p")
    (root / "a.py").write_text("one\n")
    git(root, "add", "a.py")
    git(root, *AUTHOR, "commit", "-q", "-m", "a")
    (tmp_path / "key").write_text(KEY)
    return root


def told(root: Path) -> dict[str, Believed]:
    """Return what is told of a project, and of the Git directory that a linked tree has outside."""
    search = Search(root=str(root), names=NAMES, git=True)
    place = str(root.parent / "home")
    trees, _, _ = repositories.gather([search], place, f"{place}/.config")
    return {
        os.path.relpath(one.path, root): one for each in trees.values() for one in each.believed
    }


def forge(index: Path, *paths: str, blob: str, mode: int = 0o100644) -> None:
    """Write an index with the entries of an honest one and others, as no Git does."""
    top = index.parent.parent
    honest = [
        (name.encode(), int(words.split()[0], 8), words.split()[1])
        for words, name in (each.split("\t") for each in git(top, "ls-files", "-s").splitlines())
    ]
    entries = sorted([*honest, *((each.encode(), mode, blob) for each in paths)])
    data = b"DIRC" + struct.pack(">II", 2, len(entries))
    for name, kind, found in entries:
        entry = struct.pack(">10I", *(0,) * 6, kind, 0, 0, 0) + bytes.fromhex(found)
        entry += struct.pack(">H", len(name)) + name
        data += entry + b"\0" * (8 - len(entry) % 8)
    index.write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())


def blob(root: Path, text: str) -> str:
    place = root.parent / "blob"
    place.write_text(text)
    return git(root, "hash-object", "-w", str(place)).strip()


def may_fail(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *AUTHOR, *arguments], cwd=root, capture_output=True, check=False)


def test_an_honest_repository_says_nothing(tmp_path: Path) -> None:
    root = project(tmp_path)
    git(root, "worktree", "add", "-q", "../linked")
    git(root, "worktree", "add", "-q", "inside")
    git(root, "pack-refs", "--all")
    git(root, "gc", "-q")
    assert told(root) == {}
    assert told(tmp_path / "linked") == {}


@pytest.mark.parametrize(
    "command", [("checkout", "."), ("restore", "."), ("checkout-index", "-af")]
)
def test_a_checkout_that_would_write_files_of_the_user_is_told(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    root = project(tmp_path)
    hook = blob(root, "#!/bin/sh\ntouch hit\n")
    paths = ("../key", str(tmp_path / "other"), ".git/hooks/post-checkout")
    forge(root / ".git/index", *paths, blob=hook, mode=0o100755)
    (found,) = told(root).values()
    may_fail(root, *command)
    assert (tmp_path / "key").read_text() == (tmp_path / "other").read_text() != KEY, "Git obeys"
    assert (root / ".git/hooks/post-checkout").exists()
    assert found.stops
    assert found.certain
    assert all(f"`{each}`" in found.reason for each in paths)
    (root / ".git/index").unlink()
    git(root, "reset", "-q")
    assert told(root) == {}, "as the hint says"


@pytest.mark.parametrize("command", [("add", "-u"), ("commit", "-a", "-m", "x")])
def test_an_add_that_would_read_files_of_the_user_is_told(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    root = project(tmp_path)
    forge(root / ".git/index", "../key", blob=blob(root, "x"))
    assert [each.stops for each in told(root).values()] == [True]
    may_fail(root, *command)
    stolen = git(root, "hash-object", "../key").strip()
    assert git(root, "cat-file", "-p", stolen) == KEY, "Git reads it for whoever asks"


def test_a_working_tree_that_is_put_elsewhere_is_told(tmp_path: Path) -> None:
    root = made(tmp_path / "p/new").parent
    (tmp_path / "key").write_text(KEY)
    word = blob(root / "new", "the agent's")
    git(root / "new", "update-index", "--add", "--cacheinfo", f"100644,{word},key")
    git(root / "new", *AUTHOR, "commit", "-q", "-m", "x")
    assert told(root) == {}
    git(root / "new", "config", "core.worktree", "../../..")
    (found,) = told(root).values()
    git(root / "new", "reset", "-q", "--hard")
    assert (tmp_path / "key").read_text() == "the agent's", "Git obeys"
    assert (found.stops, str(tmp_path) in found.reason) == (True, True)
    git(root / "new", "config", "core.worktree", "../../other")
    assert told(root) == {}, "the agent could write it itself"


def rerere(root: Path, path: str) -> Path:
    """Make what Git takes for a conflict that the user has solved; return where it goes."""
    place = root / ".git/rr-cache" / ("a" * 40)
    place.mkdir(parents=True)
    (place / "preimage").write_text("x")
    (root / ".git/MERGE_RR").write_text(f"{place.name}\t{path}\0")
    return place / "postimage"


@pytest.mark.parametrize("way", ["relative", "absolute", "link", "link above"])
def test_a_commit_that_would_hand_over_files_of_the_user_is_told(tmp_path: Path, way: str) -> None:
    root = project(tmp_path)
    (root / "link").symlink_to(tmp_path / "key")
    (root / "above").symlink_to(tmp_path)
    paths = {"relative": "../key", "absolute": str(tmp_path / "key"), "link": "link",
             "link above": "above/key"}  # fmt: skip
    stolen = rerere(root, paths[way])
    assert told(root)[".git/MERGE_RR"].certain
    assert told(root)[".git/MERGE_RR"].stops
    commit = ("commit", "-q", "--allow-empty", "-m", "x")
    git(root, "-c", "rerere.enabled=false", *AUTHOR, *commit)
    assert not stolen.exists(), "so the user can stop it"
    git(root, *AUTHOR, *commit)
    assert stolen.read_text() == KEY, "Git copies it"


def test_a_conflict_is_judged_in_every_working_tree_that_names_the_directory(
    tmp_path: Path,
) -> None:
    root = project(tmp_path)
    beside = root / "beside"
    beside.mkdir()
    (beside / ".git").write_text("gitdir: ../.git\n")
    stolen = rerere(root, "link")
    assert ".git/MERGE_RR" not in told(root)
    (beside / "link").symlink_to(tmp_path / "key")
    assert told(root)[".git/MERGE_RR"].stops
    git(beside, *AUTHOR, "commit", "-q", "--allow-empty", "-m", "x")
    assert stolen.read_text() == KEY, "Git copies it"


def test_a_conflict_of_the_user_is_none_of_it(tmp_path: Path) -> None:
    root = project(tmp_path)
    git(root, "config", "rerere.enabled", "true")
    git(root, "checkout", "-q", "-b", "other")
    (root / "a.py").write_text("two\n")
    git(root, "commit", "-qam", "two")
    git(root, "checkout", "-q", "-")
    (root / "a.py").write_text("three\n")
    git(root, "commit", "-qam", "three")
    may_fail(root, "merge", "other")
    assert b"a.py" in (root / ".git/MERGE_RR").read_bytes()
    assert told(root) == {}


@pytest.mark.parametrize("name", ["worktrees/z", "worktrees"])
def test_a_link_that_has_git_delete_another_directory_is_told(tmp_path: Path, name: str) -> None:
    root = project(tmp_path)
    victim = tmp_path / "other"
    (victim / "deep").mkdir(parents=True)
    (victim / "deep/file").touch()
    place = root / ".git" / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(victim)
    found = told(root)[f".git/{name}"]
    git(root, "worktree", "prune", "--expire=now")
    assert not (victim / "deep/file").exists(), "Git deletes it"
    assert found.stops
    assert "git worktree prune" in found.reason


PROMPT = Path(git(Path("/"), "--exec-path").strip(), "git-sh-prompt")
"""What Git has for the prompt of a shell (git-prompt.sh)."""


@pytest.mark.parametrize(
    ("number", "others"),
    [("rebase-merge/msgnum", ("rebase-merge/end",)), ("rebase-merge/end", ("rebase-merge/msgnum",)),
     ("rebase-apply/next", ("rebase-apply/last",)), ("rebase-apply/last", ("rebase-apply/next",))],
)  # fmt: skip
def test_a_step_of_a_rebase_that_a_prompt_would_run_is_told(
    tmp_path: Path, number: str, others: tuple[str, ...]
) -> None:
    root = project(tmp_path)
    place = root / ".git" / number
    place.parent.mkdir()
    for each in others:
        (root / ".git" / each).write_text("3\n")
    (place.parent / "head-name").write_text("refs/heads/main\n")
    place.write_text("2\n")
    assert told(root) == {}, "an honest one"
    place.write_text(f"$(touch {tmp_path}/hit)\n")
    found = told(root)[f".git/{number}"]
    assert found.stops
    assert found.certain
    assert "__git_ps1" in found.reason
    if not PROMPT.is_file():
        pytest.skip("no git-sh-prompt")
    shown = f'. {PROMPT}; __git_ps1 "a " " b"; printf "%s" "${{PS1@P}}"'
    said = subprocess.run(["bash", "--norc", "-c", shown], cwd=root, env={"PATH": os.defpath},
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert "REBASE" in said or "AM" in said
    assert (tmp_path / "hit").exists(), "Bash runs it"


def test_a_strategy_that_is_a_place_is_told(tmp_path: Path) -> None:
    root = project(tmp_path)
    first = git(root, "branch", "--show-current").strip()
    git(root, "checkout", "-q", "-b", "side")
    (root / "a.py").write_text("side\n")
    git(root, *AUTHOR, "commit", "-q", "-a", "-m", "side")
    git(root, "checkout", "-q", first)
    (root / "a.py").write_text("main\n")
    git(root, *AUTHOR, "commit", "-q", "-a", "-m", "main")
    may_fail(root, "-c", "sequence.editor=sed -i 's/^pick/edit/'", "rebase", "-i", "HEAD^")
    place = root / ".git/rebase-merge"
    assert place.is_dir()
    with (place / "git-rebase-todo").open("a") as todo:
        todo.write(f"pick {git(root, 'rev-parse', 'side')}")
    (place / "strategy").write_text("ort\n")
    assert told(root) == {}, "an honest one"
    (place / "strategy").write_text("x/evil\n")
    found = told(root)[".git/rebase-merge/strategy"]
    assert found.stops
    assert found.certain
    (root / "git-merge-x").mkdir()
    (root / "git-merge-x/evil").write_text(f"#!/bin/sh\ntouch {tmp_path}/hit\n")
    (root / "git-merge-x/evil").chmod(0o755)
    may_fail(root, "rebase", "--continue")
    assert (tmp_path / "hit").exists(), "Git runs it"


@pytest.mark.parametrize("at", ["HEAD", "refs/heads/other"])
def test_a_reference_to_what_is_no_branch_is_told(tmp_path: Path, at: str) -> None:
    """What it leads to in turn may be called anything, and a prompt shows that."""
    root = project(tmp_path)
    git(root, "branch", "other")
    git(root, "checkout", "-q", "other")
    (root / ".git" / at).write_text("ref: refs/heads/main\n")
    assert told(root) == {}
    (root / ".git" / at).write_text("ref: heads/x\n")
    (root / ".git/heads").mkdir()
    (root / ".git/heads/x").write_text("ref: refs/heads/$(x)\n")
    found = told(root)[f".git/{at}"]
    assert found.stops
    assert "`heads/x`, which is no branch" in found.reason
    if at != "HEAD":  # where HEAD itself does, Git calls it no repository
        assert git(root, "branch", "--show-current").strip() == "$(x)", "Git goes there"


@pytest.mark.parametrize("packed", [False, True])
def test_objects_that_another_repository_has_too_are_told(tmp_path: Path, packed: bool) -> None:
    """As a clone of a path has them: what is written in one is in both."""
    first = project(tmp_path)
    if packed:
        git(first, "repack", "-q", "-a", "-d")
    root = tmp_path / "clone"
    for options, shared in ((("--no-hardlinks",), False), ((), True)):
        git(tmp_path, "clone", "-q", *options, str(first), str(root))
        found = [each for each in told(root).values() if "by a second name" in each.reason]
        assert len(found) == shared
        assert not any(each.stops for each in found)
        if shared:
            help_ = found[0].hint.partition("`")[2].partition("`")[0]
            subprocess.run(["sh", "-c", help_], check=True)
            assert told(root) == {}, "as the hint says"
            git(root, "fsck")
        shutil.rmtree(root)


@pytest.mark.parametrize(
    ("option", "fine"),
    [("theirs", True), ("find-renames=50%", True), ("subtree=lib", True),
     ("index-output=/x", False), ("no-renames --index-output=/x", False), ("output=/x", False)],
)  # fmt: skip
def test_options_of_a_strategy_that_no_strategy_has_are_told(
    tmp_path: Path, option: str, fine: bool
) -> None:
    root = project(tmp_path)
    (root / ".git/sequencer").mkdir()
    (root / ".git/rebase-merge").mkdir()
    (root / ".git/sequencer/opts").write_text(f"[options]\n\tstrategy-option = {option}\n")
    (root / ".git/rebase-merge/strategy_opts").write_text(f" '--{option}'\n")
    assert {*told(root)} == (
        set() if fine else {".git/sequencer/opts", ".git/rebase-merge/strategy_opts"}
    )
    (root / ".git/rebase-merge/strategy").write_text("file\n")
    found = told(root)[".git/rebase-merge/strategy"]
    assert (found.stops, found.certain) == (True, False)


def test_a_crowd_of_working_trees_hides_none(tmp_path: Path) -> None:
    root = project(tmp_path)
    lib = made(tmp_path / "lib")
    place = root / "deep/down"
    place.mkdir(parents=True)
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(lib),
        "deep/down/sub")  # fmt: skip
    for number in range(150):
        (root / f"n{number}").mkdir()
        (root / f"n{number}/.git").write_text("gitdir: /nonexistent\n")
    search = Search(root=str(root), names=NAMES, git=True)
    _, _, found = repositories.gather([search], str(tmp_path), f"{tmp_path}/.config")
    assert f"{place}/sub/.git" in {each.file for each in found.links}


def test_options_that_a_series_of_patches_goes_on_with_are_told(tmp_path: Path) -> None:
    """Nobody began one: a few files are enough, and `git status` says to go on with it."""
    root = project(tmp_path)
    victim = tmp_path / "profile"
    victim.write_text("of the user\n")
    git(root, "checkout", "-q", "-b", "side")
    (root / "a.py").write_text("two\n")
    git(root, *AUTHOR, "commit", "-q", "-a", "-m", "b")
    patch = git(root, "format-patch", "--full-index", "--stdout", "-1")
    git(root, "reset", "-q", "--hard", "HEAD^")
    place = root / ".git/rebase-apply"
    place.mkdir()
    for name in ("applying", "quiet", "keep", "messageid", "sign", "utf8", "scissors", "threeway"):
        (place / name).write_text("" if name == "applying" else "f\n")
    for name, text in (("next", "1\n"), ("last", "2\n"), ("0001", "x\n"), ("0002", patch)):
        (place / name).write_text(text)
    (place / "abort-safety").write_text(git(root, "rev-parse", "HEAD"))
    (place / "apply-opt").write_text("'-C1' '--whitespace=fix' '--exclude=a b'\n")
    assert told(root) == {}, "an honest one"
    (place / "apply-opt").write_text(f"'-C1' '--build-fake-ancestor={victim}'\n")
    found = told(root)[".git/rebase-apply/apply-opt"]
    assert found.stops
    assert found.certain
    assert "--build-fake-ancestor=" in found.reason
    may_fail(root, *AUTHOR, "am", "--skip")
    assert victim.read_bytes().startswith(b"DIRC"), "Git writes it"


def test_changes_that_a_commit_would_put_back_are_told(tmp_path: Path) -> None:
    """Nobody began a merge: objects of the agent's and one file are enough."""
    root = project(tmp_path)
    (root / "covered").write_text("of the user\n")
    git(root, "add", "covered")
    git(root, *AUTHOR, "commit", "-q", "-m", "covered")
    assert told(root) == {}
    (root / "covered").write_text("of the agent\n")
    stash = git(root, *AUTHOR, "stash", "create").strip()
    git(root, "checkout", "-q", "covered")
    for at, said in (("MERGE_AUTOSTASH", "git commit"), ("rebase-merge/autostash", "git rebase")):
        (root / ".git" / at).parent.mkdir(exist_ok=True)
        (root / ".git" / at).write_text(f"{stash}\n")
        (found,) = (each for path, each in told(root).items() if path == f".git/{at}")
        assert (found.stops, found.certain, said in found.reason) == (True, False, True)
    shutil.rmtree(root / ".git/rebase-merge")
    (root / ".git/MERGE_AUTOSTASH").unlink()
    (root / "a.py").write_text("two\n")
    git(root, *AUTHOR, "commit", "-q", "-a", "-m", "control")
    assert (root / "covered").read_text() == "of the user\n"
    (root / ".git/MERGE_AUTOSTASH").write_text(f"{stash}\n")
    (root / "a.py").write_text("three\n")
    git(root, *AUTHOR, "commit", "-q", "-a", "-m", "as every day")
    assert (root / "covered").read_text() == "of the agent\n", "Git puts it back"
    (root / ".git/packed-refs").write_text(f"# pack-refs with: peeled\n{stash} MERGE_AUTOSTASH\n")
    assert told(root)[".git/packed-refs"].stops


@pytest.mark.parametrize("strategy", ["ort", "x/evil", "ort\n\tstrategy = x/evil"])
def test_a_strategy_of_a_cherry_pick_is_told_if_it_is_a_place(
    tmp_path: Path, strategy: str
) -> None:
    root = project(tmp_path)
    (root / ".git/sequencer").mkdir()
    (root / ".git/sequencer/opts").write_text(f"[options]\n\tstrategy = {strategy}\n")
    assert (".git/sequencer/opts" in told(root)) == ("/" in strategy)
    (root / ".git/sequencer/opts").write_text(f"[options] Strategy = {strategy}\n")
    assert (".git/sequencer/opts" in told(root)) == ("/" in strategy), "on the section's own line"
    (root / ".git/sequencer/opts").write_text(f"[options] strategy = own\nstrategy = {strategy}\n")
    assert told(root)[".git/sequencer/opts"].certain == ("/" in strategy), "whichever comes first"


def test_a_start_of_a_bisection_that_is_an_option_is_told(tmp_path: Path) -> None:
    root = project(tmp_path)
    git(root, "bisect", "start")
    assert told(root) == {}
    (root / ".git/BISECT_START").write_text("--orphan=zz\n")
    assert told(root)[".git/BISECT_START"].certain
    may_fail(root, "bisect", "reset")
    assert git(root, "branch", "--show-current") == "zz\n", "Git obeys it"


def rebasing(root: Path, kind: str) -> Path:
    """Have a directory as that of a rebase which goes on."""
    place = root / f".git/rebase-{kind}"
    place.mkdir()
    (place / "head-name").write_text("refs/heads/main\n")
    (place / "onto").write_text(git(root, "rev-parse", "HEAD"))
    for name in ("interactive", "git-rebase-todo") if kind == "merge" else ("rebasing",):
        (place / name).touch()
    (place / "done").write_text("pick 3969a1a a\r\n")
    return place


@pytest.mark.parametrize(
    "name",
    ["rebase-merge/head-name", "rebase-merge/onto", "rebase-merge/done",
     "rebase-merge/git-rebase-todo", "rebase-apply/head-name", "rebase-apply/onto", "BISECT_START",
     "BISECT_LOG"],
)  # fmt: skip
def test_what_a_status_of_git_shows_is_told_if_a_terminal_obeys_it(
    tmp_path: Path, name: str
) -> None:
    root = project(tmp_path)
    if name.startswith("BISECT"):
        git(root, "bisect", "start")
    else:
        rebasing(root, name[7:12])
    assert told(root) == {}, "an honest one, a carriage return at the end of a subject too"
    steering = "\x1b]52;c;ZXZpbA==\x07"
    before = {"BISECT_START": "", "onto": "x", "head-name": "refs/heads/x"}
    begin = before.get(name.rpartition("/")[2], "pick 3969a1a x")
    (root / ".git" / name).write_text(f"{begin}{steering}\n")
    shown = git(root, *(("bisect", "log") if name == "BISECT_LOG" else ("status",)))
    assert steering in shown, "Git writes it as it is"
    found = told(root)[f".git/{name}"]
    assert found.stops


@pytest.mark.parametrize("name", ["gitdir", "locked"])
def test_what_a_list_of_working_trees_shows_is_told_if_a_terminal_obeys_it(
    tmp_path: Path, name: str
) -> None:
    root = project(tmp_path)
    git(root, "worktree", "add", "-q", str(tmp_path / "other"))
    git(root, "worktree", "lock", "--reason", "mine", str(tmp_path / "other"))
    assert told(root) == {}
    (root / f".git/worktrees/other/{name}").write_text("/x\x1b]0;obeyed\x07/.git\n")
    shown = git(root, "worktree", "list", "--verbose")
    assert "\x1b]0;" in shown, "Git writes it as it is"
    found = told(root)[f".git/worktrees/other/{name}"]
    assert found.certain


@pytest.mark.parametrize("branch", ["$(touch${IFS}hit)", "a`touch${IFS}hit`", "a${x}"])
def test_a_branch_that_a_prompt_would_run_is_told(tmp_path: Path, branch: str) -> None:
    root = project(tmp_path)
    git(root, "checkout", "-q", "-b", branch)
    found = told(root)[".git/HEAD"]
    assert found.stops
    assert found.certain
    prompt = 'PS1="\\w ($(git branch --show-current))"; printf "%s" "${PS1@P}"'
    subprocess.run(["bash", "--norc", "-c", prompt], cwd=root, capture_output=True, check=False)
    assert (root / "hit").exists() == ("touch" in branch), "Bash runs it"
    (root / ".git/HEAD").write_text("\x1b]0;x\x07\n")
    assert told(root)[".git/HEAD"].stops
    (root / ".git/HEAD").write_text(f"ref: refs/heads/{branch}" + "\n" * 300_000)
    assert told(root)[".git/HEAD"].stops, "Git reads it, however long"
    (root / ".git/HEAD").write_text("ref: refs/heads/new\n")
    (root / ".git/refs/heads/deep/er").mkdir(parents=True)
    (root / ".git/HEAD").write_text("ref: refs/heads/deep\n")
    assert told(root) == {}
    (root / ".git/HEAD").unlink()
    (root / ".git/HEAD").symlink_to(f"refs/heads/{branch}")
    assert git(root, "branch", "--show-current") == f"{branch}\n", "Git takes its text"
    assert told(root)[".git/HEAD"].stops
    (root / ".git/HEAD").unlink()
    (root / ".git/HEAD").write_text("ref: refs/heads/a\u009b31m\n")
    assert told(root)[".git/HEAD"].stops
    (root / ".git/HEAD").write_text("ref: refs/heads/../../../key\n")
    assert told(root) == {}
    (root / ".git/HEAD").write_text("ref: refs/heads/new\n")
    for each in ("$a", "feature/(x)", "main"):
        git(root, "checkout", "-q", "-b", each)
        assert told(root) == {}


@pytest.mark.parametrize("name", ["$(touch${IFS}hit)", "deep/`touch${IFS}hit`"])
def test_a_tag_that_a_prompt_would_run_is_told(tmp_path: Path, name: str) -> None:
    root = project(tmp_path)
    git(root, "checkout", "-q", "--detach")
    for each in ("v1.0", "$a", "feature/(x)", "a{b}"):
        git(root, "tag", each)
    assert told(root) == {}, "honest ones"
    git(root, "tag", "-d", "v1.0", "$a", "feature/(x)", "a{b}")
    git(root, "tag", name)
    prompt = 'PS1="\\w $(git describe --tags --exact-match)"; printf "%s" "${PS1@P}"'
    subprocess.run(["bash", "--norc", "-c", prompt], cwd=root, capture_output=True, check=False)
    assert (root / "hit").exists(), "Bash runs it"
    (found,) = told(root).values()
    assert (found.path, found.stops) == (str(root / ".git/refs/tags" / name), True)
    git(root, "pack-refs", "--all")
    (found,) = told(root).values()
    assert (found.path, found.stops) == (str(root / ".git/packed-refs"), True)
    assert f"`{name}`" in found.reason


SHOWN = "$(touch${IFS}hit)"


def by_words(git_directory: Path) -> str:
    (git_directory / "refs/heads/main").write_text(f"ref: refs/heads/{SHOWN}\n")
    return "refs/heads/main"


def by_blank_lines(git_directory: Path) -> str:
    (git_directory / "HEAD").write_text(f"ref:\n\n  refs/heads/{SHOWN}\n")
    return "HEAD"


def by_a_link_that_stays_inside(git_directory: Path) -> str:
    (git_directory / "zz").write_text(f"ref: refs/heads/{SHOWN}\n")
    (git_directory / "refs/heads/main").unlink(missing_ok=True)
    (git_directory / "refs/heads/main").symlink_to("../../zz")
    return "zz"


def by_the_text_of_a_link(git_directory: Path) -> str:
    (git_directory / "refs/heads/main").unlink(missing_ok=True)
    (git_directory / "refs/heads/main").symlink_to(f"refs/heads/{SHOWN}")
    return "refs/heads/main"


def by_another_name(git_directory: Path) -> str:
    (git_directory / "refs/heads/main").write_text("ref: FOO\n")
    (git_directory / "FOO").write_text(f"ref: refs/heads/{SHOWN}\n")
    return "FOO"


@pytest.mark.parametrize(
    ("way", "linked"),
    [
        (by_words, False), (by_words, True), (by_the_text_of_a_link, False),
        (by_the_text_of_a_link, True), (by_blank_lines, False),
        (by_a_link_that_stays_inside, False), (by_another_name, False),
    ],
)  # fmt: skip
def test_a_reference_that_leads_a_prompt_there_is_told(
    tmp_path: Path, way: Callable[[Path], str], linked: bool
) -> None:
    root = project(tmp_path)
    git(root, "branch", "-M", "main")
    if linked:
        git(root, "worktree", "add", "-q", "../linked")
    assert told(root) == {}
    file = way(root / ".git")
    prompt = 'PS1="\\w ($(git branch --show-current))"; printf "%s" "${PS1@P}"'
    subprocess.run(["bash", "--norc", "-c", prompt], cwd=root, capture_output=True, check=False)
    assert (root / "hit").exists(), "Bash runs it"
    (root / "hit").unlink()
    if linked:
        assert any(each.endswith(f"/.git/{file}") for each in told(tmp_path / "linked"))
    assert told(root)[f".git/{file}"].stops


def test_references_of_a_working_tree_alone_are_looked_at_where_they_are(tmp_path: Path) -> None:
    root = project(tmp_path)
    git(root, "worktree", "add", "-q", "../linked")
    place = root / ".git/worktrees/linked"
    (place / "HEAD").write_text("ref: refs/worktree/x\n")
    (place / "refs/worktree").mkdir(parents=True)
    (place / "refs/worktree/x").write_text(f"ref: refs/heads/{SHOWN}\n")
    assert told(root)[".git/worktrees/linked/refs/worktree/x"].stops


def test_a_configuration_that_git_lfs_would_replace_is_told(tmp_path: Path) -> None:
    """What `git lfs install` writes for a user; what it writes into a repository is a rename."""
    root = project(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text('[filter "lfs"]\n\tprocess = git-lfs filter-process\n')
    found = told(root)[".git/config"]
    assert not found.stops
    # Open, so that no other file gets its number.
    before = os.open(root / ".git/config", os.O_RDONLY)
    other = made(root / "x$(touch hit);y z")
    git(root, "branch", "config")
    branch = git(root, "rev-parse", "config")
    assert [*told(root)] == [".git/config"], "one word for all"
    subprocess.run(shlex.split(found.hint.split("`")[1]), cwd="/", check=True)
    assert git(other, "config", "lfs.repositoryformatversion") == "0\n"
    assert git(root, "rev-parse", "config") == branch, "a branch of that name stays"
    git(root, "init", "-q", "--bare", "bare one")
    assert "bare one/config" in told(root)
    shown = told(root)["bare one/config"].hint.split("`")[1]
    (root / "bare one/config").rename(root / "bare one/other")
    (root / "bare one/config").symlink_to(tmp_path / "key")
    subprocess.run(shlex.split(found.hint.split("`")[1]), cwd="/", check=True)
    assert (tmp_path / "key").read_text() == KEY, "no link is followed"
    (root / "bare one/other").rename(root / "bare one/config")
    subprocess.run(shlex.split(shown), cwd="/", check=True)
    assert told(root) == {}
    assert told(root) == {}, "as the hint says"
    same = os.path.samestat((root / ".git/config").stat(), os.fstat(before))
    os.close(before)
    assert not same, "another file: what was mounted is gone"


@pytest.mark.parametrize("named", ["../../../../p/x", "a/b", "..", "a\\b", " .. \n"])
def test_a_name_of_a_project_that_leads_elsewhere_is_told(tmp_path: Path, named: str) -> None:
    root = project(tmp_path)
    for each in ("0123456789abcdef0123456789abcdef01234567\n", "global", "a..b"):
        (root / ".git/opencode").write_text(each)
        assert told(root) == {}, each
    (root / ".git/opencode").write_text(named)
    found = told(root)[".git/opencode"]
    assert found.stops
    assert found.certain


def test_what_a_linked_working_tree_shares_is_looked_at(tmp_path: Path) -> None:
    root = project(tmp_path)
    tree, git_directory = tmp_path / "linked", root / ".git"
    git(root, "worktree", "add", "-q", "../linked")
    (git_directory / "hooks/other").symlink_to("nowhere")
    os.mkfifo(git_directory / "hooks/none")
    assert told(tree) == {}, "what it does not share is not the agent's"
    os.mkfifo(git_directory / "refs/heads/fifo")
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["git", "branch"], cwd=root, capture_output=True, check=False, timeout=2)
    (git_directory / "logs/refs/heads/gone").symlink_to(tmp_path / "key")
    (git_directory / "objects/info/alternates").write_text("/elsewhere/.git/objects\n")
    found = told(tree)
    assert {each: one.stops for each, one in found.items()} == {
        "../p/.git/refs/heads/fifo": True,
        "../p/.git/logs/refs/heads/gone": True,
        "../p/.git/objects/info/alternates": False,
    }
    for each in ("refs/heads/fifo", "logs/refs/heads/gone", "objects/info/alternates"):
        (git_directory / each).unlink()
    assert told(tree) == {}


@pytest.mark.parametrize(
    ("name", "command"),
    [("rebase-merge", ("rebase", "--quit")), ("rebase-apply", ("am", "--quit")),
     ("sequencer", ("cherry-pick", "--quit"))],
)  # fmt: skip
def test_so_is_one_in_the_place_of_what_it_does_step_by_step(
    tmp_path: Path, name: str, command: tuple[str, ...]
) -> None:
    root = project(tmp_path)
    victim = tmp_path / "other"
    (victim / "deep").mkdir(parents=True)
    for each in ("deep/file", "applying", "next", "last"):
        (victim / each).write_text("1")
    (root / ".git" / name).symlink_to(victim)
    found = told(root)[f".git/{name}"]
    may_fail(root, *command)
    assert not (victim / "deep/file").exists(), "Git deletes it"
    assert found.stops


def test_a_link_in_the_place_of_an_index_is_told_wherever_it_leads(tmp_path: Path) -> None:
    root = project(tmp_path)
    (root / ".git/index").rename(root / "other")
    (root / ".git/index").symlink_to("../other")
    assert git(root, "ls-files") == "a.py\n", "Git reads it"
    assert told(root)[".git/index"].stops


def test_the_index_of_every_working_tree_and_submodule_is_read(tmp_path: Path) -> None:
    root, lib = project(tmp_path), made(tmp_path / "lib")
    git(root, "worktree", "add", "-q", "../linked")
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(lib), "sub")
    linked = root / ".git/worktrees/linked"
    word = blob(root, "x")
    for place in (linked, root / ".git/modules/sub"):
        forge(root / ".git/index", "../key", blob=word)
        (root / ".git/index").rename(place / "index")
        git(root, "reset", "-q")
        (place / "MERGE_RR").write_text(f"{'a' * 40}\t../key\0")
    named = {".git/worktrees/linked", ".git/modules/sub"}
    others = {each for each in told(root) if "/objects/" in each}  # shared with `lib`
    assert set(told(root)) - others == {
        f"{each}/{name}" for each in named for name in ("index", "MERGE_RR")
    }
    assert set(told(tmp_path / "linked")) == {
        f"../p/.git/worktrees/linked/{name}" for name in ("index", "MERGE_RR")
    }


def looked(linked: Path) -> dict[str, Believed]:
    search = Search(root=str(linked), names=(), git=True)
    trees = repositories.gather([search], "/home/a", "/home/c", [str(linked)]).trees
    return {each.path: each for tree in trees.values() for each in tree.believed}


def test_in_a_linked_working_tree_alone_what_its_agent_can_write_is_read(tmp_path: Path) -> None:
    main, linked = project(tmp_path), tmp_path / "linked"
    git(main, "worktree", "add", "-q", str(linked))
    assert looked(linked) == {}
    forge(main / ".git/index", "../key", blob=blob(main, "x"))
    (main / ".git/index").rename(main / ".git/worktrees/linked/index")
    git(main, "replace", "HEAD", git(main, "commit-tree", "-m", "x", "HEAD^{tree}").strip())
    assert set(looked(linked)) == {
        f"{main}/.git/worktrees/linked/index", f"{main}/.git/refs/replace",
    }  # fmt: skip


def test_a_split_index_is_read_in_both_parts(tmp_path: Path) -> None:
    root = project(tmp_path)
    word = blob(root, "x")
    forge(root / ".git/index", "../key", blob=word)
    may_fail(root, "update-index", "--split-index")
    assert b"link" in (root / ".git/index").read_bytes()
    (shared,) = (root / ".git").glob("sharedindex.*")
    assert set(told(root)) == {f".git/{shared.name}"}
    shared.unlink()
    assert told(root) == {}


def test_what_hides_changes_is_told_and_stops_nothing(tmp_path: Path) -> None:
    root = project(tmp_path)
    for option, letter in (("skip-worktree", "S"), ("assume-unchanged", "h")):
        git(root, "update-index", f"--{option}", "a.py")
        (root / "a.py").write_text("evil\n")
        assert git(root, "status", "--porcelain") == "", "Git says nothing"
        assert git(root, "ls-files", "-v") == f"{letter} a.py\n"
        found = told(root)[".git/index"]
        assert (found.stops, f"--{option}" in found.reason) == (False, True)
        git(root, "update-index", f"--no-{option}", "a.py")
    assert told(root) == {}
    git(root, "config", "core.sparseCheckout", "true")
    git(root, "update-index", "--skip-worktree", "a.py")
    assert told(root) == {}, "where the checkout is sparse Git marks them itself"


def test_replaced_commits_are_told_loose_and_packed(tmp_path: Path) -> None:
    root = project(tmp_path)
    other = git(root, "commit-tree", "-m", "harmless", "HEAD~1^{tree}").strip()
    git(root, "replace", "HEAD", other)
    assert git(root, "log", "-1", "--format=%s") == "harmless\n", "Git shows the other one"
    assert [each.stops for each in told(root).values()] == [False]
    assert set(told(root)) == {".git/refs/replace"}
    git(root, "pack-refs", "--all")
    assert git(root, "log", "-1", "--format=%s") == "harmless\n"
    assert set(told(root)) == {".git/packed-refs"}
    git(root, "replace", "-d", git(root, "--no-replace-objects", "rev-parse", "HEAD").strip())
    assert told(root) == {}


def test_grafts_are_told(tmp_path: Path) -> None:
    root = project(tmp_path)
    head = git(root, "rev-parse", "HEAD")
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/grafts").write_text(head)
    assert git(root, "rev-list", "HEAD") == head, "Git shows one commit"
    assert [each.stops for each in told(root).values()] == [False]


def test_what_is_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path)
    index = root / ".git/index"
    data = index.read_bytes()
    for text in (b"", data[:-40], b"DIRC" + b"\0" * 100):
        index.write_bytes(text)
        (found,) = told(root).values()
        assert (found.stops, found.certain) == (True, False)
        assert "not read" in found.reason
    index.unlink()
    os.mkfifo(index)
    assert "Git waits" in told(root)[".git/index"].reason
    index.unlink()
    with index.open("wb") as file:
        file.truncate(git_index.MOST_BYTES + 1)
    started = time.monotonic()
    assert "larger than 128 MiB" in told(root)[".git/index"].reason
    assert time.monotonic() - started < 5
    index.write_bytes(data)
    assert told(root) == {}
    monkeypatch.setattr(git_state, "MOST_READ", len(data) - 1)
    assert "together" in told(root)[".git/index"].reason


def test_an_index_with_names_of_sha256_is_read(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    git(root, "init", "-q", "--object-format=sha256")
    (root / "a.py").touch()
    git(root, "add", "a.py")
    assert told(root) == {}
    with (root / ".git/config").open("a") as file:
        file.write("[include]\n\tpath = more\n")
    (root / ".git/more").write_text("[extensions]\n\tobjectFormat = sha1\n")
    git(root, "status")
    assert told(root) == {}, "Git includes nothing here"


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory that a sandbox may have, which none in `/tmp` is."""
    found = Path(tempfile.mkdtemp(dir=Path.home() if os.geteuid() else "/srv")).resolve()
    yield found
    shutil.rmtree(found)


def checked(root: Path, trust: str = "") -> tuple[list[str], list[tuple[str, str]], list[str]]:
    """Return what stops a start, what every command warns about, and the rows."""
    trusted = f'trust = ["{root}/{trust}"]\n' if trust else ""
    text = f'{trusted}[workspaces.a]\npaths = ["{root}"]\n'
    found = source.check(text, Path("/nowhere/config.toml"))
    stops = [each.message for each in stopping(found.document, found.config, "a", found.host)]
    codes = [(each.code, each.message) for each in found.warnings if "/.git/" in each.message]
    return stops, codes, [*rows(beyond(resolve(found.config, "a", found.host)))]


def test_what_git_would_do_stops_a_start_and_is_the_first_row_and_not_trusted(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    root = project(place)
    assert checked(root) == ([], [], [])
    (root / ".git/FETCH_HEAD").symlink_to(place / "key")
    (root / ".git/worktrees").mkdir()
    (root / ".git/worktrees/z").symlink_to(place)
    rerere(root, "../key")
    for trust in ("", ".git/MERGE_RR"):
        stops, codes, lines = checked(root, trust)
        assert len(stops) == len(lines) == 3, "the link has one line"
        assert [code for code, _ in codes] == ["git-forged", "git-forged", "git-link"]
        assert lines[0].startswith(f"{root}/.git/MERGE_RR: it names `../key`")
        assert "git worktree prune" in lines[1]
        assert "cannot be protected" not in codes[0][1]


def test_what_is_not_read_or_hides_can_be_trusted(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    root = project(place)
    git(root, "update-index", "--assume-unchanged", "a.py")
    stops, codes, lines = checked(root)
    assert (stops, [code for code, _ in codes], len(lines)) == ([], ["git-hides"], 1)
    assert checked(root, ".git/index") == ([], [], [])
    (root / ".git/index").write_text("torn")
    stops, codes, lines = checked(root)
    assert (len(stops), [code for code, _ in codes], len(lines)) == (1, ["git-forged"], 1)
    assert checked(root, ".git/index") == ([], [], [])
