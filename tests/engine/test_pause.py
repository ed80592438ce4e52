"""A program of the host's works while the agent is halted: nothing leads it elsewhere."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from jailoc.bin.deploy import halt
from jailoc.bin.engine import cgroup
from tests.engine import world
from tests.engine.pod import eventually
from tests.engine.world import User

pytestmark = pytest.mark.engine

NAME, PORT = "halted", 4788
MANY = 1500
"""Files of a branch: enough that Git is at them for a while."""
SWAP = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
open("ready", "w").close()
while True:
    # As soon as the first files are there, the directory is a link: Git has looked before.
    if os.path.lexists("d/0020"):
        libc.renameat2(-100, b"d", -100, b"away", 2)
        sys.exit()
"""


def git(place: Path, *words: str) -> str:
    return world.call("git", "-C", str(place), "-c", "safe.directory=*", "-c", "user.name=n",
                      "-c", "user.email=n@example.com", *words)  # fmt: skip


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as made:
        project = made.home / "project"
        git(made.home, "init", "--quiet", "--initial-branch", "main", str(project))
        (project / "kept").write_text("kept")
        git(project, "add", ".")
        git(project, "commit", "--quiet", "-m", "one")
        git(project, "checkout", "--quiet", "-b", "many")
        (project / "d").mkdir()
        for number in range(MANY):
            (project / f"d/{number:04}").write_text("x" * 200)
        git(project, "add", ".")
        git(project, "commit", "--quiet", "-m", "many")
        git(project, "checkout", "--quiet", "main")
        world.call("chown", "-R", "1000:1000", str(project))
        made.write(
            f'{world.certificates()}\n[workspaces.{NAME}]\npaths = ["~/project"]\nport = {PORT}\n'
        )
        made.ok("up", NAME)
        try:
            yield User(made.home, at=project)
        finally:
            world.remove(f"jailoc-{NAME}")


def agent(*words: str, detached: bool = False) -> str:
    return world.call("docker", "exec", *(["--detach"] if detached else []), "--user", "1000:1000",
                      f"jailoc-{NAME}-opencode-1", *words)  # fmt: skip


def states() -> set[str]:
    return {
        world.call(
            "docker", "inspect", "--format", "{{.State.Status}}", f"jailoc-{NAME}-{each}-1"
        ).strip()
        for each in ("opencode", "dind")
    }


@contextmanager
def armed(user: User) -> Iterator[Path]:
    """Yield a directory of the host's to which the agent leads whoever has begun to write `d`."""
    project, treasure = user.home / "project", user.home / "treasure"
    treasure.mkdir()
    git(project, "checkout", "--quiet", "--force", "main")
    world.call("chown", "-R", "1000:1000", str(project))
    agent("sh", "-c", f"cd {project} && rm -rf d away ready && ln -s {treasure} away")
    agent("python3", "-c", SWAP, str(project), detached=True)
    try:
        eventually("the agent watches", (project / "ready").exists)
        yield treasure
    finally:
        places = (project / "away", project / "d", project / "ready", treasure)
        world.call("rm", "-rf", *map(str, places))


def test_control_git_writes_where_a_swapped_directory_leads(user: User) -> None:
    for _ in range(10):  # the first try, on a machine that is not busy
        with armed(user) as treasure:
            git(user.home / "project", "checkout", "--quiet", "many")
            if [*treasure.iterdir()]:
                return
    raise AssertionError("the attack does not work")


def test_a_directory_that_is_swapped_leads_no_program_elsewhere(user: User) -> None:
    with armed(user) as treasure:
        command = ("git", "-c", "safe.directory=*", "checkout", "--quiet", "many")
        done = user.run("pause", "--", *command)
        assert (done.status, done.stdout, done.stderr) == (0, "", "")
        assert not [*treasure.iterdir()]
        # It goes on, and takes its chance as soon as it can.
        eventually("the agent swaps", (user.home / "project/d").is_symlink)
        assert not [*treasure.iterdir()]
        assert states() == {"running"}


