"""A task's clone holds the history of one commit alone; what cannot be cloned is said."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jailoc.bin.deploy import task_clone, tools
from jailoc.bin.engine import docker, volumes
from jailoc.bin.engine import tools as container
from jailoc.bin.engine.door import Reply
from jailoc.bin.engine.tools import Tool
from jailoc.generators.config.resolve import resolve
from jailoc.model.diagnostic import Refused
from jailoc.model.sandbox import TOOLS_GIT_CONFIG
from tests.engine import world
from tests.engine.clones import (
    QUIET,
    WORKSPACE,
    cloned,
    git,
    home,
    inside,
    left,
    origin,
    repository,
    working,
)
from tests.engine.world import User

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with home("clones") as found:
        yield found


@pytest.fixture
def place(user: User) -> Iterator[Path]:
    yield user.home / "project"
    for each in user.home.iterdir():
        if not each.name.startswith("."):
            shutil.rmtree(each, ignore_errors=True)


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_nothing_but_the_history_of_the_commit_comes_along(user: User, place: Path) -> None:
    repository(place)
    (place / "secret").write_text("s3cret dropped\n")
    git(place, "add", "secret")
    git(place, "reset", "--quiet", "--hard")  # the blob stays, and nothing names it
    git(place, "checkout", "--quiet", "-b", "other")
    (place / "secret").write_text("s3cret of another branch\n")
    git(place, "add", "secret")
    git(place, "commit", "--quiet", "--message", "other")
    git(place, "tag", "mark")
    git(place, "checkout", "--quiet", "main")
    (place / "file").write_text("s3cret stashed\n")
    git(place, "stash", "--quiet")
    for hook in ("post-checkout", "reference-transaction", "pre-commit"):
        executable(place / ".git/hooks" / hook, "touch /clone/ran /tmp/ran")
    git(place, "config", "core.fsmonitor", "touch /clone/ran")
    git(place, "config", "core.alternateRefsCommand", "touch /clone/ran")
    git(place, "config", "remote.origin.url", "https://user:s3cret@git.example.com/x")
    git(place, "config", "user.signingkey", "s3cret")
    git(place, "config", "user.email", "me@example.com")
    (place / "untracked").write_text("s3cret\n")
    before = snapshot(place)
    with cloned(user, place) as made:
        assert made.base == git(place, "rev-parse", "main")
        assert made.notes == (
            "the name that this repository alone gives its commits (user.email) is not in it",
            "what is not committed is not in it",
        )
        said = inside(
            user,
            "git for-each-ref; cat .git/config; ls -A . .git .git/*; git status --porcelain; "
            "git cat-file --batch-check --batch-all-objects; id -u; stat -c %u .",
        )
    assert f"{made.base} commit\trefs/heads/task/x" in said
    assert said.count("refs/") == 1
    for word in ("s3cret", "hooks", "fsmonitor", "remote", "alternates", "ran\n", "untracked"):
        assert word not in said.replace("branch", ""), word
    assert said.splitlines()[-2:] == ["1000", "1000"]
    kinds = [line.split()[1] for line in said.splitlines() if line.count(" ") == 2
             and line.split()[1] in {"blob", "tree", "commit"}]  # fmt: skip
    assert sorted(kinds) == ["blob", "blob", "commit", "commit", "tree", "tree"]
    assert snapshot(place) == before


def snapshot(place: Path) -> dict[str, bytes]:
    """Return all that a directory holds."""
    return {
        str(each.relative_to(place)): each.read_bytes() if each.is_file() else b""
        for each in sorted(place.rglob("*"))
    }


def entered(place: Path) -> None:
    """Have Git go into a repository below, by an entry of the index, and run a filter of its."""
    inner = repository(place / "inner")
    filtered(inner, inner / ".git/config")
    os.utime(inner / "file", (0, 0))
    tip = git(inner, "rev-parse", "HEAD")
    git(place, "update-index", "--add", "--cacheinfo", f"160000,{tip},inner")
    git(place, "commit", "--quiet", "--message", "an entry")


def around(place: Path) -> None:
    """Have Git take the working tree for a bare repository, whose settings are the agent's."""
    (place / ".git/HEAD").rename(place / ".git/HEAD.away")
    for each in ("objects", "refs", "index", "config"):
        shutil.copytree(place / ".git" / each, place / each, symlinks=True) if (
            place / ".git" / each
        ).is_dir() else shutil.copy(place / ".git" / each, place / each)
    shutil.copy(place / ".git/HEAD.away", place / "HEAD")
    filtered(place, place / "config")
    with (place / "config").open("a") as file:
        file.write(f"[core]\n\tbare = false\n\tworktree = {place}\n")
    os.utime(place / "file", (0, 0))


