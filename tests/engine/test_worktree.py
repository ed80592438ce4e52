"""A linked working tree in a sandbox: Git works in it, and its repository stays the host's."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.test_repositories import IMAGE, as_user

pytestmark = pytest.mark.engine

MADE = """
set -e
git init -q -b main main; cd main; echo 1 >f; echo '*.bin filter=lfs' >.gitattributes; git add .
git commit -qm one; git branch side; git branch gone; git worktree add -q ../feat
git worktree add -q ../other; git switch -q side; echo y >g; git add g; git commit -qm side
git switch -q main; git pack-refs --all; git config extensions.worktreeConfig true
mkdir .git/lfs
"""
GITCONFIG = """
[user]
name = a
email = a@b
[init]
defaultBranch = main
[commit]
gpgsign = true
[filter "lfs"]
clean = git-lfs clean -- %f
smudge = git-lfs smudge -- %f
process = git-lfs filter-process
required = true
[credential]
helper = osxkeychain
[include]
path = .gitconfig-more
"""
WORK = {
    "status": "git status",
    "a commit": "echo x >n; git add n; git commit -qm n",
    "a file of LFS": "dd if=/dev/urandom of=a.bin bs=1k count=4 2>/dev/null; git add a.bin; "
    "git commit -qm lfs; git lfs ls-files | grep -q a.bin",
    "a cherry-pick": 'git cherry-pick side >/dev/null; test ! -e "$(git rev-parse --git-dir)"'
    "/CHERRY_PICK_HEAD",
    "a branch made and deleted": "git switch -qc new; git commit -q --allow-empty -m e; "
    "git switch -q feat; git merge -q --ff-only new; git branch -q -D new",
    "a tag made and deleted": "git tag v1; git tag -d v1 >/dev/null",
    "a rebase": "git rebase -q HEAD~2",
    "a stash": "echo w >>n; git stash -q; git stash pop -q; git checkout -q n",
    "a bisect": "git bisect start -q; git bisect bad; git bisect good HEAD~2 >/dev/null; "
    "git bisect reset 2>/dev/null",
    "an include": "git config --get alias.zz",
    "the other working trees": "git worktree list | grep -q other",
    "a branch that is checked out elsewhere": "! git switch -q main 2>/dev/null",
    "references that the host has packed": "git rev-parse -q --verify gone >/dev/null",
}


@dataclass(frozen=True)
class Ground:
    """A home whose linked working tree is in a running sandbox."""

    user: world.User
    said: str
    """What the start said."""

    @property
    def code(self) -> Path:
        return self.user.home / "code"

    def agent(self, script: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["docker", "exec", "--user", "1000:1000", "--workdir", str(self.code / "feat"),
             "jailoc-feat-opencode-1", "/bin/bash", "-ec", script],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def host(self, script: str, place: str = "main") -> "subprocess.CompletedProcess[str]":
        return as_user(self.user.home, self.code / place, script)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    world.remove("jailoc-feat")
    with world.home("worktree") as user:
        home = user.home
        (home / "code").mkdir()
        (home / ".gitconfig-more").write_text("[alias]\nzz = status\n")
        world.call("chown", "-R", "1000:1000", str(home))
        done = as_user(home, home / "code", MADE)
        assert done.returncode == 0, done.stderr
        (home / ".gitconfig").write_text(GITCONFIG)
        user.write(f'{world.certificates()}\n[workspaces.feat]\npaths = ["~/code/feat"]\n'
                   "enable_docker = false\nport = 4198\n")  # fmt: skip
        result = user.run("up", "feat")
        assert result.status == 0, result.stderr[-4000:]
        try:
            yield Ground(user, result.stderr)
        finally:
            world.remove("jailoc-feat")


def test_git_works_in_a_linked_working_tree(ground: Ground) -> None:
    script = "\n".join(
        f"( {each} ) || echo failed: {name}" for name, each in WORK.items()
    )  # fmt: skip
    done = ground.agent(f"set +e\n{script}")
    assert "failed" not in done.stdout, done
    # The configuration is the host's, so a branch that goes leaves its section there.
    errors = [
        each for each in done.stderr.splitlines() if "error:" in each and "config" not in each
    ]
    assert errors == [], "nothing only looks as if it had failed"
    told = ground.host("git log --format=%s feat && git fsck")
    assert {"n", "lfs", "side", "e"} <= set(told.stdout.split()), told
    assert told.returncode == 0


def test_what_the_host_does_meanwhile_is_seen(ground: Ground) -> None:
    done = ground.host("git -c commit.gpgsign=false commit -q --allow-empty -m later && "
                       "git pack-refs --all && git rev-parse main feat")  # fmt: skip
    assert done.returncode == 0, done
    assert ground.agent("git rev-parse main feat").stdout == done.stdout


def test_no_reference_is_lost_where_the_sandbox_cannot_pack(ground: Ground) -> None:
    before = ground.host("git for-each-ref").stdout
    assert ground.agent("git gc -q").returncode != 0
    assert ground.agent("git pack-refs --all").returncode != 0
    assert ground.agent("git branch -D gone").returncode != 0
    assert ground.host("git for-each-ref").stdout == before
    assert ground.agent("git for-each-ref").stdout == before


def test_of_the_repository_nothing_else_can_be_written(ground: Ground) -> None:
    common = ground.code / "main/.git"
    shut = [each for each in sorted(common.rglob("*"))
            if not any(part in each.relative_to(common).parts[:1] for part in
                       ("objects", "refs", "logs", "lfs"))
            and each.relative_to(common).parts[:2] != ("worktrees", "feat")]  # fmt: skip
    shut += [common / "worktrees/feat" / each for each in ("commondir", "gitdir")]
    shut += [common / "worktrees/feat/config.worktree", ground.code / "feat/.git"]
    assert {each.name for each in shut} > {"config", "hooks", "index", "HEAD", "packed-refs"}

    def state() -> dict[str, object]:
        places = (ground.code / "main", ground.code / "other", *shut)
        return {
            str(each): each.read_bytes() if each.is_file() else each.stat().st_ino
            for place in places
            for each in (place, *(() if ".git" in place.parts else place.glob("[!.]*")))
        }

    before = state()
    script = (
        'for p in "$@"; do for q in "$p" "${p/.git/.git/.host}"; do echo evil >"$q"; '
        'echo x >"$q/x"; mv "$q" "$q.old"; rm -f "$q"; rmdir "$q"; ln -sfn /tmp "$q"; '
        "done; done 2>/dev/null; true"
    )
    words = " ".join(f"'{each}'" for each in shut)
    ground.agent(f"set +e; set -- {words}; {script}")
    ground.agent(f"echo evil >{ground.code}/main/f; rm -f {ground.code}/other/f; true")
    assert state() == before
    assert ground.host("git status && git fsck").returncode == 0
    # What it has spoilt of its own view ends with the container; so does one that was stopped.
    world.call("docker", "stop", "--time", "0", "jailoc-feat-opencode-1")
    ground.user.ok("up", "feat")
    assert ground.agent("git status").returncode == 0


EVIL = r'printf "[core]\nfsmonitor = touch %s; false\n" "$MARK"'
HOOK = r'printf "#!/bin/sh\ntouch %s\n" "$MARK"'
COPY = (
    # What the agent has left there is made of links into its own view.
    "rm -rf $C/objects/x; mkdir -p $C/objects/x/objects/info; "
    "cp -r $C/HEAD $C/config $C/refs $C/logs $C/objects/x; "
    "echo $C/objects >$C/objects/x/objects/info/alternates;"
)
"""A repository in the place where an agent can write objects."""
ATTACKS = {
    "configuration": (f"{EVIL} >>$C/config", "main", "git status"),
    "a hook": (f"{HOOK} >$C/hooks/post-commit; chmod +x $C/hooks/post-commit", "main",
               "git -c commit.gpgsign=false commit -q --allow-empty -m x"),
    "hooks exchanged": (f"mv $C/hooks $C/old; mkdir $C/hooks; {HOOK} >$C/hooks/post-commit; "
                        "chmod +x $C/hooks/post-commit", "main",
                        "git -c commit.gpgsign=false commit -q --allow-empty -m x"),
    "another configuration by commondir": (
        f"{COPY} {EVIL} >>$C/objects/x/config; "
        "echo ../../objects/x >$C/worktrees/feat/commondir", "feat", "git status"),
    "the same in the repository itself": (
        f"{COPY} {EVIL} >>$C/objects/x/config; echo objects/x >$C/commondir",
        "main", "git status"),
    "a configuration of the working tree's own": (
        f"{EVIL} >$C/worktrees/feat/config.worktree", "feat", "git status"),
    "attributes and a filter": (
        "echo '* filter=evil' >$C/info/attributes; "
        'printf "[filter \\"evil\\"]\\nclean = touch %s\\n" "$MARK" >>$C/config', "feat",
        "touch f; git add f; git status"),
    "the rest of a rebase of the other checkout": (
        "mkdir $C/rebase-merge; cd $C/rebase-merge; echo refs/heads/main >head-name; "
        "git rev-parse HEAD | tee onto >orig-head; echo \"exec touch $MARK\" >git-rebase-todo; "
        "touch done interactive; echo 1 >msgnum; echo 1 >end", "main",
        "git rebase --continue"),
}  # fmt: skip


FIRST = ("configuration", "a hook", "another configuration by commondir",
         "the rest of a rebase of the other checkout")  # fmt: skip


@pytest.mark.parametrize(
    "attack",
    [each if each in FIRST else pytest.param(each, marks=pytest.mark.thorough) for each in ATTACKS],
)
def test_the_host_executes_nothing_of_what_the_agent_leaves(ground: Ground, attack: str) -> None:
    plant, place, command = ATTACKS[attack]
    mark = ground.user.home / "mark"
    kept = ground.user.home / "kept.tar"
    world.call("tar", "-C", str(ground.code), "-cpf", str(kept), ".")
    common = ground.code / "main/.git"
    words = f"MARK={mark} C={common} F={ground.code}/feat; export MARK C F;"
    try:
        ground.agent(f"set +e; {words} ({plant}) 2>/dev/null; true")
        ground.host(command, place)
        assert not mark.exists()
        # The control has the whole of the repository, as without any protection.
        subprocess.run(
            ["docker", "run", "--rm", "--network", "none", "--user", "1000:1000",
             "--volume", "/usr:/usr:ro", "--volume", f"{common}:{common}",
             "--volume", f"{ground.code}/feat:{ground.code}/feat", "--env", "HOME=/tmp",
             "--workdir", f"{ground.code}/feat", IMAGE, "/bin/sh", "-c", f"{words} {plant}"],
            capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        done = ground.host(command, place)
        assert mark.exists(), done
    finally:
        mark.unlink(missing_ok=True)
        for name in ("main", "feat", "other"):
            for each in (ground.code / name).iterdir():
                if each.name != ".git" or each.is_file():
                    continue
                for extra in ("commondir", "rebase-merge", "old", "objects/x", "hooks/post-commit"):
                    shutil.rmtree(each / extra, ignore_errors=True)
                    (each / extra).unlink(missing_ok=True)
        world.call("tar", "-C", str(ground.code), "--overwrite", "-xpf", str(kept))


def test_nothing_is_signed_where_no_key_can_be_reached_and_the_start_says_so(
    ground: Ground,
) -> None:
    commit = "git commit -q --allow-empty -m signed"
    assert ground.agent(commit).returncode == 0
    without = ground.agent(f"env -u GIT_CONFIG_COUNT {commit}")
    assert without.returncode != 0
    assert "gpg" in without.stderr
    assert ground.said.count("Git signs nothing in the sandbox") == 1


def test_programs_that_the_image_lacks_are_named_at_the_start(ground: Ground) -> None:
    (line,) = (each for each in ground.said.splitlines() if "lacks what the Git" in each)
    assert "git-credential-osxkeychain (credential.helper)" in line
    assert "git-lfs" not in line, "the image has it"


def test_what_runs_is_what_the_configuration_says(ground: Ground) -> None:
    done = ground.user.run("plan", "feat", "--detailed-exitcode")
    assert done.status == 0, done.stdout


@pytest.mark.thorough
def test_git_signs_with_a_key_that_only_the_ssh_agent_has() -> None:
    world.remove("jailoc-signed")
    with world.home("signed") as user:
        home = user.home
        (home / "code").mkdir()
        (home / ".ssh").mkdir(mode=0o700)
        world.call("chown", "-R", "1000:1000", str(home))
        done = as_user(home, home / "code", f"""
            set -e
            ssh-keygen -q -t ed25519 -N '' -C a -f {home}/.ssh/id
            eval "$(ssh-agent -a {home}/agent.sock)" >/dev/null
            SSH_AUTH_SOCK={home}/agent.sock ssh-add -q {home}/.ssh/id
            echo "a@b $(cat {home}/.ssh/id.pub)" >{home}/allowed
            git init -q; echo "$SSH_AGENT_PID"
        """)  # fmt: skip
        assert done.returncode == 0, done.stderr
        agent = done.stdout.strip()
        (home / ".gitconfig").write_text(
            "[user]\nname = a\nemail = a@b\nsigningkey = ~/.ssh/id\n[commit]\ngpgsign = true\n"
            '[gpg]\nformat = ssh\n[gpg "ssh"]\nprogram = /opt/1Password/op-ssh-sign\n'
        )
        user.write(f'{world.certificates()}\n[workspaces.signed]\npaths = ["~/code"]\n'
                   "ssh_auth_sock = true\nenable_docker = false\nport = 14099\n")  # fmt: skip
        try:
            result = user.run("up", "signed", SSH_AUTH_SOCK=str(home / "agent.sock"))
            assert result.status == 0, result.stderr[-4000:]
            assert "signs nothing" not in result.stderr
            world.call(
                "docker", "exec", "--user", "1000:1000", "--workdir", str(home / "code"),
                "jailoc-signed-opencode-1", "git", "commit", "-q", "--allow-empty", "-m", "x",
            )  # fmt: skip
            told = as_user(
                home,
                home / "code",
                f"git -c gpg.ssh.program=ssh-keygen -c gpg.ssh.allowedSignersFile={home}/allowed "
                "verify-commit HEAD",
            )
            assert told.returncode == 0, told
            assert "Good" in told.stderr
        finally:
            world.remove("jailoc-signed")
            world.call("kill", agent, check=False)
