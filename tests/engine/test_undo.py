"""Files come back from a snapshot as they were, whatever a project holds and whenever it is cut."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

from jailoc.bin.deploy import restic
from jailoc.bin.host import files
from jailoc.schemas import schema
from tests.engine import test_users as users
from tests.engine import tooling, world
from tests.engine.pod import eventually
from tests.engine.world import User

pytestmark = pytest.mark.engine

NAME = "undone"
ESCAPE = "\x1b]0;owned\x07\u202etxt"


def config(settings: str = "", paths: str = '"~/project"') -> str:
    return f"""{world.certificates()}
[defaults]
enable_docker = false
[workspaces.{NAME}]
port = 4211
paths = [{paths}]
[workspaces.{NAME}.snapshots]
exclude = ["node_modules"]
larger_than = "1m"
{settings}
"""


@pytest.fixture
def user() -> Iterator[User]:
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as someone, tooling.none_after(NAME):
        (someone.home / "project").mkdir()
        (someone.home / "project").chmod(0o777)
        someone.write(config())
        yield someone
        world.remove(f"jailoc-{NAME}")


Entry = tuple[object, ...]


def tree(place: Path) -> dict[str, Entry]:
    """Return all that there is below a place and at it: type, mode, owner, time, links, content.

    Sockets are left out: no program keeps one.
    """
    found: dict[str, Entry] = {}
    inodes: dict[int, str] = {}
    for path in sorted((place, *place.rglob("*"))):
        told, name = path.lstat(), str(path.relative_to(place))
        what: object = None
        if stat.S_ISLNK(told.st_mode):
            what = path.readlink()
        elif stat.S_ISREG(told.st_mode) and told.st_size < 1 << 24:
            what = (
                hashlib.sha256(path.read_bytes()).hexdigest(),
                inodes.setdefault(told.st_ino, name),
            )
        if not stat.S_ISSOCK(told.st_mode):
            found[name] = (oct(told.st_mode), told.st_uid, told.st_gid, told.st_mtime_ns, what)
    return found


def furnish(project: Path) -> None:
    """Fill a project with all that a file system can hold and a user can make."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0",
           "-c", "maintenance.auto=false", "-C"]  # fmt: skip
    for each in (project, project / "vendor/nested"):
        each.mkdir(parents=True, exist_ok=True)
        world.call("git", "init", "--quiet", str(each))
        (each / "source.py").write_text("print()\r\n")
        (each / ".gitattributes").write_text("* text eol=lf\n")
        (each / ".gitignore").write_text("*.secret\nout/\n")
        world.call(*git, str(each), "add", "--all")
        world.call(*git, str(each), "commit", "--quiet", "-m", "one")
    (project / "api.secret").write_text("ignored, and nowhere else")
    (project / "out/deep").mkdir(parents=True)
    (project / "out/deep/made").write_bytes(os.urandom(5000))
    (project / "empty").mkdir(mode=0o750)
    (project / "read-only").mkdir()
    (project / "read-only/inside").write_text("x")
    (project / "read-only").chmod(0o555)
    for mode in (0o400, 0o600, 0o755, 0o4755):
        (project / f"mode-{mode:o}").write_text(f"{mode}")
        (project / f"mode-{mode:o}").chmod(mode)
    (project / "link").symlink_to("source.py")
    (project / "dangling").symlink_to("/etc/shadow")
    os.link(project / "source.py", project / "hard")
    os.mkfifo(project / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(project / "socket"))
    (project / ESCAPE).write_text("escapes")
    (project / "$HOME *?[x] #\\ ").write_text("signs")
    (project / os.fsdecode(b"no-text-\xff")).write_text("name")
    with (project / "sparse").open("wb") as file:
        file.truncate(1 << 20)
    os.setxattr(project / "source.py", "user.note", b"kept")
    shutil.chown(project / "api.secret", 1000, 1000)
    (project / "mode-600").touch()
    os.utime(project / "mode-600", ns=(1, 1_000_000_001))


def emptied(project: Path) -> None:
    for each in project.iterdir():
        shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()


def ids(user: User) -> list[str]:
    found = json.loads(user.ok("snapshot", "list", NAME, "--json"))
    jsonschema.validate(found, schema("snapshots"))
    return [each["id"][:8] for each in found["snapshots"]]


def undone(user: User, *words: str) -> str:
    """Undo, which must succeed; return the id of the snapshot that takes it back."""
    done = user.run("undo", NAME, *words, "--yes")
    assert done.status == 0, done.stdout + done.stderr
    return done.stderr.partition("--to ")[2][:8]


def store(user: User) -> Path:
    return user.home / f".local/share/jailoc/{NAME}/snapshots"


def note(user: User) -> Path:
    return user.home / f".local/share/jailoc/{NAME}/undo.json"


def test_all_comes_back_after_all_was_deleted(user: User) -> None:
    project = user.home / "project"
    furnish(project)
    before = tree(project)
    assert "snapshot " in user.ok("snapshot", NAME)
    emptied(project)
    done = user.run("undo", NAME, "--yes")
    assert done.status == 0, done.stderr
    assert f"creates {len(before) - 1}" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert tree(project) == before
    assert os.getxattr(project / "source.py", "user.note") == b"kept"
    assert tooling.containers(NAME) == []
    assert stat.S_IMODE(store(user).stat().st_mode) == 0o700