def filtered(top: Path, config: Path) -> None:
    """Have what looks at a file of a working tree run a program, which leaves a mark."""
    (top / ".gitattributes").write_text("file filter=mark\n")
    with config.open("a") as file:
        file.write('[filter "mark"]\n\tclean = touch /clone/ran; cat\n')


def as_before(user: User, place: Path, *more: Path) -> str:
    """Look at a working tree in a container of the tools image as Git does of its own accord."""
    loaded = origin(user, place)
    image = tools.image(QUIET, resolve(loaded.config, WORKSPACE, loaded.host), loaded.host)
    return world.call(
        "docker", "run", "--rm", "--network", "none", "--user", "1000:1000", "--tmpfs",
        "/clone:mode=1777", "--env", f"GIT_CONFIG_GLOBAL={TOOLS_GIT_CONFIG}",
        *(word for each in (place, *more)
          for word in ("--mount", f"type=bind,source={each},target={each},readonly")),
        "--entrypoint", "/bin/sh", image, "-c",
        f"git -C '{place}' --no-optional-locks status --porcelain; ls /clone",
    )  # fmt: skip


@pytest.mark.parametrize("prepare", [entered, around])
def test_a_clone_runs_nothing_that_the_working_tree_says(
    user: User, place: Path, prepare: Callable[[Path], None]
) -> None:
    repository(place)
    prepare(place)
    subprocess.run(["chown", "-R", "1000:1000", str(place)], check=True)
    assert "ran" in as_before(user, place).split(), "the control"
    marks = "ls -A /clone | grep -c '^ran$'"
    if prepare is around:
        with pytest.raises(Refused, match="Git finds no repository there"), cloned(user, place):
            pass
    else:
        with cloned(user, place):
            assert inside(user, f"{marks} || true").split() == ["0"]


def test_what_looks_at_a_working_tree_sees_neither_the_clone_nor_what_is_borrowed(
    user: User, place: Path
) -> None:
    lender = repository(place.with_name("lender"))
    git(place.parent, "clone", "--quiet", "--shared", "lender", place.name)
    (place / ".gitattributes").write_text("file filter=mark\n")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "an attribute")
    seen = f"[ ! -e {lender}/.git/objects ] || echo seen"
    git(place, "config", "filter.mark.clean", f"touch /clone/ran; {seen}; cat")
    os.utime(place / "file", (0, 0))
    subprocess.run(["chown", "-R", "1000:1000", str(place)], check=True)
    assert "ran" in as_before(user, place, lender).split(), "the control"
    with cloned(user, place, trust=lender) as made:
        assert inside(user, "ls -A /clone | grep -c '^ran$' || true").split() == ["0"]
    assert made.notes == ()
    (place / "file").write_text("changed\n")
    with cloned(user, place, trust=lender) as made:
        assert made.notes == ("what is not committed is not in it",)


SOCKETS = """
my ($family, $kind, $protocol) = @ARGV;
if (!$family) {
    socketpair(my $one, my $other, 1, 1, 0) or die "refused: $!\n";
} else {
    socket(my $made, $family, $kind, $protocol) or die "refused: $!\n";
}
print "made\n";
"""


