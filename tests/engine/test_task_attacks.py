"""What a task's agent can put into its clone, or send: nothing of it runs on the host.

Each attack is prepared in the clone as the agent, then fetched under strace(1), beside a repository
whose own hooks and settings would leave a mark.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc.bin.config import task_records
from jailoc.bin.deploy import task_fetch, task_pack
from jailoc.bin.deploy.task_look import TaskClone
from jailoc.bin.engine.tools import Tool
from jailoc.generators.config.resolve import resolve
from jailoc.model.diagnostic import Refused
from jailoc.model.sandbox import project
from jailoc.model.task import Task
from tests.engine import world
from tests.engine.clones import (
    QUIET,
    WORKSPACE,
    cloned,
    git,
    home,
    inside,
    origin,
    repository,
    working,
)
from tests.engine.world import ROOT, User

pytestmark = pytest.mark.engine

HOOKS = ("reference-transaction", "post-checkout", "post-merge", "pre-auto-gc", "post-update",
         "pre-commit", "post-commit", "update", "pre-receive")  # fmt: skip
SETTINGS = ("core.fsmonitor", "core.alternateRefsCommand", "core.sshCommand", "core.pager",
            "core.editor", "diff.external", "gpg.program", "uploadpack.packObjectsHook",
            "credential.helper", "filter.x.smudge", "filter.x.process",
            "merge.x.driver")  # fmt: skip
OURS = {"docker", "docker-buildx", "docker-compose", "git", "python", "python3"}
"""What may run here; docker(1) asks its plugins who they are."""


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with home("attacked") as found:
        place = repository(found.home / "project")
        armed(place, found.home / "mark")
        yield found


def armed(place: Path, mark: Path) -> None:
    """Let a repository of the user's leave a mark whenever it runs something."""
    for each in HOOKS:
        hook = place / ".git/hooks" / each
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {each} >> {mark}\n")
        hook.chmod(0o755)
    for each in SETTINGS:
        git(place, "config", each, f"echo {each} >> {mark}; false", check=False)


@pytest.fixture
def task(user: User) -> Iterator[Task]:
    place = user.home / "project"
    world.remove(project(f"{WORKSPACE}_x"))
    with cloned(user, place) as made:
        made_task = Task(
            workspace=WORKSPACE, name="x", repository=str(place), base=made.base, port=4599
        )
        task_records.write(made_task)
        (user.home / "mark").unlink(missing_ok=True)
        try:
            yield made_task
        finally:
            git(place, "-c", "core.hooksPath=/dev/null", "update-ref", "-d", made_task.reference)
            shutil.rmtree(task_records.place(WORKSPACE, "x").parent)


def rest(place: Path) -> dict[str, tuple[int, bytes]]:
    """Return all of a repository and its working tree but for objects and what a fetch writes."""
    return {
        name: (each.lstat().st_mode, each.read_bytes() if each.is_file() else b"")
        for each in sorted(place.rglob("*"))
        if not (name := str(each.relative_to(place))).startswith(".git/objects")
        and "/refs/jailoc" not in name
    }


def audited(user: User, *command: str) -> tuple[int, str, set[str]]:
    """Run a command under strace(1); return its status, its words, and all programs that ran."""
    trace = user.home / "trace"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", str(trace), *command],
        env={"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"), **_kept()},
        cwd=user.home, stdin=subprocess.DEVNULL, capture_output=True, timeout=500, check=False,
    )  # fmt: skip
    told = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    started = re.findall(r'execve(?:at)?\("([^"]*)".*= 0$', trace.read_text(), re.MULTILINE)
    trace.unlink()
    return done.returncode, told, {Path(each).name for each in started}


def _kept() -> dict[str, str]:
    return {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}


def fetched(user: User, *more: str) -> tuple[int, str]:
    """Fetch the task, and make sure that nothing of it ran and nothing else changed."""
    place = user.home / "project"
    before = rest(place)
    status, told, programs = audited(
        user, sys.executable, "-P", "-m", "jailoc.bin", "task", "fetch", "x", "-w", WORKSPACE, *more
    )
    assert programs <= OURS | {Path(sys.executable).name, Path(sys.executable).resolve().name}
    assert rest(place) == before
    assert not (user.home / "mark").exists()
    assert "\x1b" not in told
    assert working() == []
    assert list(task_records.place(WORKSPACE, "x").parent.glob("*.quarantine")) == []
    assert not list((place / ".git/objects/pack").glob("tmp_*"))
    return status, told