def test_it_is_said_which_branches_move(user: User) -> None:
    project = user.home / "project"

    def git(*words: str) -> str:
        mine = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0"]
        return world.call(*mine, "-C", str(project), *words).strip()

    world.call("git", "init", "--quiet", "--initial-branch=main", str(project))
    git("commit", "--quiet", "--allow-empty", "-m", "one")
    git("branch", "gone")
    git("branch", "same")
    first = git("rev-parse", "main")[:8]
    user.ok("snapshot", NAME)
    (project / "added").write_text("x")
    git("add", "added")
    git("commit", "--quiet", "-m", "two")
    git("branch", "--quiet", "-D", "gone")
    git("update-ref", "refs/jailoc/undone/fix", "main")
    git("pack-refs", "--all")
    second = git("rev-parse", "main")[:8]
    shown = user.run("undo", NAME, "--yes").stdout
    place = project / ".git"
    assert f"{place}: branch gone comes back, at {first}\n" in shown
    assert f"{place}: branch main returns from {second} to {first}\n" in shown
    assert f"{place}: refs/jailoc/undone/fix goes, which is at {second}\n" in shown
    assert "same" not in shown
    assert "objects" not in shown
    assert git("rev-parse", "main")[:8] == first


@pytest.mark.thorough
def test_nothing_is_done_unasked_and_an_undo_can_be_undone(user: User) -> None:
    project = user.home / "project"
    furnish(project)
    before = tree(project)
    user.ok("snapshot", NAME)
    again = user.run("snapshot", NAME)
    assert "nothing has changed since the last one" in again.stderr
    assert len(ids(user)) == 1
    emptied(project)
    empty = tree(project)
    refused = user.run("undo", NAME)
    assert (refused.status, tree(project)) == (1, empty), "nobody has agreed"
    assert "--yes" in refused.stderr
    taken_back = undone(user)
    assert tree(project) == before
    undone(user, "--to", taken_back)
    assert tree(project) == empty
    listed = user.run("destroy", NAME)
    assert "share/jailoc/undone/snapshots (" in listed.stdout
    user.ok("destroy", NAME, "--yes")
    assert not store(user).parent.exists()


LED = """
import ctypes, os, select, struct, sys, time
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
os.mkdir("p")
for number in range(3000):
    open(f"p/{number:05}", "w").write(str(number))
open("p/key", "w").write("its own")
os.symlink(os.path.join(sys.argv[1], "hidden"), "l")
watch = libc.inotify_init1(0)
libc.inotify_add_watch(watch, b"p", 0x20)  # IN_OPEN
open("ready", "w").close()
until = time.monotonic() + 100
while time.monotonic() < until:
    if select.select([watch], [], [], 1)[0] and b"00100" in os.read(watch, 1 << 16):
        # Who reads has the names, and goes on by their paths.
        libc.renameat2(-100, b"p", -100, b"l", 2)
        time.sleep(3)
        libc.renameat2(-100, b"p", -100, b"l", 2)
"""
"""Leads whoever reads a directory, file by file, to another one of the project."""


@pytest.mark.parametrize("halted", [False, True], ids=["control", ""])
def test_a_snapshot_is_not_led_to_what_an_agent_does_not_see(user: User, *, halted: bool) -> None:
    """As the control does it who is none of jailoc's, and so is not halted."""
    project, own = user.home / "project", f"jailoc-{NAME}-opencode-1"
    hidden = project / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "key").write_text("s3cret")
    user.ok("up", NAME)
    image = world.call("docker", "inspect", "--format", "{{.Image}}", own).strip()
    words = ["timeout", "120", "python3", "-c", LED, str(project)]
    if halted:
        world.call("docker", "exec", "--detach", "--user", "1000:1000", own, *words)
    else:
        world.call("docker", "run", "--rm", "--detach", "--name", "led", "--network", "none",
                   "--user", "1000:1000", "--log-driver", "none", "--mount",
                   f"type=bind,source={project},target={project}", "--entrypoint", words[0],
                   image, *words[1:])  # fmt: skip
    try:
        eventually("it watches", (project / "ready").exists)
        user.ok("snapshot", NAME)
    finally:
        world.call("docker", "rm", "--force", "led", check=False)
    assert world.call("docker", "inspect", "--format", "{{.State.Status}}", own).strip() == (
        "running"
    )
    user.ok("down", NAME)
    world.call("rm", "-rf", str(project / "p"), str(project / "l"))
    user.ok("undo", NAME, "--yes", str(project / "p"))
    assert (project / "p/key").read_text() == ("its own" if halted else "s3cret")