BUSY = """
import os
data, place = bytes(128 << 20), os.open("/tmp/large", os.O_RDWR | os.O_CREAT)
open("/tmp/busy", "w").close()
while True:
    os.pwrite(place, data, 0)
    os.ftruncate(place, 0)
"""


def test_an_agent_that_is_always_in_the_kernel_is_halted_all_the_same(user: User) -> None:
    agent("timeout", "120", "python3", "-c", BUSY, detached=True)
    try:
        eventually("it writes", lambda: "busy" in agent("ls", "/tmp"))  # noqa: S108
        for _ in range(5):  # one try of the engine's fails often
            assert user.run("pause", "--", "true").status == 0
    finally:
        agent("pkill", "-KILL", "-f", "O_CREAT")
        agent("rm", "-f", "/tmp/large", "/tmp/busy")  # noqa: S108
    assert states() == {"running"}


KILLED = """
import mmap, os, sys, threading, time
with open("/proc/self/oom_score_adj", "w") as file:
    file.write("1000")
room = mmap.mmap(-1, 1 << 17)
room.write(b"E" * len(room))
place = os.open(sys.argv[1], os.O_WRONLY | os.O_DIRECT)
threading.Thread(target=os.pwrite, args=(place, room, 0)).start()
time.sleep(0.5)
held = []
while True:
    held.append(b"x" * (32 << 20))
"""
SLOW = 1 << 13
"""Bytes a second: such a write takes sixteen of them."""


@contextmanager
def slow_disk(place: Path, container: str) -> Iterator[None]:
    """Have a container write slowly to the disk of a place, and have little memory."""
    group = Path(f"/sys/fs/cgroup/blkio/docker/{container}/blkio.throttle.write_bps_device")
    if not group.exists() or not Path("/sys/fs/cgroup/freezer").is_dir():
        pytest.skip("the groups here are not those of version 1")
    device = place.stat().st_dev
    named = f"{os.major(device)}:{os.minor(device)}"
    before = json.loads(world.call("docker", "inspect", container))[0]["HostConfig"]
    world.call("docker", "update", "--memory", "700m", "--memory-swap", "700m", container)
    group.write_text(f"{named} {SLOW}")
    try:
        yield
    finally:
        group.write_text(f"{named} 0")
        world.call("docker", "update", "--memory-swap", str(before["MemorySwap"]),
                   "--memory", str(before["Memory"]), container)  # fmt: skip


@pytest.mark.thorough
def test_who_is_killed_within_a_write_is_no_more_halted_by_the_kernel_and_waited_for(
    user: User,
) -> None:
    name = f"jailoc-{NAME}-opencode-1"
    container = json.loads(world.call("docker", "inspect", name))[0]["Id"]
    place = user.home / "project/late"

    def begun() -> None:
        place.write_bytes(b"G" * (1 << 17))
        os.sync()
        place.chmod(0o666)
        agent("timeout", "60", "python3", "-c", KILLED, str(place), detached=True)
        main = json.loads(world.call("docker", "inspect", container))[0]["State"]["Pid"]
        eventually("it is killed", lambda: cgroup.dying(container, main))

    def halted() -> bool:
        world.call("docker", "pause", container, check=False)
        return "paused" in states()

    try:
        with slow_disk(place.parent, container):
            begun()  # the control: all but that one is halted
            eventually("halted", halted)
            assert place.read_bytes()[:1] == b"G"
            eventually("it is written all the same", lambda: place.read_bytes()[:1] == b"E")
            world.call("docker", "unpause", container)
            begun()
            told = user.ok(
                "pause", "--", "sh", "-c", f"head -c 1 {place}; sleep 17; head -c 1 {place}"
            )
            assert told == "EE"
    finally:
        place.unlink(missing_ok=True)
    assert states() == {"running"}


@pytest.mark.parametrize(
    ("command", "status"),
    [(("true",), 0), (("sh", "-c", "exit 42"), 42), (("sh", "-c", "kill -9 $$"), 137),
     (("no-such-program",), 127)],
)  # fmt: skip
def test_the_exit_status_of_the_program_is_passed_on(
    user: User, command: tuple[str, ...], status: int
) -> None:
    assert user.run("pause", "--", *command).status == status
    assert states() == {"running"}


