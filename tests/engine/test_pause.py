"""A program of the host's works while the agent is halted: nothing leads it elsewhere."""

import json
import os
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
        keeper = subprocess.Popen(["sh", "-c", halt.LET_GO, "jailoc", "", "true"], user=65534,
                                  stdin=subprocess.PIPE)  # fmt: skip
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