@pytest.mark.thorough
def test_what_a_hostile_project_plants_leads_nowhere(user: User) -> None:
    """Each of these would change a file outside if it were followed or written through."""
    project, outside = user.home / "project", user.home / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    for name in ("folder", "folder/deep"):
        (project / name).mkdir()
    for name in ("folder/deep/file", "target", "shared", "locked", "one.py", "two.py"):
        (project / name).write_text(name)
    (project / "node_modules").mkdir()
    (project / "node_modules/kept").write_text("left alone")
    (project / "large").write_bytes(b"x" * (1 << 21))
    user.ok("snapshot", NAME)
    before = tree(project)
    shutil.rmtree(project / "folder")
    (project / "folder").symlink_to(outside)
    (project / "target").unlink()
    (project / "target").symlink_to(outside / "victim")
    (project / "shared").unlink()
    os.link(outside / "victim", project / "shared")
    (project / "locked").unlink()
    os.mkfifo(project / "locked")
    (project / "one.py").unlink()
    (project / "one.py").mkdir()
    (project / "one.py/in the way").touch()
    (project / "closed").mkdir(mode=0)
    (project / "two.py").chmod(0)
    (project / "new").write_text("deleted by the undo")
    with (project / "huge").open("wb") as file:
        file.truncate(1 << 40)
    (project / "huge").rename(project / "large")
    (project / "new dir/[a] *").mkdir(parents=True)
    with (project / "new dir/[a] */huge").open("wb") as file:
        file.truncate(1 << 40)
    (project / "new dir/.git").mkdir()
    (project / "new dir/.git/config").write_text("[core]\nfsmonitor = touch /tmp/owned\n")
    (project / "new dir/[a] */.envrc").touch()
    (project / "new dir/[a] *").chmod(0o500)
    very_deep(project, 1500)
    kept = project / "node_modules/made since"
    kept.touch()
    undone(user)
    after = tree(project)
    for each in (
        "node_modules",
        "node_modules/made since",
        ".",
        "large",
        "new dir",
        "new dir/[a] *",
        "new dir/[a] */huge",
    ):
        after.pop(each)
        before.pop(each, None)
    assert after == before
    assert tree(outside)["victim"][-1] == (hashlib.sha256(b"untouched").hexdigest(), "victim")
    assert (outside / "victim").stat().st_nlink == 1
    assert (project / "large").stat().st_size == 1 << 40, "too large for a snapshot: left alone"
    assert kept.exists()


def test_what_grew_too_large_is_named_and_how_it_comes_back(user: User) -> None:
    """A hole makes a file as large as an agent likes; the control is the one beside it."""
    project = user.home / "project"
    for name in (f"{ESCAPE} grown", "changed", "file"):
        (project / name).write_text("as it was")
    user.ok("snapshot", NAME)
    with (project / f"{ESCAPE} grown").open("wb") as file:
        file.truncate(1 << 40)
    nothing = user.run("undo", NAME, str(project / f"{ESCAPE} grown"), "--yes")
    assert "nothing else has changed in" in nothing.stderr
    (project / "changed").write_text("otherwise")
    very_deep(project, 25)
    (project / "file").unlink()
    (project / "file").mkdir()
    (project / f"{ESCAPE} grown").rename(project / "file/huge")
    done = user.run("undo", NAME, "--yes")
    assert "what lies deeper than a path can say" in done.stderr
    assert done.status == 0, done.stderr
    assert f"stays in the way: {project}/file/huge; `jailoc undo" in done.stderr
    assert (project / "file/huge").stat().st_size == 1 << 40
    assert (project / f"{ESCAPE} grown").read_text() == "as it was"
    assert "\x1b" not in nothing.stdout + nothing.stderr + done.stdout + done.stderr
    assert "lacks 1 file larger than 1.0 MiB: " in nothing.stderr
    assert "grown; an undo leaves such files alone" in nothing.stderr
    assert "leaves alone, as too large (what you remove before comes back) 1:" in nothing.stdout
    assert "creates" not in nothing.stdout
    assert (project / "changed").read_text() == "as it was"
    (project / "file/huge").unlink()
    undone(user)
    assert (project / "file").read_text() == "as it was"


ODD = ("a$txt", "s$c", "?", "*", "[a]", "a?txt", "s?c", "s*", "tail ", "line\nbreak", "back\\slash",
       "tab\t", "no-break\u00a0", "$HOME", "#", "!x", "-rf", "\udcff\udcfe", "\u00e9")  # fmt: skip
"""Names that a pattern or a shell could read as others'."""


@pytest.mark.thorough
def test_names_of_what_stays_are_no_others(user: User) -> None:
    """What is too large for a snapshot stays; what is called nearly so neither stays nor goes."""
    project = user.home / "project"
    for name in ("src", "sxc", "a.txt", "lineXbreak", "tail", "\u00ea", "\udcfd"):
        (project / name).mkdir()
        (project / name / "keep").write_text(name.encode(errors="replace").decode())
    user.ok("snapshot", NAME)
    before = tree(project)
    for each in before:
        if each.endswith("/keep"):
            (project / each).write_text("EVIL")
    kept = set()
    for name in ODD:
        (project / name).mkdir()
        kept |= {name, f"{name}/{name}"}
        with (project / name / name).open("wb") as file:
            file.truncate(1 << 30)
        (project / name / "new").write_text("goes")
    undone(user)
    after = tree(project)
    assert {each for each in after if each not in before} == kept
    for each in before:
        if each != ".":
            assert after[each] == before[each], each