def test_it_runs_where_one_is_with_ones_own_variables(user: User) -> None:
    told = "import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))"
    done = user.run("pause", "--", "/usr/bin/env", "python3", "-c", told, MINE="yes")
    place, variables = json.loads(done.stdout)
    assert (place, variables["MINE"]) == (str(user.home / "project"), "yes")
    assert "PYDANTIC_DISABLE_PLUGINS" not in variables
    asked = ("git", "config", "--get", "gc.autoDetach")
    assert user.run("pause", "--", *asked).stdout == "false\n", "or it goes on behind the halt"


def test_a_start_after_it_finds_nothing_to_do(user: User) -> None:
    """The engine calls unhealthy what was halted, until it asks again."""
    user.ok("up", NAME)  # other tests may have given the machine addresses, or taken some away
    before = world.call("docker", "inspect", "--format", "{{.Id}}", f"jailoc-{NAME}-opencode-1")
    user.ok("pause", "--", "true")
    user.nothing_to_do(NAME)
    user.ok("up", NAME)
    after = world.call("docker", "inspect", "--format", "{{.Id}}", f"jailoc-{NAME}-opencode-1")
    assert before == after


def test_jailoc_is_killed_and_the_agent_waits_for_the_program(user: User) -> None:
    begun, done = user.home / "begun", user.home / "done"
    work = f"touch {begun}; sleep 12; touch {done}"
    with user.start("pause", "--", "sh", "-c", work) as running:
        eventually("it works", begun.exists)
        running.kill()
        time.sleep(2)
        assert states() == {"paused"}
        assert not done.exists()
        refused = user.run("up", NAME)
        assert not done.exists()
        assert "another jailoc is working on this" in refused.stderr
    eventually("it goes on", lambda: states() == {"running"})
    assert done.exists()


def test_jailoc_is_killed_while_the_engine_is_asked_and_the_agent_goes_on(user: User) -> None:
    folder, asked, go, halted = (user.home / each for each in ("slow", "asked", "go", "halted"))
    folder.mkdir()
    (folder / "docker").write_text(
        f'#!/bin/sh\n[ "$1" = pause ] || exec {shutil.which("docker")} "$@"\n'
        f"touch {asked}; while [ ! -e {go} ]; do sleep 0.1; done\n"
        f'{shutil.which("docker")} "$@"; touch {halted}\n'
    )
    (folder / "docker").chmod(0o755)
    slow = ("env", f"PATH={folder}:{os.environ['PATH']}")
    with user.start("pause", "--", "true", prefix=slow) as running:
        eventually("the engine is about to be asked", asked.exists)
        running.kill()
        running.wait()
        time.sleep(1)
        go.touch()
        eventually("the agent is halted", halted.exists)
    eventually("it goes on", lambda: states() == {"running"}, 20)


def test_who_is_said_to_be_halted_and_goes_on_is_halted(user: User) -> None:
    """An engine that is behind: it takes note of an earlier halt when that is over."""
    folder, docker = user.home / "behind", shutil.which("docker")
    folder.mkdir()
    (folder / "docker").write_text(
        f'#!/bin/sh\n[ "$1" = inspect ] || exec {docker} "$@"\n'
        f"""{docker} "$@" | sed 's/"Status": *"running"/"Status":"paused"/'\n"""
    )
    (folder / "docker").chmod(0o755)
    look = f"{docker} inspect --format '{{{{.State.Paused}}}}' jailoc-{NAME}-opencode-1"
    behind = f"{folder}:{os.environ['PATH']}"
    assert '"paused"' in world.call("env", f"PATH={behind}", "docker", "inspect",
                                    f"jailoc-{NAME}-opencode-1")  # fmt: skip
    assert user.run("pause", "--", "sh", "-c", look, PATH=behind).stdout == "true\n"
    assert states() == {"running"}


