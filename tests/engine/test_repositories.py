"""What the host's Git executes: an agent tries to have its own, with covers and without."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.host import placeholders
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind
from jailoc.model.mount import Mode
from jailoc.model.sandbox import AGENT
from tests.engine import world

pytestmark = pytest.mark.engine

AS_USER = ("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups")
CONFIG = """
[workspaces.a]
paths = ["~/src"]
mounts = ["~/data:/mnt/data"]
git_config = false
"""
IMAGE = "debian:trixie-slim"

MADE = """
set -e
git init -q one; cd one; echo a >a; echo '*.x filter=evil' >.gitattributes; git add .
git commit -qm first; mkdir deep deep/er; echo 'export A=1' >deep/er/.envrc; mkdir deep/.VSCode
echo '{}' >deep/.VSCode/tasks.json; cd ..
git init -q hooked; cd hooked; mkdir .githooks tools; echo 'exit 0' >tools/fmt
git config core.hooksPath .githooks; git config filter.evil.clean 'sh tools/fmt'
echo '*.x filter=evil' >.gitattributes; echo a >a; git add .; git commit -qm first; cd ..
git init -q main; cd main; echo a >a; git add .; git commit -qm first
git worktree add -q ../../outside/feat; git config extensions.worktreeConfig true; cd ..
git init -q lib; cd lib; echo a >a; git add .; git commit -qm first; cd ..
git init -q super; cd super
git -c protocol.file.allow=always submodule --quiet add "$HOME/src/lib" sub
git commit -qm first; cd ..
git init -q --bare bare.git; git -C one remote add bare "$HOME/src/bare.git"
git -C one push -q bare HEAD:refs/heads/one
git init -q ../data/repo; cd ../data/repo; echo a >a; git add .; git commit -qm first
"""

HOOK = "printf '#!/bin/sh\\ntouch %s\\n' \"$MARK\""
COPY = (
    'cp -r one/.git one/copy; git config --file one/copy/config core.fsmonitor "touch $MARK; false"'
)


@dataclass(frozen=True)
class Attack:
    """What the agent writes, and what the host does then."""

    plant: str
    place: str
    command: str


COMMIT = "git commit -q --allow-empty -m x"
ATTACKS = {
    "a hook in a repository below the path": Attack(
        f"{HOOK} >one/.git/hooks/pre-commit; chmod +x one/.git/hooks/pre-commit", "src/one", COMMIT
    ),
    "hooks exchanged for a directory of its own": Attack(
        f"mv one/.git/hooks one/.git/old; mkdir one/.git/hooks; {HOOK} >one/.git/hooks/pre-commit; "
        "chmod +x one/.git/hooks/pre-commit", "src/one", COMMIT,
    ),
    "a file in the directory of core.hooksPath": Attack(
        f"{HOOK} >hooked/.githooks/pre-commit; chmod +x hooked/.githooks/pre-commit",
        "src/hooked", COMMIT,
    ),
    "the directory of core.hooksPath renamed away": Attack(
        f"mv hooked/.githooks hooked/x; mkdir hooked/.githooks; {HOOK} "
        ">hooked/.githooks/pre-commit; chmod +x hooked/.githooks/pre-commit", "src/hooked", COMMIT,
    ),
    "the program of a filter": Attack(
        'echo "touch $MARK" >hooked/tools/fmt; echo x >hooked/b.x', "src/hooked", "git add b.x",
    ),
    "the program of a filter in a tree of its own": Attack(
        'mv hooked/tools hooked/t; mkdir hooked/tools; echo "touch $MARK" >hooked/tools/fmt; '
        "echo x >hooked/b.x", "src/hooked", "git add b.x",
    ),
    "commondir written": Attack(
        f"{COPY}; echo ../copy >one/.git/commondir", "src/one", "git status"
    ),
    "commondir replaced": Attack(
        f"{COPY}; echo ../copy >x; rm -f one/.git/commondir; mv -f x one/.git/commondir",
        "src/one", "git status",
    ),
    "commondir of a worktree outside": Attack(
        f"{COPY}; echo ../../../../one/copy >main/.git/worktrees/feat/commondir", "outside/feat",
        "git status",
    ),
    "worktrees exchanged": Attack(
        f"{COPY}; cp -r main/.git/worktrees x; mv main/.git/worktrees main/.git/w; "
        "mv x main/.git/worktrees; echo ../../../../one/copy >main/.git/worktrees/feat/commondir",
        "outside/feat", "git status",
    ),
    "a missing config.worktree": Attack(
        'printf "[core]\\nfsmonitor = touch %s; false\\n" "$MARK" '
        ">main/.git/worktrees/feat/config.worktree", "outside/feat", "git status",
    ),
    "configuration": Attack(
        'printf "[core]\\nfsmonitor = touch %s; false\\n" "$MARK" >>one/.git/config', "src/one",
        "git status",
    ),
    "configuration replaced": Attack(
        f"{COPY}; mv -f one/copy/config one/.git/config", "src/one", "git status"
    ),
    "a repository renamed and put back with another": Attack(
        f"{COPY}; mv one two; mkdir one; mv two/copy one/.git; cp two/a one/a", "src/one",
        "git status",
    ),
    "a .git renamed and another put there": Attack(
        f"{COPY}; mv one/.git one/old; mv one/copy one/.git", "src/one", "git status"
    ),
    "configuration of a submodule": Attack(
        'printf "[core]\\nfsmonitor = touch %s; false\\n" "$MARK" '
        ">>super/.git/modules/sub/config", "src/super", "git status",
    ),
    "commondir of a submodule": Attack(
        f"{COPY}; rm -f super/.git/modules/sub/commondir; "
        "echo ../../../../one/copy >super/.git/modules/sub/commondir", "src/super", "git status",
    ),
    "the .git file of a submodule": Attack(
        f"{COPY}; rm -f super/sub/.git; echo 'gitdir: ../../one/copy' >super/sub/.git",
        "src/super", "git status",
    ),
    "a hook of a bare repository": Attack(
        f"{HOOK} >bare.git/hooks/post-receive; chmod +x bare.git/hooks/post-receive", "src/one",
        "git push bare HEAD:refs/heads/new",
    ),
    "a hook in a writable mount": Attack(
        f"cd /mnt/data; {HOOK} >repo/.git/hooks/pre-commit; chmod +x repo/.git/hooks/pre-commit",
        "data/repo", COMMIT,
    ),
    "what direnv loads, deep below": Attack(
        'echo "touch $MARK" >one/deep/er/.envrc', "src/one/deep/er", ". ./.envrc"
    ),
    "what direnv loads, by way of its parents": Attack(
        'mv one/deep one/old; mkdir -p one/deep/er; echo "touch $MARK" >one/deep/er/.envrc',
        "src/one/deep/er", ". ./.envrc",
    ),
    "an editor's tasks in other letters": Attack(
        'echo "touch $MARK" >one/deep/.VSCode/tasks.json', "src/one/deep", ". .VSCode/tasks.json"
    ),
}  # fmt: skip

LEGITIMATE = {
    "commit": "cd one && echo b >>a && git add a && git commit -qm more",
    "branch": "cd one && git checkout -qb side && git commit -q --allow-empty -m s && "
    "git checkout -q - && git merge -q side",
    "gc": "cd one && git gc -q --prune=now && git fsck --strict && git repack -adq",
    "worktree": "cd main && git worktree add -q ../more && cd ../more && "
    "git commit -q --allow-empty -m w && git worktree list",
    "clone": "git clone -q one cloned && cd cloned && git commit -q --allow-empty -m c",
    "submodule": "cd super/sub && echo b >>a && git commit -qam more && cd .. && "
    "git add sub && git commit -qm sub && git status",
    "push": "cd one && git push -q bare HEAD:refs/heads/again",
    "bare": "git -C bare.git log -1 one && git -C bare.git fsck",
    "mount": "cd /mnt/data/repo && git commit -q --allow-empty -m m",
    "stash": "cd one && echo c >>a && git stash -q && git stash pop -q && "
    "git commit -qam c && git rebase -q HEAD~0",
}


@dataclass(frozen=True)
class Ground:
    """A home with repositories, and a copy of it as it was made."""

    home: Path
    bundle: Bundle

    @property
    def mark(self) -> Path:
        return self.home / "marks/hit"

    def restore(self) -> None:
        for name in ("src", "data", "outside", "marks"):
            shutil.rmtree(self.home / name, ignore_errors=True)
        world.call("tar", "-xpf", str(self.home / "kept.tar"), "-C", str(self.home))

    def host(self, place: str, command: str) -> "subprocess.CompletedProcess[str]":
        return as_user(self.home, self.home / place, command)

    def agent(self, script: str, *, covered: bool) -> "subprocess.CompletedProcess[str]":
        """Run a script where the agent would: its user, its mounts, this machine's Git."""
        binds = [
            each for each in self.bundle.compose.services[AGENT].mounts
            if isinstance(each, Bind) and each.source.text.startswith(f"{self.home}/")
            and not each.source.text.startswith((f"{self.home}/.cache", f"{self.home}/.config"))
            and Path(each.source.text).exists()
        ]  # fmt: skip
        roots = {f"{self.home}/src", "/mnt/data"}
        mounts = [
            word
            for each in binds
            if covered or each.target.text in roots
            for word in (
                "--mount",
                f"type=bind,source={each.source.text},target={each.target.text}"
                + (",readonly" if each.mode is Mode.READ_ONLY else ""),
            )
        ]
        return subprocess.run(
            ["docker", "run", "--rm", "--network", "none", "--user", "1000:1000",
             "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
             "--volume", "/usr:/usr:ro", "--env", f"MARK={self.mark}", "--env", "HOME=/tmp",
             *(word for each in IDENTITY for word in ("--env", each)),
             *mounts, "--workdir", f"{self.home}/src", IMAGE, "/bin/sh", "-c", script],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


IDENTITY = ("GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
            "GIT_COMMITTER_EMAIL=a@b")  # fmt: skip


def as_user(home: Path, place: Path, command: str) -> "subprocess.CompletedProcess[str]":
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    for each in IDENTITY:
        key, _, value = each.partition("=")
        environment[key] = value
    return subprocess.run(
        [*AS_USER, "/bin/sh", "-c", command],
        cwd=place, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@contextmanager
def made_home(name: str, script: str) -> Iterator[world.User]:
    """Make a home with repositories, which is the one of this process meanwhile."""
    with world.home(name) as user, pytest.MonkeyPatch.context() as patch:
        home = user.home
        for each in ("src", "data", "outside", "marks"):
            (home / each).mkdir()
            os.chown(home / each, 1000, 1000)
        os.chown(home, 1000, 1000)
        done = as_user(home, home / "src", script)
        assert done.returncode == 0, done.stderr
        patch.setenv("HOME", str(home))
        for each in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "JAILOC_CONFIG"):
            patch.delenv(each, raising=False)
        yield user


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with made_home("repositories", MADE) as user:
        home = user.home
        user.write(CONFIG)
        bare = home / "bare.tar"
        kept = ["-C", str(home), "src", "data", "outside", "marks"]
        world.call("tar", "-cpf", str(bare), *kept)
        origin = Session(Terminal(color=False)).source()
        bundle = compile_workspace(origin.config, "a", origin.host)
        for each in bundle.placeholders:
            placeholders.make(each)
        again = Session(Terminal(color=False)).source()
        assert compile_workspace(again.config, "a", again.host) == bundle, "no other than before"
        world.call("tar", "-cpf", str(home / "kept.tar"), *kept)
        yield Ground(home, bundle)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_host_executes_nothing_of_the_agents(ground: Ground, attack: str) -> None:
    tried = ATTACKS[attack]
    for covered in (False, True):
        ground.restore()
        ground.agent(f"({tried.plant}) 2>/dev/null; true", covered=covered)
        done = ground.host(tried.place, tried.command)
        assert ground.mark.exists() is not covered, (covered, done)


def test_the_agent_can_work(ground: Ground) -> None:
    ground.restore()
    script = "".join(f"({each}) >&2 || echo failed: {name}\n" for name, each in LEGITIMATE.items())
    done = ground.agent(script, covered=True)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
    assert ground.host("src/one", "git status && git fsck").returncode == 0
    assert ground.host("src/super", "git status && git submodule status").returncode == 0


def test_nothing_that_is_covered_can_be_written_renamed_replaced_or_removed(
    ground: Ground,
) -> None:
    ground.restore()
    shut = [each.target.text for each in ground.bundle.compose.services[AGENT].mounts
            if isinstance(each, Bind) and each.mode is Mode.READ_ONLY
            and each.target.text.startswith((f"{ground.home}/src/", "/mnt/data/"))]  # fmt: skip
    assert len(shut) > 20
    script = (
        'cd /; for p in "$@"; do touch "$p" && echo "touch $p"; '
        'echo x >"$p/x" && echo "in $p"; mv "$p" "$p.old" && echo "mv $p"; '
        'rm -rf "$p" && echo "rm $p"; mv "${p%/*}" "${p%/*}.old" && echo "parent $p"; '
        'ln -sfn /tmp "$p" && [ -L "$p" ] && echo "ln $p"; done 2>/dev/null; true'
    )
    words = " ".join(f"'{each}'" for each in shut)
    done = ground.agent(f"set -- {words}; {script}", covered=True)
    assert done.stdout == ""
    assert done.returncode == 0