TREE = """
entry() { perl -e 'print "$ARGV[0] $ARGV[1]\\0", pack("H*", $ARGV[2])' "$1" "$2" "$3"; }
blob() { printf "$1" | git hash-object -w --stdin; }
commit() { git update-ref refs/heads/task/x "$(git commit-tree -m x -p HEAD "$1")"; }
put() { entry "$1" "$2" "$3" | git hash-object -t tree -w --literally --stdin; }
"""
COMMIT = "git add -A; git commit -q -m x\n"
DROP = """o=$(git rev-parse HEAD:new)
rm -f .git/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)
"""


def modules(text: str) -> str:
    return f"cat > .gitmodules <<'E'\n[submodule \"{text}\nE\n{COMMIT}"


REFUSED = {
    "a URL of a submodule that is an option": modules('a"]\n\tpath = a\n\turl = -u./evil'),
    "a submodule's name that leads out": modules('../../hooks"]\n\tpath = a\n\turl = https://x'),
    "a submodule whose update is a command": modules('a"]\npath = a\nurl = ./a\nupdate = !evil'),
    "modules that are a link": TREE
    + 'commit "$(put 120000 .gitmodules "$(blob /etc/passwd)")"',
    "an entry .GIT": TREE + 'commit "$(put 40000 .GIT "$(git rev-parse HEAD^{tree})")"',
    "an entry git~1": TREE + 'commit "$(put 40000 GIT~1 "$(git rev-parse HEAD^{tree})")"',
    "an entry .git with a joiner": TREE
    + 'commit "$(put 40000 "$(printf ".g\\342\\200\\214it")" "$(git rev-parse HEAD^{tree})")"',
    "an entry ..": TREE + 'commit "$(put 40000 .. "$(git rev-parse HEAD^{tree})")"',
    "an entry with a slash": TREE + 'commit "$(put 100644 a/b "$(blob x)")"',
    "a NUL in a commit": TREE
    + """git update-ref refs/heads/task/x "$(
        { git cat-file commit HEAD | head -n 1; printf 'author a\\0b <c> 1 +0000\\n'; \
          git cat-file commit HEAD | tail -n +2; } |
          git hash-object -t commit -w --literally --stdin
      )" """,
    "a tip that is a blob": TREE + 'blob x > .git/refs/heads/task/x',
    "a missing object": "echo y > new; " + COMMIT
    + DROP,
    "a promisor that runs a command": "echo y > new; " + COMMIT
    + DROP
    + "git config core.repositoryFormatVersion 1; git config extensions.partialClone origin;"
    "git config remote.origin.promisor true; git config remote.origin.url 'ext::sh -c evil'",
    "a history of its own": "git checkout -q --orphan o; " + COMMIT + "git branch -f task/x",
    "a graft that hides it": "git checkout -q --orphan o; " + COMMIT + "git branch -f task/x;"
    "mkdir -p .git/info; echo $(git rev-parse o) $(git rev-parse HEAD~0) > .git/info/grafts",
    "a .git that names the host": "rm -rf .git; echo gitdir: /srv > .git",
    "a .git that leads to the host": "rm -rf .git; ln -s /srv .git",
    "a blob of 300 MB": "head -c 300000000 /dev/zero > zeros; " + COMMIT,
    "a tree of ten billion names": TREE + """t=$(git rev-parse HEAD^{tree})
        for depth in 1 2 3 4 5 6 7 8 9 10; do
            t=$(for n in 0 1 2 3 4 5 6 7 8 9; do entry 40000 $n $t; done |
                git hash-object -t tree -w --stdin)
        done; commit $t""",
}  # fmt: skip
TAKEN = {
    "hooks and settings": "mkdir .git/hooks; "
    + "".join(f"printf '#!/bin/sh\\ntouch /clone/ran' > .git/hooks/{each};" for each in HOOKS)
    + "chmod +x .git/hooks/*; "
    + "".join(f"git config {each} 'touch /clone/ran; false';" for each in SETTINGS)
    + "echo y > y; git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c gpg.program= add y;"
    "git -c core.hooksPath=/dev/null -c core.fsmonitor=false commit -q -m x",
    "a setting that includes what is not there": "echo y > y; " + COMMIT
    + "git config include.path /etc/nothing",
    "alternates": "echo y > y; " + COMMIT + "echo /srv > .git/objects/info/alternates",
    "a replaced commit": "echo y > y; " + COMMIT + "git replace HEAD HEAD~1",
    "a tag for a tip": "echo y > y; " + COMMIT + "git tag -a -m m t;"
    "git rev-parse t > .git/refs/heads/task/x",
    "odd references": "echo y > y; " + COMMIT
    + "git update-ref 'refs/heads/$(touch${IFS}x)' HEAD; git symbolic-ref refs/heads/s refs/../../x"
    "|| true; echo 'ref: /etc/passwd' > .git/refs/heads/t",
    "two million references": "echo y > y; " + COMMIT
    + """perl -e 'print "$ARGV[0] refs/x/$_\\n" for (1000000 .. 3000000)' $(git rev-parse HEAD) \
        >> .git/packed-refs""",
}  # fmt: skip
TOLD = {
    "attributes": ("echo '* filter=x' > .gitattributes; " + COMMIT, ".gitattributes"),
    "hooks in the tree": ("mkdir .husky; echo x > .husky/pre-push; " + COMMIT, ".husky/pre-push"),
    "a link out": (f"ln -s /etc/passwd l; {COMMIT}", "to /etc/passwd"),
    "names but for case": (f"echo x > FILE; {COMMIT}", "take it for FILE"),
    "escapes": (
        "mkdir .vscode; printf x > \"$(printf '.vscode/\\033]52;c;QUFB\\007')\"; " + COMMIT,
        ".vscode/\u241b]52;c;QUFB\u2407",
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize("attack", REFUSED)
def test_an_attack_is_refused_and_runs_nothing(user: User, task: Task, attack: str) -> None:
    inside(user, REFUSED[attack], writable=True)
    status, told = fetched(user)
    assert status == 1, told
    assert "[task-fetch]" in told or "[task-clone]" in told
    assert git(user.home / "project", "for-each-ref", "refs/jailoc") == ""


@pytest.mark.thorough
@pytest.mark.parametrize("attack", TAKEN)
def test_what_does_no_harm_comes_home(user: User, task: Task, attack: str) -> None:
    inside(user, TAKEN[attack], writable=True)
    status, told = fetched(user)
    assert status == 0, told
    (line,) = git(user.home / "project", "for-each-ref").splitlines()[-1:] or [""]
    assert "refs/jailoc" in git(user.home / "project", "for-each-ref", "refs/jailoc"), line
    assert git(user.home / "project", "show", f"{task.reference}:y") == "y"
    git(user.home / "project", "-c", "core.fsmonitor=false", "fsck", "--strict")


def test_what_the_host_would_obey_later_is_told(user: User, task: Task) -> None:
    inside(user, "".join(script for script, _ in TOLD.values()), writable=True)
    status, told = fetched(user)
    assert status == 0, told
    assert told.count("look before you check it out") == len(TOLD)
    for attack, (_, words) in TOLD.items():
        assert words in told, attack


def test_what_a_commit_before_the_last_has_is_told(user: User, task: Task) -> None:
    """Whoever rebases it, or picks its commits, checks out each."""
    script = "mkdir .husky; echo x > .husky/pre-commit; " + COMMIT
    inside(user, f"{script} git rm -rq .husky; echo y > y; {COMMIT}", writable=True)
    status, told = fetched(user)
    assert status == 0, told
    told = " ".join(told.split())
    assert (
        ".husky/pre-commit: the host may execute it (.husky), in a commit before the last" in told
    )


def test_so_is_what_such_a_commit_reaches_by_a_link_or_has_in_parts(user: User, task: Task) -> None:
    """The link comes and goes, and so does a repository."""
    steps = (
        "ln -s cfg .cargo; mkdir cfg; echo x > cfg/config.toml; ",
        "git rm -rq .cargo cfg; mkdir -p r/objects r/refs; ",
        "for each in HEAD objects/a refs/b; do echo x > r/$each; done; ",
        "git rm -rq r; echo y > y; ",
    )
    inside(user, COMMIT.join((*steps, "")), writable=True)
    status, told = fetched(user)
    assert status == 0, told
    told = " ".join(told.split())
    assert "cfg/config.toml: the host may execute it (.cargo/config.toml), as" in told
    assert "r: Git takes it for a repository" in told


def test_what_the_users_own_git_configuration_names_is_told(user: User, task: Task) -> None:
    """The agent of the workspace finds it read-only, and of a task's clone it would come home."""
    place = user.home / "project"
    keys = {"core.hooksPath": "tools/hooks", "filter.x.clean": "./tools/f.sh"}
    for key, value in keys.items():
        git(place, "config", key, value)
    (place / "tools").mkdir()
    (place / "tools/f.sh").touch()
    try:
        script = "mkdir -p tools/hooks; echo x > tools/hooks/pre-push; echo x > tools/f.sh; "
        inside(user, script + COMMIT, writable=True)
        status, told = fetched(user)
    finally:
        for key in keys:
            git(place, "config", "--unset", key)
        shutil.rmtree(place / "tools")
    assert status == 0, told
    told = " ".join(told.split())
    assert "tools/hooks/pre-push: the host may execute it (tools/hooks)" in told
    assert "tools/f.sh: the host may execute it (tools/f.sh)" in told


LIES = """
echo harmless > file; git commit -q -a -m harmless; good=$(git rev-parse HEAD)
git reset -q --hard HEAD~1
echo evil > file; git commit -q -a -m real; git replace HEAD "$good"
echo 'file -diff' > .git/info/attributes
git config format.pretty 'format:harmless'
git config diff.srcPrefix other/
"""


def test_what_is_shown_of_a_task_is_what_comes_home(user: User, task: Task) -> None:
    inside(user, f"mkdir -p .git/info; {LIES}", writable=True)
    # Control: whoever asks Git in the clone is told what the agent likes.
    there = inside(user, f"git diff --text {task.base}..task/x; git log {task.base}..task/x")
    assert "+harmless" in there
    assert "evil" not in there
    assert "real" not in there

    def shown(*more: str) -> tuple[str, str]:
        log, diff = (user.run("task", each, "x", "-w", WORKSPACE, *words)
                     for each, words in (("log", ()), ("diff", more)))  # fmt: skip
        assert "real" in log.stdout
        assert "+evil" in diff.stdout
        assert "--- a/file" in diff.stdout
        assert "harmless" not in log.stdout + diff.stdout
        return log.stderr, diff.stderr

    assert all("not fetched" in each for each in shown())
    assert git(user.home / "project", "for-each-ref", "refs/jailoc") == ""
    user.ok("task", "fetch", "x", "-w", WORKSPACE)
    # The agent goes on: what was fetched is shown.
    inside(user, f"git replace -d task/x; git reset -q --hard {task.base}", writable=True)
    assert all("not fetched" not in each for each in shown())
    inside(user, "echo more > more", writable=True)
    diff = user.ok("task", "diff", "x", "-w", WORKSPACE, "--uncommitted")
    assert "+more" in diff
    assert "evil" not in diff


@pytest.mark.parametrize("place", [".git/HEAD", ".git/refs/heads/task/x", ".gitignore", "link"])
def test_a_pipe_in_a_clone_is_told_at_once(user: User, task: Task, place: str) -> None:
    if place == "link":
        place = ".git/config"
        inside(user, f"rm {place}; mkfifo pipe; ln -s ../pipe {place}", writable=True)
    else:
        inside(user, f"rm -f {place}; mkfifo {place}", writable=True)
    started = time.monotonic()
    status, told = fetched(user, "--uncommitted")
    assert time.monotonic() - started < 60
    assert status == 1
    assert f"Git would wait for a pipe: {place}" in told
    # Control: it does.
    there = inside(user, "timeout 3 git status >/dev/null 2>&1 || echo $?")
    assert there == "124"


def test_the_audit_sees_what_git_runs_without_the_forced_settings(user: User, task: Task) -> None:
    place = user.home / "project"
    status, _, programs = audited(
        user, "git", "-C", str(place), "update-ref", "refs/control", task.base
    )
    git(place, "-c", "core.hooksPath=/dev/null", "update-ref", "-d", "refs/control")
    assert status == 0
    assert "reference-transaction" in programs
    assert "reference-transaction" in (user.home / "mark").read_text()


@pytest.mark.thorough
def test_another_history_comes_home_where_it_is_asked_for(user: User, task: Task) -> None:
    inside(user, REFUSED["a history of its own"], writable=True)
    status, told = fetched(user, "--unrelated")
    assert status == 0, told
    assert git(user.home / "project", "rev-list", "--count", task.reference) == "1"


PEERS = {
    "garbage": ("head -c 100000 /dev/urandom", "names no commit"),
    "an endless one": ("cat /dev/zero", "names no commit"),
    "an endless pack": ("echo $T; printf PACK; cat /dev/zero", "was ended"),
    "a stalled one": ("echo $T; sleep 100", "no answer within"),
    "a short pack": ("echo $T; printf 'PACK\\0\\0\\0\\002\\0\\0\\0\\005xx'", "does not take it"),
    "too many objects": ("echo $T; printf 'PACK\\0\\0\\0\\002\\177\\0\\0\\0'", "objects, and may"),
    "no pack": ("echo $T; echo hello", "it is no pack"),
    "nothing": ("true", "names no commit"),
    "escapes": ("printf '\\033]0;x\\007' >&2; exit 1", "cannot be read"),
}


QUICK = {"an endless pack", "a short pack", "escapes"}


@pytest.mark.parametrize(
    "peer",
    [each if each in QUICK else pytest.param(each, marks=pytest.mark.thorough) for each in PEERS],
)
def test_a_lying_peer_is_refused(
    user: User, task: Task, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, why = PEERS[peer]
    monkeypatch.setattr(task_pack, "PACK_BYTES", 20 << 20)
    if peer == "a stalled one":
        monkeypatch.setattr(task_fetch, "SECONDS", 3)
    sender = _sender(user, task, f"T={task.base}; {script}")
    started = time.monotonic()
    with pytest.raises(Refused, match=why) as refused:
        task_fetch.received(sender, task, f"{task.repository}/.git")
    assert time.monotonic() - started < 60
    assert "\x1b" not in str(refused.value)
    assert git(Path(task.repository), "for-each-ref", "refs/jailoc") == ""
    assert working() == []


def _sender(user: User, task: Task, script: str) -> Tool:
    loaded = origin(user, Path(task.repository))
    workspace = resolve(loaded.config, WORKSPACE, loaded.host)
    return TaskClone(QUIET, workspace, task, loaded.host).tool("/bin/sh", "-c", script)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("where", "mebibytes"), [("the quarantine", 1), *(("the repository", each) for each in (1, 4))]
)
def test_a_full_disk_leaves_the_old_state(
    user: User, task: Task, where: str, mebibytes: int
) -> None:
    """It fills while the pack comes, or while it is taken in."""
    inside(user, f"head -c 3000000 /dev/urandom > y; {COMMIT}", writable=True)
    objects = user.home / "project/.git/objects"
    quarantine = task_records.place(WORKSPACE, "x").with_suffix(".quarantine")
    place = quarantine.parent if where == "the quarantine" else objects / "pack"
    before = sorted(objects.rglob("*"))
    world.call("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(place))
    try:
        task_records.write(task)
        status, told = fetched(user)
        left = [*place.glob("*quarantine*"), *(objects / "pack").glob("tmp*")]
        reference = git(user.home / "project", "for-each-ref", "refs/jailoc")
    finally:
        world.call("umount", str(place))
    room = mebibytes == 4
    assert left == []
    assert (status, "cannot be kept: No space left" in told) == (int(not room), not room), told
    assert bool(reference) == room
    assert room or sorted(objects.rglob("*")) == before
    git(user.home / "project", "-c", "core.hooksPath=/dev/null", "update-ref", "-d", task.reference)
    task_records.write(task)
    status, told = fetched(user)
    assert status == 0, told


@pytest.mark.thorough
@pytest.mark.parametrize("link", ["refs/jailoc", f"logs/refs/jailoc/{WORKSPACE}"])
def test_a_reference_is_written_where_it_belongs(user: User, task: Task, link: str) -> None:
    """An agent that works in the repository itself can have its directories lead elsewhere."""
    elsewhere, place = user.home / "elsewhere", user.home / "project/.git" / link
    elsewhere.mkdir(exist_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    place.symlink_to(elsewhere)
    try:
        inside(user, "echo y > y; " + COMMIT, writable=True)
        status, told = fetched(user)
    finally:
        place.unlink()
    assert (status, "is a symbolic link" in told) == (1, True), told
    assert list(elsewhere.iterdir()) == []


@pytest.mark.thorough
def test_a_repository_that_lost_the_base_is_told_so(user: User, task: Task) -> None:
    other = task.model_copy(update={"base": "1" * 40})
    with pytest.raises(Refused, match="does not have 111111111111 any more"):
        task_fetch.received(_sender(user, task, "true"), other, f"{task.repository}/.git")


@pytest.mark.thorough
def test_a_fetch_that_is_killed_leaves_the_old_state_or_the_new(user: User, task: Task) -> None:
    inside(user, f"head -c 3000000 /dev/urandom > y; {COMMIT}", writable=True)
    place = user.home / "project"
    before, tip = rest(place), inside(user, "git rev-parse HEAD")
    command = [sys.executable, "-P", "-m", "jailoc.bin", "task", "fetch", "x", "-w", WORKSPACE]
    seen = set()
    for step in range(6):
        with subprocess.Popen(
            command, cwd=user.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"), **_kept()},
        ) as running:  # fmt: skip
            time.sleep(0.3 + 0.35 * step)
            running.kill()
        assert rest(place) == before
        found = git(place, "for-each-ref", "--format=%(objectname)", "refs/jailoc")
        assert found in {"", tip}
        seen.add(found)
    status, told = fetched(user)
    assert status == 0, told
    assert git(place, "rev-parse", task.reference) == tip