def test_what_asks_jailoc_to_end_ends_the_program(user: User) -> None:
    begun = user.home / "begun-to-end"
    words = ("sh", "-c", f"touch {begun}; exec sleep 100")
    with user.start("pause", "--", *words) as running:
        eventually("it works", begun.exists)
        assert states() == {"paused"}
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 128 + signal.SIGTERM
    assert states() == {"running"}


def test_a_key_of_the_terminal_interrupts_the_program_and_the_agent_goes_on(user: User) -> None:
    said = "import time, sys\ntry: print('begun', flush=True); time.sleep(100)\n" \
        "except KeyboardInterrupt: print('stopped', flush=True); sys.exit(3)"  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(user.home),
                   "PYTHONPATH": str(world.ROOT / ".pkg"), "TERM": "xterm",
                   "DOCKER_HOST": os.environ["DOCKER_HOST"]}  # fmt: skip
    words = ["-P", "-m", "jailoc.bin", "pause", "--", sys.executable, "-c", said]
    terminal = pexpect.spawn(
        sys.executable, words, env=environment, cwd=str(user.home / "project"), timeout=60
    )
    terminal.expect_exact("begun")
    assert states() == {"paused"}
    terminal.sendintr()
    terminal.expect_exact("stopped")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 3
    assert states() == {"running"}


def test_what_git_would_follow_is_told_and_nothing_runs(user: User) -> None:
    project = user.home / "project"
    agent("sh", "-c", f"ln -s {user.home}/treasure {project}/.git/COMMIT_EDITMSG.new && "
          f"mv -T {project}/.git/COMMIT_EDITMSG.new {project}/.git/COMMIT_EDITMSG")  # fmt: skip
    try:
        done = user.run("pause", "--", "echo", "run")
        assert (done.status, done.stdout) == (125, "")
        assert "COMMIT_EDITMSG" in done.stderr
        assert states() == {"running"}
    finally:
        (project / ".git/COMMIT_EDITMSG").unlink()
    assert user.ok("pause", "--", "echo", "run") == "run\n"


MAPPED = """
import mmap, sys, time
file = open(sys.argv[1], "r+b")
held = mmap.mmap(file.fileno(), 0)
open("/tmp/mapped", "w").close()
time.sleep(60)
"""


def test_what_a_halted_program_may_still_change_is_told(user: User) -> None:
    """Its end has the kernel write there (set_tid_address(2)), and a timer of its own ends it."""
    place = user.home / "project/mapped"
    place.write_bytes(bytes(4096))
    place.chmod(0o666)
    agent("timeout", "120", "python3", "-c", MAPPED, str(place), detached=True)
    try:
        eventually("it has it", lambda: "mapped" in agent("ls", "/tmp"))  # noqa: S108
        done = user.run("pause", "--", "echo", "run")
        assert (done.status, done.stdout) == (125, "")
        assert f"may still change what it has mapped: {place} ({NAME})" in done.stderr
        assert states() == {"running"}
    finally:
        agent("pkill", "-KILL", "-f", "mmap.mmap")
        agent("rm", "-f", "/tmp/mapped")  # noqa: S108
        place.unlink()
    assert user.ok("pause", "--", "echo", "run") == "run\n"


def test_so_is_what_it_was_handed_by_a_mount_that_is_gone(user: User) -> None:
    """An agent that is started anew takes its mounts away from what another one has of it."""
    place = user.home / "project/mapped"
    place.write_bytes(bytes(4096))
    place.chmod(0o666)
    pid = world.call("docker", "inspect", "--format", "{{.State.Pid}}", f"jailoc-{NAME}-opencode-1")
    inside = ("nsenter", "--target", pid.strip(), "--mount", "--root", "--pid")
    world.call(*inside, "mkdir", "/tmp/other")  # noqa: S108
    world.call(*inside, "mount", "--bind", str(place.parent), "/tmp/other")  # noqa: S108
    try:
        agent("timeout", "120", "python3", "-c", MAPPED, "/tmp/other/mapped", detached=True)  # noqa: S108
        eventually("it has it", lambda: "mapped" in agent("ls", "/tmp"))  # noqa: S108
        world.call(*inside, "umount", "--lazy", "/tmp/other")  # noqa: S108
        done = user.run("pause", "--", "echo", "run")
        assert (done.status, done.stdout) == (125, "")
        assert f"mapped: what is no `/mapped` there any more ({NAME})" in done.stderr
    finally:
        world.call(*inside, "umount", "--lazy", "/tmp/other", check=False)  # noqa: S108
        agent("pkill", "-KILL", "-f", "mmap.mmap")
        agent("rm", "-f", "/tmp/mapped")  # noqa: S108
        place.unlink()
    assert user.ok("pause", "--", "echo", "run") == "run\n"


