"""`git_write = false`: the agent reads the Git directories that are there, and writes in none."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.host import placeholders
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from tests.engine import world
from tests.engine.test_repositories import Attack, Ground, as_user, made_home

pytestmark = pytest.mark.engine

CONFIG = """
[workspaces.a]
paths = ["~/src"]
mounts = ["~/data:/mnt/data"]
git_config = false
"""
MADE = """
set -e
git init -q one; cd one; echo a >a; mkdir deep; echo 'true' >deep/.envrc; git add .
git commit -qm first; git commit -q --allow-empty -m second; cd ..
git init -q super; cd super; echo a >a; git add a; git commit -qm first
at=$(git -C ../one rev-parse HEAD); mkdir later
git update-index --add --cacheinfo "160000,$at,later"
git update-index --add --cacheinfo "160000,$at,third/party/deep"; git commit -qm submodules; cd ..
git init -q --bare bare.git
git init -q ../data/repo; cd ../data/repo; echo a >a; git add .; git commit -qm first
"""
EVIL = """
evil=$(echo "touch $MARK" | git hash-object -w --stdin)
GIT_INDEX_FILE=/tmp/index; export GIT_INDEX_FILE; git read-tree HEAD
git update-index --cacheinfo "100644,$evil,deep/.envrc"; tree=$(git write-tree)
unset GIT_INDEX_FILE; head=$(git rev-parse HEAD)
"""
"""A tree of the agent's, with another text in the place of what the host loads."""
STASH = f"""{EVIL}
index=$(git commit-tree "$head^{{tree}}" -p "$head" -m index)
stash=$(git commit-tree "$tree" -p "$head" -p "$index" -m stash)
"""
LOADED = "; cd deep && . ./.envrc"
NESTED = """
git init -q {at}; git -C {at} commit -q --allow-empty -m x
printf '[core]\\nfsmonitor = touch %s; false\\n' "$MARK" >>{at}/.git/config
"""
ATTACKS = {
    "a commit": Attack(
        f'cd one; {EVIL} git update-ref HEAD "$(git commit-tree "$tree" -p "$head" -m x)"',
        "src/one", f"git reset -q --hard{LOADED}",
    ),
    "the index": Attack(
        f'cd one; {EVIL} git update-index --cacheinfo "100644,$evil,deep/.envrc"', "src/one",
        f"git checkout -q .{LOADED}",
    ),
    "a stash": Attack(
        f'cd one; {STASH} git update-ref --create-reflog refs/stash "$stash"', "src/one",
        f"git stash pop -q{LOADED}",
    ),
    "a stash that a merge has left": Attack(
        f'cd one; {STASH} echo "$stash" >.git/MERGE_AUTOSTASH', "src/one",
        f"git commit -q --allow-empty -m mine{LOADED}",
    ),
    "steps of a rebase": Attack(
        'cd one; GIT_SEQUENCE_EDITOR=true git rebase -q -x "touch $MARK; false" HEAD~1 || true; '
        'rm -f "$MARK"; echo "exec touch $MARK" >.git/rebase-merge/git-rebase-todo',
        "src/one", "git rebase --continue",
    ),
    "a link in the place of a log": Attack(
        'cd one; rm -f .git/logs/HEAD; ln -s "$MARK" .git/logs/HEAD', "src/one",
        "git commit -q --allow-empty -m mine",
    ),
    "a link in the place of a message": Attack(
        'cd one; ln -sf "$MARK" .git/COMMIT_EDITMSG', "src/one",
        "git commit -q --allow-empty -m mine",
    ),
    "a repository in the place of a submodule": Attack(
        NESTED.format(at="super/later"), "src/super", "git status"
    ),
    "one whose directory is not there": Attack(
        NESTED.format(at="super/third/party/deep"), "src/super", "git status"
    ),
    "a writable mount": Attack(
        'cd /mnt/data/repo; rm -f .git/logs/HEAD; ln -s "$MARK" .git/logs/HEAD', "data/repo",
        "git commit -q --allow-empty -m mine",
    ),
    "the branch of a bare repository": Attack(
        'echo "ref: refs/heads/x" >bare.git/HEAD', "src/bare.git",
        'grep -q refs/heads/x HEAD && touch "$MARK"',
    ),
}  # fmt: skip
READS = (
    "git status", "git status --porcelain", "git log --oneline", "git diff", "git blame a",
    "git grep -n a", "git show --stat", "git branch --list", "git stash list", "git describe --all",
)  # fmt: skip
WRITES = (
    "git add a", "git commit -q --allow-empty -m x", "git checkout -q -b side",
    "git tag x", "git gc", "git config user.name x", "git worktree add ../tree", "git reset",
    "git update-ref refs/heads/x HEAD",
)  # fmt: skip


class Grounds:
    """One home as an agent sees it that may write Git directories, and as one that may not."""

    def __init__(self, free: Ground, held: Ground) -> None:
        """Take both."""
        self.free, self.held = free, held