@pytest.mark.parametrize(
    "socket", ["1 1 0", "0 0 0", "2 1 0", "16 3 15", "40 1 0"],
    ids=["unix", "a pair", "tcp", "events of devices", "the hypervisor"],
)  # fmt: skip
def test_who_reads_an_agents_files_has_no_socket(user: User, place: Path, socket: str) -> None:
    loaded = origin(user, repository(place))
    image = tools.image(QUIET, resolve(loaded.config, WORKSPACE, loaded.host), loaded.host)
    words = ("perl", "-e", SOCKETS, *socket.split())
    reply = container.ask(
        Tool(image, WORKSPACE, "1000:1000", words), what="trying a socket", timeout=30
    )
    assert (reply.status != 0, reply.stdout) == (True, b"")
    assert b"refused: Operation not permitted" in reply.stderr
    control = ["docker", "run", "--rm", "--network", "none", "--user", "1000:1000", image, *words]
    if socket != "40 1 0":  # a kernel may lack it
        assert world.call(*control).strip() == "made"


PARTIAL = """
git init --quiet /tmp/partial && cd /tmp/partial
git config extensions.partialClone x
git config remote.x.url /tmp/partial
git config remote.x.promisor true
git config remote.x.partialclonefilter blob:none
git config remote.x.uploadpack 'touch /tmp/ran; false'
git cat-file -e 1111111111111111111111111111111111111111 2>/tmp/said
ls /tmp
"""


@pytest.mark.parametrize("unsettled", ["", "unset GIT_NO_LAZY_FETCH\n"], ids=["", "control"])
def test_what_a_partial_clone_lacks_is_asked_of_no_program(
    user: User, place: Path, unsettled: str
) -> None:
    loaded = origin(user, repository(place))
    image = tools.image(QUIET, resolve(loaded.config, WORKSPACE, loaded.host), loaded.host)
    words = ("/bin/sh", "-c", unsettled + PARTIAL)
    reply = container.ask(
        Tool(image, WORKSPACE, "1000:1000", words), what="looking at a clone", timeout=30
    )
    assert (b"ran" in reply.stdout.split()) == bool(unsettled), reply


def linked(place: Path) -> Path:
    main = repository(place.with_name("main"))
    git(main, "worktree", "add", "--quiet", "--detach", str(place))
    return place


def borrowing(place: Path) -> Path:
    repository(place.with_name("lender"))
    git(place.parent, "clone", "--quiet", "--shared", "lender", place.name)
    return place


def shallow(place: Path) -> Path:
    lender = repository(place.with_name("lender"), commits=3)
    git(place.parent, "clone", "--quiet", "--depth", "2", f"file://{lender}", place.name)
    return place


def bare(place: Path) -> Path:
    lender = repository(place.with_name("lender"))
    git(place.parent, "clone", "--quiet", "--bare", str(lender), place.name)
    return place


def detached(place: Path) -> Path:
    repository(place)
    git(place, "checkout", "--quiet", "--detach", "HEAD~1")
    return place


GOOD: dict[str, Callable[[Path], Path]] = {
    "a linked working tree": linked,
    "one that borrows objects": borrowing,
    "a shallow one": shallow,
    "a bare one": bare,
    "one of SHA-256": lambda place: repository(place, "--object-format=sha256"),
    "a detached one": detached,
    "one with an odd name": lambda place: repository(place.with_name("a b$HOME 'y' #z")),
}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", GOOD)
def test_every_kind_of_repository_is_cloned(user: User, place: Path, kind: str) -> None:
    source = GOOD[kind](place)
    lender = place.with_name("lender")
    with cloned(user, source, trust=lender if kind == "one that borrows objects" else None) as made:
        assert made.base == git(source, "rev-parse", "HEAD")
        said = inside(user, "git fsck --strict; git rev-parse HEAD; cat file; git log --oneline")
        assert made.base in said
    assert left() == []


@pytest.mark.thorough
@pytest.mark.parametrize("revision", ["main~1", "mark", "refs/tags/mark", "HEAD^{/commit 0}"])
def test_it_begins_where_it_is_told_to(user: User, place: Path, revision: str) -> None:
    repository(place)
    git(place, "tag", "--annotate", "--message", "m", "mark", "HEAD~1")
    with cloned(user, place, revision) as made:
        assert made.base == git(place, "rev-parse", "main~1")
        assert inside(user, "git rev-parse --abbrev-ref HEAD; cat file") == "task/x\n0"