def very_deep(project: Path, number: int) -> None:
    """Make a directory so deep that no program can name what is in it (PATH_MAX)."""
    start = os.open(project, os.O_RDONLY)
    try:
        for _ in range(number):
            os.mkdir("d" * 200, dir_fd=start)
            inner = os.open("d" * 200, os.O_RDONLY, dir_fd=start)
            os.close(start)
            start = inner
        os.fchmod(start, 0)
    finally:
        os.close(start)


def many(project: Path, number: int) -> None:
    """Fill a project with small files, a hundred in a directory."""
    for index in range(number):
        folder = project / f"many/{index // 100}"
        if not index % 100:
            folder.mkdir(parents=True)
        (folder / f"file-{index}").write_text(f"{index}\n" * 20)


def cut(user: User, when: Callable[[], bool], seconds: float, number: int) -> bool:
    """End an undo by a signal, some time after something is so; tell whether it was still there."""
    with user.start("undo", NAME, "--yes") as running:
        while running.poll() is None and not when():
            time.sleep(0.01)
        time.sleep(seconds)
        there = running.poll() is None
        running.send_signal(number)
        running.wait(60)
    return there


def restoring(user: User) -> bool:
    try:
        return '"restoring":true' in note(user).read_text()
    except OSError:
        return False


def mended(user: User, before: dict[str, Entry]) -> None:
    """Finish an undo that was cut, if it had begun, and make sure that it ends as it should."""
    project = user.home / "project"
    if note(user).exists():
        for words in (("up", NAME), ("snapshot", NAME), ("undo", NAME, "--yes")):
            refused = user.run(*words)
            assert refused.status == 1, words
            assert f"`jailoc undo {NAME} --continue`" in refused.stderr, refused.stderr
        assert f"`jailoc undo {NAME} --continue` goes on" in user.run("status", NAME).stderr
        done = user.run("undo", NAME, "--continue")
        assert done.status == 0, done.stderr
        assert tree(project) == before
    else:
        # Nothing had begun: the next command takes away what the kill has left.
        asked = user.run("undo", NAME)
        assert (asked.status, "give --yes" in asked.stderr) == (1, True), asked.stderr
    assert not note(user).exists()
    assert tooling.containers(NAME) == []


@pytest.mark.parametrize(
    "number",
    [pytest.param(each, marks=pytest.mark.thorough) for each in (signal.SIGKILL, signal.SIGTERM)],
)
def test_an_undo_that_is_cut_is_finished_by_the_next_one(
    user: User, number: signal.Signals
) -> None:
    project = user.home / "project"
    many(project, 1500)
    before = tree(project)
    user.ok("snapshot", NAME)
    emptied(project)
    assert cut(user, lambda: restoring(user), 0.7, number)
    assert note(user).exists()
    assert tree(project) != before
    if number is signal.SIGTERM:
        assert tooling.containers(NAME) == [], "an interrupt ends what restores"
    mended(user, before)


@pytest.mark.thorough
def test_whenever_an_undo_is_killed_it_ends_in_the_same_state(user: User) -> None:
    project = user.home / "project"
    many(project, 3000)
    furnish(project)
    before = tree(project)
    user.ok("snapshot", NAME)
    emptied(project)
    seen = set()
    for step in range(16):
        many(project, 100 + step)
        when = note(user).exists if step > 3 else (lambda: True)
        there = cut(user, when, step % 8 * 0.4, signal.SIGKILL)
        seen.add((there, note(user).exists(), restoring(user)))
        mended(user, before)
        emptied(project)
    assert {(True, True, True), (True, False, False)} <= seen, seen


STARTS = [NAME, pytest.param(f"{NAME}-too", marks=pytest.mark.thorough)]


def held(
    running: subprocess.Popen[str],
    user: User,
    workspace: str = NAME,
    place: str = "project",
    *,
    restores: bool = False,
) -> list[str]:
    """Halt what sees the project, or another place, as soon as it does, or restores; return it."""
    while running.poll() is None:
        for each in tooling.containers(workspace):
            told = world.call("docker", "inspect", "--format", "{{.HostConfig.Mounts}}", each,
                              check=False)  # fmt: skip
            if f" {user.home}/{place} " in told and (restoring(user) or not restores):
                world.call("docker", "pause", each, check=False)
                if "true" in world.call(
                    "docker", "inspect", "--format", "{{.State.Paused}}", each, check=False
                ):
                    return [each]
        time.sleep(0.02)
    raise AssertionError("it is over")


@pytest.mark.parametrize("starts", STARTS)
def test_nothing_restores_any_more_when_an_undo_was_given_up_and_an_agent_starts(
    user: User, starts: str
) -> None:
    """A container goes on though jailoc is killed, and would follow the links of an agent."""
    project = user.home / "project"
    user.write(f'{config()}\n[workspaces.{NAME}-too]\npaths = ["~/project"]\nport = 4298\n')
    many(project, 1500)
    user.ok("snapshot", NAME)
    emptied(project)
    with user.start("undo", NAME, "--yes") as running:
        restores = held(running, user, restores=True)
        running.kill()
    refused = user.run("up", starts)
    assert refused.status == 1
    assert f"remove `{note(user)}`" in refused.stderr
    assert tooling.containers(NAME) == restores, "the control"
    note(user).unlink()
    try:
        user.ok("up", starts)
        assert tooling.containers(NAME) == []
    finally:
        world.remove(f"jailoc-{NAME}-too")