def test_what_came_after_the_start_is_told_and_somebody_must_agree(user: User) -> None:
    project = user.home / "project"
    agent("sh", "-c", f"cd {project} && git init --quiet new && cd new/.git/hooks && "
          "printf '#!/bin/sh' > pre-commit && chmod +x pre-commit")  # fmt: skip
    try:
        done = user.run("pause", "--", "echo", "run")
        assert (done.status, done.stdout) == (125, "")
        assert "new/.git/hooks" in done.stderr
        assert f"`jailoc up {NAME}` covers it" in done.stderr
        assert states() == {"running"}
    finally:
        world.call("rm", "-rf", str(project / "new"))


@pytest.mark.parametrize("link", [".envrc", ".cargo"])
def test_what_a_link_of_the_agents_leads_to_is_told_until_it_is_trusted(
    user: User, link: str
) -> None:
    project = user.home / "project"
    target = {".envrc": "cfg/envrc", ".cargo": "cfg"}[link]
    agent("sh", "-c", f"cd {project} && mkdir cfg && touch cfg/envrc cfg/config.toml && "
          f"ln -s {target} {link}")  # fmt: skip
    before = user.config.read_text()
    try:
        done = user.run("pause", "--", "echo", "run")
        assert (done.status, done.stdout) == (125, "")
        assert f"{project}/{link}" in done.stderr
        assert "covers it" not in done.stderr, "a start covers no link"
        user.config.write_text(f'trust = ["{project}/{link}"]\n{before}')
        assert user.ok("pause", "--", "echo", "run") == "run\n"
    finally:
        user.config.write_text(before)
        world.call("rm", "-rf", str(project / "cfg"), str(project / link))
    assert user.ok("pause", "--", "echo", "run") == "run\n"


def test_what_somebody_has_halted_stays_so_until_a_start(user: User) -> None:
    each = [f"jailoc-{NAME}-opencode-1", f"jailoc-{NAME}-dind-1"]
    world.call("docker", "pause", *each)
    done = user.run("pause", "--", "echo", "run")
    assert (done.status, done.stdout) == (0, "run\n")
    assert f"{NAME} is halted" in done.stderr
    assert states() == {"paused"}
    planned = user.ok("plan", NAME)
    assert "it is paused" in planned
    assert "agent restarts: yes" in planned
    user.ok("up", NAME)
    assert states() == {"running"}
    user.nothing_to_do(NAME)


def test_another_run_of_jailoc_waits_for_nothing_and_says_so(user: User) -> None:
    with user.start("pause", "--", "sleep", "100") as running:
        eventually("halted", lambda: states() == {"paused"})
        refused = user.run("up", NAME)
        assert refused.status == 1
        assert "another jailoc is working on this" in refused.stderr
        refused = user.run("restart", NAME)
        assert "another jailoc is working on this" in refused.stderr
        assert "was stopped" not in refused.stderr
        for command in (("exec", NAME, "--", "true"), ("verify", NAME)):
            refused = user.run(*command)
            assert refused.status == (125 if command[0] == "exec" else 1)
            assert f"workspace `{NAME}` is halted" in refused.stderr
            assert f"when process {running.pid} has ended" in refused.stderr
        assert states() == {"paused"}
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def shown(name: str) -> str:
    return world.call(
        "docker", "inspect", "--format", "{{.State.Status}}", f"jailoc-{name}-opencode-1"
    ).strip()