def test_objects_are_borrowed_from_what_the_agent_sees_or_the_user_has_lent_alone(
    user: User, place: Path
) -> None:
    """Who has written that down does not count: a start covers what an agent has made, too."""
    borrowing(place)
    lender = place.with_name("lender")
    alternates = place / ".git/objects/info/alternates"
    with pytest.raises(Refused, match="does not see"), cloned(user, place):
        pass
    assert left() == []
    with cloned(user, place, trust=lender) as made:
        assert made.base == git(place, "rev-parse", "HEAD")
    with cloned(user, place, more=f'mounts = ["{lender}:/lender:ro"]\n') as made:
        assert made.base == git(place, "rev-parse", "HEAD")
    lender.rename(place / "lender")
    alternates.write_text(f"{place}/lender/.git/objects\n")
    with cloned(user, place) as made:
        assert made.base == git(place, "rev-parse", "HEAD")
    (place.with_name("nothing")).mkdir()
    hidden = f'mounts = ["{place.with_name("nothing")}:{place}/lender:ro"]\n'
    with pytest.raises(Refused, match="does not see"), cloned(user, place, more=hidden):
        pass
    alternates.write_text("../..\n")
    with pytest.raises(Refused, match="or not all of"), cloned(user, place, more=hidden):
        pass


def test_a_bare_repository_with_something_hidden_in_it_is_not_cloned(
    user: User, place: Path
) -> None:
    bare(place)
    repository(place / "hidden")
    place.with_name("nothing").mkdir()
    hidden = f'mounts = ["{place.with_name("nothing")}:{place}/hidden:ro"]\n'
    with pytest.raises(Refused, match="or not all of"), cloned(user, place, more=hidden):
        pass
    with cloned(user, place) as made:
        assert made.base == git(place, "rev-parse", "HEAD")


@pytest.mark.parametrize("inner", ["objects", "objects/pack"])
def test_a_link_in_git_leads_to_nothing_that_is_hidden_in_the_project(
    user: User, place: Path, inner: str
) -> None:
    repository(place)
    other = repository(place / "hidden", commits=3)
    git(other, "repack", "-a", "-d", "--quiet")
    mine, theirs = place / ".git" / inner, other / ".git" / inner
    shutil.rmtree(mine)
    mine.symlink_to(os.path.relpath(theirs, mine.parent))
    tip = git(other, "rev-parse", "HEAD")
    (place / ".git/refs/heads/main").write_text(f"{tip}\n")
    assert git(place, "cat-file", "-t", "HEAD") == "commit", "the control: who sees it goes there"
    place.with_name("nothing").mkdir()
    hidden = f'mounts = ["{place.with_name("nothing")}:{other}:ro"]\n'
    with pytest.raises(Refused, match="cannot be cloned"), cloned(user, place, more=hidden):
        pass


def empty(place: Path) -> Path:
    return repository(place, commits=0)


def broken(place: Path) -> Path:
    repository(place)
    shutil.rmtree(place / ".git/objects")
    (place / ".git/objects").mkdir()
    return place


def headless(place: Path) -> Path:
    repository(place)
    (place / ".git/HEAD").unlink()
    return place


def partial(place: Path) -> Path:
    lender = repository(place.with_name("lender"))
    git(lender, "config", "uploadpack.allowFilter", "true")
    words = ("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{lender}")
    git(place.parent, *words, place.name)
    return place


def nothing(place: Path) -> Path:
    place.mkdir()
    return place


def below(place: Path) -> Path:
    (repository(place) / "sub").mkdir()
    return place / "sub"


def misnamed(place: Path) -> Path:
    other = repository(place.with_name("other"))
    place.mkdir()
    (place / ".git").write_text(f"gitdir: {other}/.git\n")
    return place


def led(place: Path) -> Path:
    other = repository(place.with_name("other"))
    place.mkdir()
    (place / ".git").symlink_to(other / ".git")
    return place