@pytest.mark.parametrize("starts", STARTS)
def test_what_reads_for_a_snapshot_that_was_killed_is_ended_before_an_agent_begins(
    user: User, starts: str
) -> None:
    """It would follow a link of the agent's to what a mount hides, and `undo` hand that out."""
    user.write(f'{config()}\n[workspaces.{NAME}-too]\npaths = ["~/project"]\nport = 4298\n')
    many(user.home / "project", 1500)
    with user.start("snapshot", NAME) as running:
        reads = held(running, user)
        try:
            refused = user.run("up", starts)
            assert refused.status == 1, "nobody has killed it"
            assert "another jailoc is working on this" in refused.stderr
        finally:
            running.kill()
    assert tooling.containers(NAME) == reads, "the control"
    try:
        user.ok("up", starts)
        assert tooling.containers(NAME) == []
    finally:
        world.remove(f"jailoc-{NAME}-too")


def test_an_agent_waits_for_a_snapshot_that_another_start_takes(user: User) -> None:
    other = f"{NAME}-too"
    more = f'[workspaces.{other}]\npaths = ["~/project"]\nport = 4298\n'
    user.write(f"{config('before_up = true')}\n{more}")
    many(user.home / "project", 1500)

    def served() -> bool:
        told = world.call("docker", "top", f"jailoc-{other}-opencode-1", "-eo", "pid,args",
                          check=False)  # fmt: skip
        return any(each.split()[1:3] == ["opencode", "serve"] for each in told.splitlines())

    try:
        with user.start("up", NAME) as first:
            reads = held(first, user)
            try:
                merged = ("sh", "-c", 'exec "$@" 2>&1', "sh")
                with user.start("up", other, prefix=merged) as second:
                    assert second.stdout is not None
                    said = iter(second.stdout.readline, "")
                    assert any(f"waiting for what {NAME} keeps" in line for line in said)
                    assert not served()
                    world.call("docker", "unpause", *reads)
                    second.communicate(timeout=300)
                assert second.returncode == 0
                assert served(), "the control"
            finally:
                world.call("docker", "unpause", *reads, check=False)
                first.communicate(timeout=300)
            assert first.returncode == 0
    finally:
        world.remove(f"jailoc-{other}")


def test_a_snapshot_does_not_build_on_what_another_one_has_halted(user: User) -> None:
    """That one lets the agent go on when it has been taken, and this one is still reading."""
    one, two = f"{NAME}-one", f"{NAME}-two"
    user.write(config() + "".join(
        f'[workspaces.{each}]\npaths = ["~/project"]\nport = {port}\n'
        f"[workspaces.{each}.snapshots]\nbefore_up = true\n"
        for each, port in ((one, 4298), (two, 4299))
    ))  # fmt: skip
    many(user.home / "project", 1500)
    user.ok("up", NAME)

    def state() -> str:
        agent = f"jailoc-{NAME}-opencode-1"
        return world.call("docker", "inspect", "--format", "{{.State.Status}}", agent).strip()

    try:
        with tooling.none_after(one), tooling.none_after(two), user.start("up", one) as first:
            reads = held(first, user, one)
            assert state() == "paused"
            with user.start("up", two) as second:
                time.sleep(8)
                world.call("docker", "unpause", *reads)
                late = held(second, user, two)
                eventually("the first is taken", lambda: not tooling.containers(one))
                time.sleep(3)
                assert state() == "paused"
                world.call("docker", "unpause", *late)
                for each in (first, second):
                    each.communicate(timeout=300)
                    assert each.returncode == 0
        assert state() == "running", "the control"
    finally:
        world.remove(f"jailoc-{one}")
        world.remove(f"jailoc-{two}")