def test_who_has_the_path_by_another_name_or_no_record_is_halted_and_nobody_begins_meanwhile(
    user: User,
) -> None:
    """A link of the user's own leads to it; and what was started can be forgotten."""
    before, link = user.config.read_text(), user.home / "by"
    link.symlink_to(user.home)
    other = '[workspaces.{0}]\npaths = ["~/{1}"]\nenable_docker = false\nexpose_port = false\n'
    more = other.format(f"{NAME}-b", "by/project") + other.format(f"{NAME}-c", "project")
    user.write(before + more)
    record = user.home / f".local/share/jailoc/{NAME}-b.applied.json"
    ask = ("docker", "inspect", "--format", "{{.State.Status}}", f"jailoc-{NAME}-b-opencode-1")
    try:
        user.ok("up", f"{NAME}-b")
        assert shown(f"{NAME}-b") == "running"
        assert user.ok("pause", NAME, "--", *ask).strip() == "paused"
        kept = record.read_bytes()
        record.unlink()
        user.write(before + other.format(f"{NAME}-c", "project"))
        assert user.ok("pause", NAME, "--", *ask).strip() == "paused"
        assert shown(f"{NAME}-b") == "running"
        record.write_bytes(kept)
        with user.start("pause", NAME, "--", "sleep", "100") as running:
            eventually("halted", lambda: states() == {"paused"})
            refused = user.run("up", f"{NAME}-c")
            running.send_signal(signal.SIGTERM)
            running.wait(30)
        assert "another jailoc is working on this" in refused.stderr
        assert not world.call("docker", "ps", "--quiet", "--filter", f"name=jailoc-{NAME}-c-")
    finally:
        user.write(before)
        for each in "bc":
            world.remove(f"jailoc-{NAME}-{each}")
        for left in (user.home / ".local/share/jailoc").glob(f"{NAME}-[bc]*"):
            world.call("rm", "-rf", str(left))
        link.unlink()


def test_a_program_that_is_another_users_is_waited_for() -> None:
    """As one that sudo has begun, of which kill(1) tells nothing."""
    with subprocess.Popen(["sleep", "3"]) as program:
        look = ["sh", "-c", f"kill -0 {program.pid}"]
        control = subprocess.run(look, user=65534, check=False, capture_output=True)
        assert control.returncode != 0
        keeper = subprocess.Popen(["sh", "-c", halt.LET_GO, "jailoc", "", "true", "unpause"],
                                  user=65534, stdin=subprocess.PIPE)  # fmt: skip
        assert keeper.stdin is not None
        keeper.stdin.write(b"%d\n" % program.pid)
        keeper.stdin.close()
        time.sleep(1)
        assert keeper.poll() is None
        program.wait()
        assert keeper.wait(10) == 0


def test_covers_that_another_agent_has_lost_are_told(user: User) -> None:
    """The host's Git replaces what lies below a cover: until a start that agent can write there."""
    before = user.config.read_text()
    user.write(f'{before}[workspaces.{NAME}-b]\npaths = ["~/project"]\nenable_docker = false\n'
               "expose_port = false\n")  # fmt: skip
    try:
        user.ok("up", f"{NAME}-b")
        assert user.ok("pause", NAME, "--", "echo", "run") == "run\n"
        git(user.home / "project", "config", "some.key", "value")
        user.ok("up", NAME)
        done = user.run("pause", NAME, "--", "echo", "run")
        assert (done.status, done.stdout) == (125, "")
        assert "project/.git/config" in done.stderr
        assert f"`jailoc up {NAME}-b` covers it" in done.stderr
        user.ok("up", f"{NAME}-b")
        assert user.ok("pause", NAME, "--", "echo", "run") == "run\n"
    finally:
        user.write(before)
        world.remove(f"jailoc-{NAME}-b")
        for left in (user.home / ".local/share/jailoc").glob(f"{NAME}-b*"):
            world.call("rm", "-rf", str(left))