@pytest.fixture(scope="module")
def grounds() -> Iterator[Grounds]:
    with made_home("git-write", MADE) as user:
        home = user.home
        bundles = []
        for more in ("", "git_write = false\n"):
            user.write(CONFIG + more)
            origin = Session(Terminal(color=False)).source()
            bundles.append(compile_workspace(origin.config, "a", origin.host))
            for each in bundles[-1].placeholders:
                placeholders.make(each)
        world.call("tar", "-cpf", str(home / "kept.tar"), "-C", str(home),
                   "src", "data", "outside", "marks")  # fmt: skip
        yield Grounds(*(Ground(home, each) for each in bundles))


@pytest.mark.parametrize("attack", ATTACKS)
def test_git_here_obeys_nothing_of_an_agent_that_may_not_write_it(
    grounds: Grounds, attack: str
) -> None:
    tried = ATTACKS[attack]
    for ground in (grounds.free, grounds.held):
        ground.restore()
        ground.agent(f"({tried.plant}) 2>/dev/null; true", covered=True)
        done = ground.host(tried.place, f"MARK={ground.mark}; {tried.command}")
        assert ground.mark.exists() is (ground is grounds.free), done


def test_it_reads_all_and_says_why_it_writes_nothing(grounds: Grounds) -> None:
    grounds.held.restore()
    here = f"{grounds.held.home}/src/one"
    for place in (here, "/mnt/data/repo"):
        reads = "".join(f"{each} >/dev/null || echo 'failed: {each}'\n" for each in READS)
        writes = "".join(
            f"said=$({each} 2>&1) && echo 'worked: {each}'\n"
            f"case $said in *'ead-only file system'*) ;; *) echo \"{each}: $said\" ;; esac\n"
            for each in WRITES
        )
        done = grounds.held.agent(
            f"cd {place} && {{\n{reads}{writes}\n}}; echo b >>a", covered=True
        )
        assert done.stdout == "", done
    assert "b" in (Path(here) / "a").read_text(), "files are written"
    assert grounds.held.host("src/one", "git add a && git commit -qm mine && git fsck"
                             ).returncode == 0  # fmt: skip


def test_all_that_is_covered_stays_in_its_place(grounds: Grounds) -> None:
    grounds.held.restore()
    home = grounds.held.home
    shut = [home / "src/one/.git", home / "src/super/later", home / "src/super/third",
            home / "src/bare.git", Path("/mnt/data/repo/.git")]  # fmt: skip
    script = (
        'cd /; for p in "$@"; do echo x >"$p/x" && echo "in $p"; mv "$p" "$p.old" && echo "mv $p"; '
        'rm -rf "$p" && echo "rm $p"; mv "${p%/*}" "${p%/*}.old" && echo "parent $p"; '
        "done 2>/dev/null; true"
    )
    words = " ".join(f"'{each}'" for each in shut)
    done = grounds.held.agent(f"set -- {words}; {script}", covered=True)
    assert (done.stdout, done.returncode) == ("", 0)
    assert (home / "src/super/later").is_dir()


@pytest.fixture
def sandbox() -> Iterator[world.User]:
    world.remove("jailoc-gitwrite")
    with world.home("git-write-sandbox") as user:
        (user.home / "code").mkdir()
        world.call("chown", "-R", "1000:1000", str(user.home))
        made = "set -e; for each in main apart; do git init -q -b main $each; cd $each; " \
               "echo 1 >f; git add .; git commit -qm one; cd ..; done; " \
               "git -C apart worktree add -q ../feat"  # fmt: skip
        assert as_user(user.home, user.home / "code", made).returncode == 0
        user.write(f"{world.certificates()}\n[workspaces.gitwrite]\n"
                   'paths = ["~/code/main", "~/code/feat"]\n'
                   "enable_docker = false\ngit_write = false\nport = 4286\n")  # fmt: skip
        result = user.run("up", "gitwrite")
        assert result.status == 0, result.stderr[-4000:]
        try:
            yield user
        finally:
            world.remove("jailoc-gitwrite")


def test_a_sandbox_works_so(sandbox: world.User) -> None:
    code = sandbox.home / "code"

    def agent(place: str, script: str) -> str:
        return world.call(
            "docker", "exec", "--user", "1000:1000", "--workdir", str(code / place),
            "jailoc-gitwrite-opencode-1", "/bin/bash", "-c", f"{{ {script}\n}} 2>&1",
        )  # fmt: skip

    for place, source in (("main", "main"), ("feat", "apart")):
        assert agent(place, "git log --format=%s; git status --short").split() == ["one"]
        assert "ead-only file system" in agent(place, "git commit --allow-empty -m x || true")
        done = as_user(sandbox.home, code / source, "git commit -q --allow-empty -m mine")
        assert done.returncode == 0, done
        assert "mine" in agent(place, "git log --format=%s main")
    assert ".git" not in sandbox.ok("status", "gitwrite")
    sandbox.ok("verify", "gitwrite")
    login = base64.b64encode(f"opencode:{sandbox.password('gitwrite')}".encode()).decode()
    where = f"/session?directory={quote(str(code / 'main'))}"
    server = HTTPConnection("127.0.0.1", 4286, timeout=60)
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    with closing(server):
        server.request("POST", where, "{}", headers)
        begun = json.loads(server.getresponse().read())
    assert begun["directory"] == str(code / "main"), "a session begins there all the same"