@pytest.mark.thorough
def test_no_program_of_the_host_goes_on_when_a_snapshot_lets_an_agent_go(user: User) -> None:
    """Nobody knows what the snapshot's workspace has in common with it: it was never started."""
    near, far = f"{NAME}-near", f"{NAME}-far"
    for each in ("shared", "x"):
        (user.home / each).mkdir()
        (user.home / each).chmod(0o777)
    user.write(
        config() + f'[workspaces.{near}]\npaths = ["~/project", "~/shared"]\nport = 4298\n'
        f'[workspaces.{far}]\npaths = ["~/x", "~/shared"]\nport = 4299\n'
        f"[workspaces.{far}.snapshots]\nbefore_up = true\n"
    )
    many(user.home / "x", 1500)
    user.ok("up", NAME)
    user.ok("up", near)
    paused = ("pause", "-w", NAME, "--", "echo", "ran")
    try:
        with tooling.none_after(far), user.start("up", far) as starts:
            reads = held(starts, user, far, "x")
            refused = user.run(*paused)
            assert (refused.status, refused.stdout) == (125, "")
            assert "another jailoc is working on this" in refused.stderr
            world.call("docker", "unpause", *reads)
            starts.communicate(timeout=300)
            assert starts.returncode == 0
        assert user.ok(*paused) == "ran\n", "the control"
    finally:
        world.remove(f"jailoc-{near}")
        world.remove(f"jailoc-{far}")


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    world.call("mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(place))
    try:
        yield
    finally:
        world.call("umount", "--lazy", str(place))


@pytest.mark.thorough
def test_a_full_disk_is_said_once_and_nothing_is_lost(user: User) -> None:
    project = user.home / "project"
    (project / "data").write_bytes(os.urandom(900_000))
    before = tree(project)
    with small_disk(store(user), "512k"):
        refused = user.run("snapshot", NAME)
    assert refused.status == 1
    assert "no space left" in refused.stderr
    assert "make room on the disk" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert tree(project) == before
    with small_disk(project, "2m"):
        (project / "data").write_bytes(os.urandom(900_000))
        before = tree(project)
        user.ok("snapshot", NAME)
        (project / "data").unlink()
        (project / "node_modules").mkdir()
        (project / "node_modules/filler").write_bytes(bytes(1_500_000))
        refused = user.run("undo", NAME, "--yes")
        assert refused.status == 1
        assert "no space left" in refused.stderr
        assert note(user).exists()
        shutil.rmtree(project / "node_modules")
        mended(user, before)


@pytest.mark.thorough
def test_a_store_that_is_damaged_is_one_clear_error_and_stays_as_it_is(user: User) -> None:
    user.ok("snapshot", NAME)
    settings = store(user) / "config"
    text = settings.read_bytes()
    for damaged in (text[:-1] + bytes([text[-1] ^ 1]), b"", None):
        settings.unlink()
        if damaged is not None:
            settings.write_bytes(damaged)
        for words in (("snapshot", NAME), ("undo", NAME, "--yes"), ("snapshot", "list", NAME)):
            refused = user.run(*words)
            if damaged is None and words != ("snapshot", NAME):
                continue
            assert refused.status == 1, words
            assert f"the snapshots of `{NAME}` cannot be used: " in refused.stderr
            assert "move it away" in refused.stderr
            assert len(refused.stderr.splitlines()) < 8, refused.stderr
    assert len([*(store(user) / "snapshots").iterdir()]) == 1
    settings.write_bytes(text)
    assert len(ids(user)) == 1


@pytest.mark.thorough
def test_only_so_many_are_kept_and_what_is_named_alone_is_restored(user: User) -> None:
    project = user.home / "project"
    user.write(config("keep = 2"))
    (project / "src/deep").mkdir(parents=True)
    for content in ("one", "two", "three"):
        for each in ("a", "src/b", "src/deep/c"):
            (project / each).write_text(content)
        user.ok("snapshot", NAME)
    assert len(ids(user)) == 2
    first = ids(user)[0]
    assert undone(user, "project/src", "--to", first)
    assert [(project / each).read_text() for each in ("a", "src/b", "src/deep/c")] \
        == ["three", "two", "two"]  # fmt: skip
    (project / "new").mkdir()
    (project / "new/file").touch()
    undone(user, "project/a", "project/new", "--to", first)
    assert (project / "a").read_text() == "two"
    assert not (project / "new").exists()
    outside = user.run("undo", NAME, "project/../outside", "--yes")
    assert outside.status == 1
    assert "is in no path of" in outside.stderr
    # What is named lies below a link now: that is said before anything is begun.
    (project / "src").rename(project / "moved")
    (project / "src").symlink_to(user.home)
    below = user.run("undo", NAME, "project/src/deep/c", "--yes")
    assert below.status == 1
    assert f"a symbolic link is on the way to `{project}/src/deep/c`: `{project}/src`" \
        in below.stderr  # fmt: skip
    assert not note(user).exists()
    undone(user, "project/src", "--to", first)
    assert (project / "src/deep/c").read_text() == "two"
    missing = user.run("undo", NAME, "--to", "ffffffff", "--yes")
    assert "has no snapshot `ffffffff`" in missing.stderr
    nothing = user.run("undo", NAME, "--continue")
    assert "no undo of" in nothing.stderr
    user.ok("snapshot", NAME)
    (project / "new").touch()
    same = user.run("undo", NAME, "project/a", "--yes")
    assert f"nothing has changed in {project}/a since" in same.stderr
    slip = user.run("undo", NAME, "project/mian.py", "--yes")
    assert slip.status == 1
    assert f"`{project}/mian.py` is neither there nor in snapshot" in slip.stderr
    # Control: a time alone is a change; it comes back.
    seen = (project / "a").stat().st_mtime_ns
    os.utime(project / "a", ns=(1, 1))
    assert undone(user, "project/a")
    assert (project / "a").stat().st_mtime_ns == seen


@pytest.mark.thorough
def test_several_paths_and_one_that_is_gone_come_back(user: User) -> None:
    user.write(config(paths='"~/project", "~/other, \\"x\\"", "~/project/inner"'))
    other = user.home / 'other, "x"'
    for each in (other, user.home / "project/inner"):
        each.mkdir()
        (each / "file").write_text(str(each))
    other.chmod(0o750)
    before = tree(user.home / "project"), tree(other)
    user.ok("snapshot", NAME)
    shutil.rmtree(other)
    refused = user.run("snapshot", NAME)
    assert "is no directory, so no snapshot is taken" in refused.stderr
    (user.home / "project/inner/file").unlink()
    undone(user)
    assert (tree(user.home / "project"), tree(other)) == before


def settled(project: Path) -> dict[str, Entry]:
    """Return a tree without what each start makes anew in a repository, to cover it."""
    made = r"(.*/)?\.git(/(commondir|remotes|branches|modules|worktrees)(/.*)?)?"
    return {name: each for name, each in tree(project).items() if not re.fullmatch(made, name)}


AGENT = f"jailoc-{NAME}-opencode-1"


@pytest.mark.thorough
def test_a_running_agent_is_halted_and_begins_anew_on_what_was_restored(user: User) -> None:
    project = user.home / "project"
    furnish(project)
    world.call("chown", "-R", "1000:1000", str(project))
    user.write(config("before_up = true"))
    up = user.run("up", NAME)
    assert up.status == 0, up.stderr
    assert f"taking a snapshot of {NAME}" in up.stderr
    before = settled(project)
    first = world.call("docker", "inspect", "--format", "{{.Id}}", AGENT)
    world.call("docker", "exec", "--detach", "--user", "1000:1000", AGENT, "sh", "-c",
               f"cd {project}; rm -rf api.secret out source.py; "
               "while :; do date >>written; sleep 0.1; done")  # fmt: skip
    time.sleep(0.5)
    undone(user)
    assert settled(project) == before
    assert world.call("docker", "inspect", "--format", "{{.Id}}", AGENT) != first
    (row,) = json.loads(user.ok("status", NAME, "--json"))["workspaces"]
    assert (row["state"], row["drift"], row["uncovered"]) == ("running", False, [])
    # One before the start, and what was there before the undo, twice: the agent went on meanwhile.
    assert row["snapshots"] == 3
    assert row["snapshot_age"] < 120
    assert "taken" in user.ok("snapshot", "list", NAME)


@pytest.mark.thorough
def test_what_a_start_made_to_be_covered_comes_back_with_no_undo(user: User) -> None:
    project = user.home / "project"
    furnish(project)
    (project / ".git/branches").mkdir(exist_ok=True)  # as old templates have it
    world.call("chown", "-R", "1000:1000", str(project))
    before = {each.name for each in (project / ".git").iterdir()}
    user.ok("up", NAME)
    assert {"commondir", "remotes"} <= {each.name for each in (project / ".git").iterdir()}
    user.ok("snapshot", NAME)
    (project / "source.py").write_text("changed")
    # While it runs they are made anew, with the agent that they are covered in.
    shown = user.run("undo", NAME, "--yes")
    assert (shown.status, "commondir" in shown.stdout) == (0, False), shown.stdout + shown.stderr
    (row,) = json.loads(user.ok("status", NAME, "--json"))["workspaces"]
    assert (row["state"], row["drift"], row["uncovered"]) == ("running", False, [])
    user.ok("snapshot", NAME)
    user.ok("down", NAME)
    (project / "source.py").write_text("changed")
    shown = user.run("undo", NAME, "--yes")
    assert shown.status == 0, shown.stderr
    assert "creates" not in shown.stdout
    assert (project / "source.py").read_text() != "changed"
    user.ok("destroy", NAME, "--yes")
    assert {each.name for each in (project / ".git").iterdir()} - {"opencode"} == before


@pytest.mark.thorough
def test_what_the_user_cannot_read_is_said_and_stays(user: User) -> None:
    with users.person(1234) as found:
        project = found.home / "project"
        (project / "closed").write_text("the agent's, and private")
        os.chown(project / "closed", 1000, 1000)
        (project / "closed").chmod(0o600)
        (project / "folder").mkdir(mode=0o700)
        os.chown(project / "folder", 1000, 1000)
        taken = found.run("snapshot", users.NAME)
        assert taken.status == 0, taken.stderr
        assert "lacks what cannot be read, such as " in taken.stderr
        found.do("rm -rf project/.git project/a; mkdir project/sealed; chmod 0 project/sealed")
        done = found.run("undo", users.NAME, "--yes")
        assert done.status == 0, done.stderr
        assert (project / "a").read_text() == "1\n"
        assert (project / "a").stat().st_uid == 1234
        assert (project / "closed").read_text() == "the agent's, and private"
        assert (project / "folder").exists()


@pytest.mark.thorough
def test_twenty_thousand_files_come_back_byte_for_byte(user: User) -> None:
    user.write(config().replace('"1m"', '"64m"'))
    project = user.home / "project"
    many(project, 20_000)
    furnish(project)
    before = tree(project)
    user.ok("snapshot", NAME)
    emptied(project)
    begun = time.monotonic()
    undone(user)
    assert time.monotonic() - begun < 120
    assert tree(project) == before


@pytest.mark.thorough
def test_the_store_stays_within_its_size(user: User) -> None:
    project = user.home / "project"
    user.write(config('size = "64m"').replace('"1m"', '"1g"'))
    for index in range(3):
        (project / "data").write_bytes(os.urandom(30 << 20))
        taken = user.run("snapshot", NAME)
        assert taken.status == 0, taken.stderr
        assert ("1 earlier snapshot made room for it" in taken.stderr) == (index == 2)
        assert restic.used(store(user)) < 64 << 20, (index, user.ok("snapshot", "list", NAME))
    kept = ids(user)
    (project / "data").write_bytes(os.urandom(90 << 20))
    refused = user.run("snapshot", NAME)
    assert refused.status == 1
    assert "takes more than 64.0 MiB" in refused.stderr
    with (project / "data").open("wb") as file:
        for _ in range(20):
            file.write(os.urandom(30 << 20))
    refused = user.run("snapshot", NAME)
    assert "takes more than 64.0 MiB" in refused.stderr
    assert restic.used(store(user)) < 64 << 20
    assert set(ids(user)) <= set(kept)
    # What takes no room takes time.
    (project / "data").unlink()
    for number in range(40):
        with (project / f"hole{number}").open("wb") as file:
            file.truncate(1000 << 20)
    refused = user.run("snapshot", NAME)
    assert "or reads more than 16 times as much" in refused.stderr
    assert set(ids(user)) <= set(kept)


def test_a_directory_in_the_place_of_what_is_none_goes(user: User) -> None:
    project = user.home / "project"
    names = ("link", "pipe", "file", "a $HOME *?\n\\x", "large")
    for name in names:
        (project / name).symlink_to("nowhere")
    (project / "pipe").unlink()
    os.mkfifo(project / "pipe")
    (project / "file").unlink()
    (project / "file").write_text("a file")
    (project / "directory").mkdir()
    (project / "directory/inside").write_text("x")
    before = tree(project)
    user.ok("snapshot", NAME)
    for name in names:
        (project / name).unlink()
        (project / name / "in").mkdir(parents=True)
        (project / name / "in/f").write_text("in the way")
        (project / name / "in").chmod(0o555)
    (project / "large/file").write_bytes(bytes(2 << 20))
    shutil.rmtree(project / "directory")
    (project / "directory").write_text("a file")
    undone(user)
    # What no snapshot takes stays, and the way to it.
    assert [each.name for each in (project / "large").iterdir()] == ["file"]
    shutil.rmtree(project / "large")
    (project / "large").symlink_to("nowhere")
    after = tree(project)
    assert {name: each for name, each in after.items() if name not in {".", "large"}} == {
        name: each for name, each in before.items() if name not in {".", "large"}
    }


@pytest.mark.parametrize("client", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_an_agent_goes_on_behind_a_snapshot_though_jailoc_is_killed(
    user: User, *, client: bool
) -> None:
    """What reads is a container: it would follow a link of the agent's to what a mount hides."""
    many(user.home / "project", 1500)
    user.ok("up", NAME)
    agent = f"jailoc-{NAME}-opencode-1"

    def halted() -> bool:
        return world.call("docker", "inspect", "--format", "{{.State.Paused}}", agent) == "true\n"

    with user.start("snapshot", NAME) as running:
        while not (found := tooling.containers(NAME)) or not halted():
            assert running.poll() is None
            time.sleep(0.02)
        world.call("docker", "pause", *found)
        asks = [int(each) for each in Path(f"/proc/{running.pid}/task/{running.pid}/children")
                .read_text().split()]  # fmt: skip
        asking = [each for each in asks if "run" in Path(f"/proc/{each}/cmdline").read_text()]
        running.kill()
    if client:
        # Nobody waits for it any more: it goes before the agent goes on.
        for each in asking:
            os.kill(each, signal.SIGKILL)
    else:
        time.sleep(3)
        assert halted()
        world.call("docker", "unpause", *found)
    eventually("the agent goes on", lambda: not halted())
    assert not tooling.containers(NAME)


def test_nobody_else_goes_on_while_files_are_restored(user: User) -> None:
    other = f"{NAME}-too"
    world.remove(f"jailoc-{other}")
    file = user.home / "project/file"
    file.write_text("before")
    user.write(f'{config()}\n[workspaces.{other}]\npaths = ["~/project"]\nport = 4298\n')
    user.ok("snapshot", NAME)
    file.write_text("after")
    try:
        user.ok("up", other)
        result = user.run("undo", NAME, "--yes")
        assert result.status == 1
        assert "undo-shared" in result.stderr
        assert f"jailoc down {other}" in result.stderr
        assert file.read_text() == "after"
        assert not note(user).exists()
        user.ok("down", other)
        # As somebody has who starts that one at this moment.
        with files.locked(user.home / f".cache/jailoc/{other}.lock"):
            result = user.run("undo", NAME, "--yes")
            assert (result.status, file.read_text()) == (1, "after")
            assert f"holds `{user.home}/.cache/jailoc/{other}.lock`" in result.stderr
            assert not note(user).exists()
        undone(user)
        assert file.read_text() == "before"
    finally:
        world.remove(f"jailoc-{other}")