def greedy(place: Path) -> Path:
    repository(place)
    keys = place.parent / ".ssh"
    keys.mkdir(exist_ok=True)
    (place / ".git/objects/info/alternates").write_text(f"{keys}\n")
    return place


def holding_up(place: Path) -> Path:
    repository(place)
    (place / ".git/packed-refs").unlink(missing_ok=True)
    os.mkfifo(place / ".git/packed-refs")
    return place


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no repository": (nothing, "it is no repository"),
    "a part of one": (below, "no repository"),
    "an empty one": (empty, "it has no commit yet"),
    "one without objects": (broken, "the commit that is checked out is not there"),
    "one without a HEAD": (headless, "Git finds no repository there"),
    "a partial one": (partial, "it is a partial clone"),
    "a file that names another": (misnamed, "does not name it back"),
    "a link to another": (led, "is a symbolic link"),
    "one with a pipe": (holding_up, "Git would wait for ever"),
    "one that borrows from keys": (greedy, "it needs .*ssh"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_cloned_is_said_and_leaves_nothing(
    user: User, place: Path, kind: str
) -> None:
    make, why = BAD[kind]
    source = make(place)
    with pytest.raises(Refused, match=why) as refused, cloned(user, source):
        pass
    (told,) = refused.value.diagnostics
    assert told.code == "task-repository"
    assert left() == []


@pytest.mark.parametrize("revision", ["nowhere", "--upload-pack=touch /clone/ran", "main^{tree}"])
def test_a_revision_is_a_revision(user: User, place: Path, revision: str) -> None:
    repository(place)
    with pytest.raises(Refused, match="it has no revision"), cloned(user, place, revision):
        pass


def test_a_full_volume_leaves_nothing(
    user: User, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(place)
    (place / "large").write_bytes(bytes(range(256)) * 4000)
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "large")

    def small(project: str, name: str, *_: object) -> None:
        docker.run(
            ["volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs",
             "--opt", "o=size=200k", "--label", f"com.docker.compose.project={project}",
             f"{project}_{name}"], what="a small volume",
        )  # fmt: skip

    monkeypatch.setattr(volumes, "make", small)
    with pytest.raises(Refused, match="there is no room"), cloned(user, place):
        pass
    assert left() == []
    assert working() == []


def test_a_volume_that_is_there_already_is_neither_taken_over_nor_removed(
    user: User, place: Path
) -> None:
    repository(place)
    volume = "jailoc-cloned_x_project"
    world.call("docker", "volume", "create", volume)
    try:
        with pytest.raises(Refused) as refused, cloned(user, place):
            pass
        assert refused.value.diagnostics[0].code == "task-exists"
        assert world.call("docker", "volume", "ls", "--quiet", "--filter", f"name={volume}")
    finally:
        world.call("docker", "volume", "rm", volume)


@pytest.mark.parametrize("compared", [True, False])
def test_a_repository_that_is_led_away_before_it_is_mounted_is_not_cloned(
    user: User, place: Path, monkeypatch: pytest.MonkeyPatch, compared: bool
) -> None:
    """As an agent does that can write the directory above; a control does not compare."""
    repository(place)
    private = repository(user.home / "private")
    (private / "key").write_text("s3cret")
    git(private, "add", "key")
    git(private, "commit", "--quiet", "--message", "private")
    ask = container.ask

    def led(tool: Tool, **words: Any) -> Reply:
        if tool.words[3:4] == ("clone",):
            place.rename(user.home / "away")
            place.symlink_to(private)
        try:
            return ask(tool, **words)
        finally:
            if place.is_symlink():
                place.unlink()
                (user.home / "away").rename(place)

    monkeypatch.setattr(container, "ask", led)
    if not compared:
        monkeypatch.setattr(task_clone, "_compare", lambda *_: None)
        with cloned(user, place):
            monkeypatch.undo()
            assert "s3cret" in inside(user, "cat key"), "the attack does not work"
        return
    with pytest.raises(Refused, match="is not what it was"), cloned(user, place):
        pass
    assert not left()
