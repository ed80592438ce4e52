"""However a run ends, it ends in order: one line, a status, and nothing left behind."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pexpect
import pytest

from jailoc.bin.__main__ import TOGETHER
from jailoc.bin.cli import errors
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.terminal.exit_status import ERROR
from jailoc.bin.terminal.terminal import Terminal
from tests.engine.world import User
from tests.programs import environment

CONFIG = "[workspaces.api]\n"
STUCK = """#!/bin/sh
# The engine's client, stuck; as many of its kind it minds no interrupt of its terminal.
trap '' INT TERM
echo $$ > "$HOME/stuck"
exec sleep 60
"""


@pytest.fixture
def person(user: User) -> User:
    user.write(CONFIG)
    (user.home / "bin").mkdir()
    (user.home / "bin/docker").write_text(STUCK)
    (user.home / "bin/docker").chmod(0o755)
    return user


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "jailoc.bin", *arguments]


@contextmanager
def stuck(user: User) -> "Iterator[pexpect.spawn[str]]":
    """Start a command on a terminal and wait until it waits for the engine."""
    words = ["--default-signal=INT,TERM,HUP", *command("status")]
    child = pexpect.spawn("env", words, env=environment(user, CI="1"), cwd=str(user.home),
                          encoding="utf-8", timeout=30)  # fmt: skip
    try:
        wait((user.home / "stuck").exists)
        yield child
    finally:
        child.close(force=True)


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def rest(child: "pexpect.spawn[str]") -> tuple[str, int | None]:
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before), child.exitstatus


def test_ctrl_c_ends_in_one_line(person: User) -> None:
    with stuck(person) as child:
        child.sendintr()
        output, status = rest(child)
    assert re.sub(r"\x1b\[\d+m|\^C", "", output) == "interrupted\r\n"
    assert status == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_to_end_a_run_are_as_orderly(person: User, number: signal.Signals) -> None:
    with stuck(person) as child:
        assert child.pid is not None
        os.kill(child.pid, number)
        output, status = rest(child)
    assert output.count("interrupted") == 1
    assert "Traceback" not in output
    assert status == 1
    log = (person.home / ".cache/jailoc/jailoc.log").read_text()
    assert log.splitlines()[-1].endswith("msg=interrupted")
    assert "level=DEBUG msg=docker" in log, "the call that was cut short is recorded, too"


def test_a_run_that_was_started_deaf_to_interrupts_stays_so(person: User) -> None:
    with subprocess.Popen(
        ["env", "--ignore-signal=INT", "--default-signal=TERM", *command("status")],
        env=environment(person, CI="1"), cwd=person.home, stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        wait((person.home / "stuck").exists)
        running.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.5)
        running.terminate()
        assert running.communicate(timeout=30)[1] == "interrupted\n"


SLOW = """
import os, sys, time, types
from jailoc.bin.__main__ import main
def run(arguments):
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        print("tidying up", flush=True)
        time.sleep(60)
cli = types.ModuleType("jailoc.bin.cli.main")
cli.run = run
sys.modules["jailoc.bin.cli.main"] = cli
main()
"""
LOADING = """
import sys, time
from jailoc.bin.__main__ import main
class Slow:
    def find_spec(self, name, path, target=None):
        if name == "jailoc.bin.cli.main":
            print("loading", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
main()
"""


@contextmanager
def script(user: User, text: str) -> Iterator[subprocess.Popen[str]]:
    words = ["env", "--default-signal=INT,TERM", sys.executable, "-c", text]
    with subprocess.Popen(words, env=environment(user, CI="1"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as running:  # fmt: skip
        try:
            yield running
        finally:
            running.kill()


def says(running: subprocess.Popen[str], text: str) -> None:
    assert running.stdout is not None
    assert running.stdout.readline() == f"{text}\n"


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_at_once(user: User, second: signal.Signals) -> None:
    with script(user, SLOW) as running:
        says(running, "running")
        running.send_signal(signal.SIGINT)
        says(running, "tidying up")
        time.sleep(TOGETHER)
        running.send_signal(second)
        assert running.wait(10) == 1
        assert running.communicate()[1] == ""


def test_the_second_signal_says_what_is_left_where_something_is(user: User) -> None:
    leaving = SLOW.replace(
        "    finally:\n", "    finally:\n        from jailoc.bin.host.farewell import Farewell\n"
        "        Farewell.words = 'half of it is left'\n"
    )  # fmt: skip
    with script(user, leaving) as running:
        says(running, "running")
        running.send_signal(signal.SIGINT)
        says(running, "tidying up")
        time.sleep(TOGETHER)
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 1
        assert running.communicate()[1] == "\nhalf of it is left\n"


def test_one_press_that_comes_twice_ends_in_order(user: User) -> None:
    """As timeout(1) does: the terminal signals all of its group, and it passes its own on."""
    with script(user, SLOW) as running:
        says(running, "running")
        for _ in range(3):
            running.send_signal(signal.SIGINT)
        says(running, "tidying up")
        running.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(1)


def test_an_interrupt_before_the_command_line_is_there_is_one_line_too(user: User) -> None:
    with script(user, LOADING) as running:
        says(running, "loading")
        running.send_signal(signal.SIGINT)
        assert running.communicate(timeout=10) == ("", "interrupted\n")
        assert running.returncode == 1


@pytest.mark.parametrize("line", ["config", "--help", "completion bash", "schema", "bogus"])
@pytest.mark.parametrize("both", [False, True])
def test_output_that_nobody_reads_is_no_failure_to_talk_about(
    person: User, line: str, both: bool
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command(*line.split()), env=environment(person, CI="1"), cwd=person.home,
            stdin=subprocess.DEVNULL, stdout=writing,
            stderr=writing if both else subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.returncode == 1
    if not both and line != "bogus":
        assert done.stderr == ""


@pytest.mark.parametrize(
    "line", ["config", "--help", "completion bash", "schema", "validate", "__complete up"]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_error(
    person: User, line: str, unbuffered: str
) -> None:
    surroundings = environment(person, CI="1") | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:  # noqa: PTH123 -- a device
        done = subprocess.run(
            command(*line.split()), env=surroundings, cwd=person.home, stdin=subprocess.DEVNULL,
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        told = "Error: standard output takes nothing: No space left on device [system]\n"
        assert done.stderr == told
        both = subprocess.run(
            command(*line.split()), env=surroundings, cwd=person.home, stdin=subprocess.DEVNULL,
            stdout=full, stderr=full, check=False,
        )  # fmt: skip
        assert both.returncode == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_not_there_is_done_without(person: User, closed: str) -> None:
    words = " ".join(command("config"))
    done = subprocess.run(["sh", "-c", f"{words} {closed}"], env=environment(person, CI="1"),
                          cwd=person.home, capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


LINES = (
    "config", "up", "status", "validate", "init", "add .", "allow a.example", "up --verbose",
)  # fmt: skip


@pytest.mark.parametrize(
    ("home", "line"),
    [*((None, line) for line in LINES), ("", "up"), ("relative", "up"), ("~", "init")],
)
def test_without_a_home_nothing_is_made_anywhere(
    user: User, tmp_path_factory: pytest.TempPathFactory, home: str | None, line: str
) -> None:
    here = tmp_path_factory.mktemp("here")
    given = environment(user, CI="1") | {"TMPDIR": str(here)}
    given.pop("HOME")
    done = subprocess.run(
        command(*line.split()), env=given | ({} if home is None else {"HOME": home}), cwd=here,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    errors = [each for each in done.stderr.splitlines() if each.startswith("Error: ")]
    assert errors == [
        "Error: the home directory is unknown: HOME is not set to an absolute path [home]"
    ]
    assert list(here.iterdir()) == []


def test_what_became_another_thing_meanwhile_is_said_with_what_helps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An agent can have readlink(2) fail at any moment; the system has two words for that."""
    assert errors.report(OSError(errno.EINVAL, "Invalid argument", "/p/sub"), Terminal()) == ERROR
    said = capsys.readouterr().err
    assert "/p/sub" in said
    assert "stop who changes it (of an agent: `jailoc down`), and try again" in said


def test_what_an_agent_has_made_too_deep_for_the_engine_is_said_in_bounds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine names the place, and all of that is the agent's words."""
    monkeypatch.setattr(errors, "_silent_engine", lambda: None)
    place = f"/var/lib/docker/overlay2/{'d/' * 30_000}"
    output = f"Error: unable to remove filesystem: open {place}: too many open files\n"
    failed = DockerError("removing jailoc-api", [], 1, output)
    assert errors.report(failed, Terminal()) == ERROR
    said = capsys.readouterr().err
    assert len(said) < 1500
    assert "too many open files" in said
    assert "a file for each level of directories" in said
