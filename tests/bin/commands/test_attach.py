"""Bare `jailoc`, up to where an engine is needed: what it accepts, asks, and says."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from jailoc.bin.attach import pty, readiness
from jailoc.bin.attach.fence import UNANSWERED
from jailoc.bin.attach.watchdog import Watch
from jailoc.bin.commands import attach
from jailoc.bin.engine.containers import Container
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.attach.client import AttachMode, Request
from jailoc.model.diagnostic import Refused
from tests.engine import world
from tests.engine.world import ROOT, Result, User

NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
NO_ENGINE = "Docker is not running or not accessible"
FILE = """\
# keep me
mode = "remote"  # the one that needs no terminal
[workspaces.api]
paths = ["~/one"]
[workspaces.closed]
paths = ["~/closed"]
expose_port = false
[workspaces.default]
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[User]:
    with world.home(f"attach-{tmp_path.name}-{os.getpid()}") as user:
        for name in ("one/sub", "two", "closed", "tools"):
            (user.home / name).mkdir(parents=True)
        binary(user.home / "tools/opencode")
        user.write(FILE)
        yield user


def binary(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def run(
    user: User, *words: str, answer: str = "", cwd: str = "", tools: str = "tools", **more: str
) -> Result:
    """Run jailoc without an engine, in a pipe, with a client on PATH."""
    path = f"{user.home}/{tools}:{os.environ['PATH']}"
    environment = {"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"), "PATH": path}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "jailoc.bin", *words],
        env=environment | NOWHERE | more, cwd=user.home / cwd, input=answer,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--remote", "--exec"), "--remote and --exec are mutually exclusive"),
        (("--session", "x", "--continue"), "--session and --continue are mutually exclusive"),
        (("-s", "x", "-c"), "--session and --continue are mutually exclusive"),
        (("one", "--dir", "two"), "--dir and PATH are mutually exclusive"),
        (("one", "two"), "two"),
        (("--sess", "x"), "unknown option `--sess`"),
        (("--remote", "up"), "`up` is a command"),
        (("up", "--remote"), "unknown option `--remote`"),
        (("stats",), "did you mean `jailoc status`?"),
        (("UP",), "/UP` does not exist"),
        (("none",), "/none` does not exist"),
        (("~bob",), "bob` does not exist"),
        ((".config/jailoc/config.toml",), "/.config/jailoc/config.toml` is not a directory"),
        (("one", "-w", "apy"), "workspace `apy` not found"),
        (("closed", "--remote"), "`closed` cannot be attached to in remote mode: its port"),
        (("one", "--exec"), "an attach needs a terminal, and standard input is none"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, tuple) else "",
)
def test_what_cannot_be_is_said_before_anything_is_asked_or_started(
    home: User, words: tuple[str, ...], message: str
) -> None:
    result = run(home, *words)
    assert result.status == 1
    assert message in result.stderr
    assert "Usage:" not in result.stderr + result.stdout
    assert "[y/N]" not in result.stderr
    assert "checking Docker" not in result.stderr


def test_a_path_is_checked_before_the_configuration(home: User) -> None:
    home.write("broken")
    assert "/none` does not exist" in run(home, "none").stderr


@pytest.mark.parametrize("words", [("one",), ("~/one/sub",), ("--dir", "one"), ("./one/../one",)])
def test_a_directory_of_a_workspace_needs_no_question(home: User, words: tuple[str, ...]) -> None:
    result = run(home, *words)
    assert NO_ENGINE in result.stderr
    assert "[y/N]" not in result.stderr


def test_the_directory_is_the_one_that_the_user_went_to(home: User) -> None:
    (home.home / "link").symlink_to(home.home / "one")
    assert "[y/N]" not in run(home, cwd="one/sub").stderr
    # Through the link it is another path, which no workspace has; symbolic links are not followed.
    result = run(home, cwd="link", PWD=str(home.home / "link"))
    assert f"{home.home}/link is not in workspace default. Add it? [y/N]" in result.stderr


def test_a_directory_with_a_commands_name_is_reached_with_a_dot(home: User) -> None:
    (home.home / "up").mkdir()
    assert f"{home.home}/up is not in workspace default" in run(home, "./up").stderr


@pytest.mark.parametrize("answer", ["", "n\n", "\n", "maybe\n"])
def test_without_a_yes_nothing_is_changed_or_started(home: User, answer: str) -> None:
    result = run(home, "two", answer=answer)
    assert result.status == 0
    assert f"{home.home}/two is not in workspace default. Add it? [y/N]" in result.stderr
    assert home.config.read_text() == FILE
    assert NO_ENGINE not in result.stderr


@pytest.mark.parametrize("answer", ["y", "y\ny\n", "YES\n"])
def test_a_yes_adds_the_directory_and_goes_on(home: User, answer: str) -> None:
    result = run(home, "two", "-w", "api", answer=answer)
    assert home.config.read_text() == FILE.replace('"~/one"', '"~/one", "~/two"')
    assert f"added {home.home}/two to workspace api" in result.stdout
    assert NO_ENGINE in result.stderr


@pytest.mark.parametrize(
    ("place", "words"), [("/etc", "conflicts"), ("~", "is forbidden"), ("/", "is forbidden")]
)
def test_what_cannot_be_added_is_never_asked_about(home: User, place: str, words: str) -> None:
    result = run(home, place, "-w", "api", answer="y\n")
    assert result.status == 1
    assert "is not in workspace `api` and cannot be added to it: " in result.stderr
    assert words in result.stderr
    assert f"run `jailoc {home.home}/one` to work there" in result.stderr
    assert "[y/N]" not in result.stderr
    assert home.config.read_text() == FILE


def test_the_directory_is_told_before_the_terminal(home: User) -> None:
    """No other terminal helps with a directory that can be nobody's."""
    result = run(home, "--exec", "--dir", "/", "-w", "api")
    assert "path `/` is forbidden" in result.stderr
    assert "needs a terminal" not in result.stderr
    assert "needs a terminal" in run(home, "one", "--exec").stderr


def test_without_a_client_remote_mode_is_refused_and_no_other_taken(home: User) -> None:
    result = run(home, "one", tools="nothing", PATH="/usr/bin:/bin")
    assert "remote mode needs `opencode` or `opencode-cli` on PATH" in result.stderr


def test_a_client_of_the_host_is_used_by_nobody_who_has_not_asked_for_it(home: User) -> None:
    home.write(re.sub("mode = .*\n", "", FILE))
    # Exec mode is on the user's own terminal, and there is none.
    assert "needs a terminal" in run(home, "one").stderr
    assert NO_ENGINE in run(home, "one", "--remote").stderr


def test_a_client_that_an_agent_can_change_is_passed_over(home: User) -> None:
    binary(home.home / "one/bin/opencode")
    result = run(
        home, "one", "--remote", tools="one/bin", PATH=f"{home.home}/one/bin:/usr/bin:/bin"
    )
    assert "passing over" in result.stderr
    assert "remote mode needs" in result.stderr
    (home.home / "links").mkdir()
    (home.home / "links/opencode").symlink_to(home.home / "one/bin/opencode")
    linked = run(home, "one", "--remote", PATH=f"{home.home}/links:/usr/bin:/bin")
    assert "remote mode needs" in linked.stderr
    home.write('trust = ["~/one/bin"]\n' + FILE)
    trusted = run(home, "one", "--remote", PATH=f"{home.home}/one/bin:/usr/bin:/bin")
    assert "passing over" not in trusted.stderr
    assert NO_ENGINE in trusted.stderr


def test_the_second_name_is_used_and_relative_folders_are_not(home: User) -> None:
    binary(home.home / "second/opencode-cli")
    assert (
        NO_ENGINE in run(home, "one", "--remote", PATH=f"{home.home}/second:/usr/bin:/bin").stderr
    )
    relative = run(home, "one", "--remote", PATH="tools:/usr/bin:/bin")
    assert "remote mode needs" in relative.stderr


def test_without_a_home_nothing_is_made_anywhere(home: User) -> None:
    before = home.files()
    done = subprocess.run(
        ["env", "-u", "HOME", sys.executable, "-P", "-m", "jailoc.bin"],
        env={"PYTHONPATH": str(ROOT / ".pkg"), "PATH": os.environ["PATH"]} | NOWHERE,
        cwd=home.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "HOME is not set" in done.stderr
    assert home.files() == before


def test_a_system_without_terminals_to_give_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> tuple[int, int]:
        raise OSError(2, "out of pty devices")

    monkeypatch.setattr(os, "openpty", none)
    assert pty.has_terminals() is False
    with pytest.raises(Refused, match="pseudo-terminal") as error:
        attach._possible(AttachMode.REMOTE, AttachMode.REMOTE)
    assert error.value.diagnostics[0].hint == "use --exec"


def test_an_interrupt_at_the_question_ends_with_one_line(home: User) -> None:
    with at_terminal(home, "two") as terminal:
        terminal.expect_exact("[y/N]")
        terminal.sendintr()
        terminal.expect_exact("interrupted\r\n")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 1
    assert home.config.read_text() == FILE


@contextmanager
def at_terminal(user: User, *words: str, cwd: str = "") -> Iterator["pexpect.spawn[bytes]"]:
    """Run jailoc without an engine, on a terminal."""
    environment = {"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"), "TERM": "dumb",
                   "PATH": f"{user.home}/tools:/usr/bin:/bin"}  # fmt: skip
    command = ["-P", "-m", "jailoc.bin", *words]
    with pexpect.spawn(
        sys.executable, command, cwd=str(user.home / cwd), env=environment | NOWHERE,
        dimensions=(24, 300),
    ) as terminal:  # fmt: skip
        yield terminal


@pytest.mark.parametrize("words", [(), ("up",)], ids=["bare", "up"])
def test_without_a_configuration_a_start_on_a_terminal_asks_for_one(
    home: User, words: tuple[str, ...]
) -> None:
    home.config.unlink()
    question = f"Make one with {home.home}/two in a workspace called default?"
    for answer in ("n", "y"):
        with at_terminal(home, *words, cwd="two") as terminal:
            terminal.expect_exact(
                "`jailoc init --here` makes a workspace of its own for this directory: two"
            )
            terminal.expect_exact(f"{question} [y/N]")
            terminal.sendline(answer)
            terminal.expect_exact("nothing was changed" if answer == "n" else NO_ENGINE)
            terminal.expect(pexpect.EOF)
            terminal.close()
            assert terminal.exitstatus == (0 if answer == "n" else 1)
        assert home.config.exists() == (answer == "y")
    assert 'paths = ["~/two"]' in home.config.read_text()


def test_a_start_of_a_named_workspace_asks_for_no_configuration(home: User) -> None:
    home.config.unlink()
    with at_terminal(home, "up", "default", cwd="two") as terminal:
        terminal.expect_exact(NO_ENGINE)
    assert not home.config.exists()
    assert "[y/N]" not in run(home, "up", cwd="two").stderr
    assert not home.config.exists()


STUCK = """
import atexit, sys, time
from jailoc.bin import __main__
from jailoc.bin.config import source
source.directory = lambda *_: (print("working", flush=True), time.sleep(600))
atexit.register(time.sleep, 600)
sys.argv[1:] = []
__main__.main()
"""


def test_a_second_interrupt_ends_what_the_first_one_only_began_to() -> None:
    environment = {"PYTHONPATH": str(ROOT / ".pkg"), "PATH": "/usr/bin:/bin", "TERM": "dumb"}
    with pexpect.spawn(sys.executable, ["-c", STUCK], env=environment) as terminal:
        terminal.expect_exact("working")
        terminal.sendintr()
        terminal.expect_exact("interrupted")
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 1


def container(service: str, **changes: object) -> Container:
    given: dict[str, object] = {
        "id": service, "service": service, "project": "jailoc-api", "state": "running",
        "health": "healthy", "exit_code": 0, "ports": (), "started": "1", "image": "x",
    }  # fmt: skip
    return Container.model_validate(given | changes)


BEFORE = readiness.RunningSandbox(
    wall=container("firewall"), agent=container("opencode"), port=None
)


@pytest.mark.parametrize(
    ("agent", "wall", "words"),
    [
        ({}, {}, None),
        ({"health": "starting"}, {}, None),
        ({"health": ""}, {"health": "starting"}, None),
        (None, {}, "stopped and removed"),
        ({"state": "exited", "exit_code": 137}, {}, "stopped: it is exited (exit code 137)"),
        (
            {"state": "removing", "exit_code": 143},
            {},
            "stopped: it is being removed (exit code 143)",
        ),
        ({"state": "paused"}, {}, None),
        ({"id": "new"}, {}, "replaced by a new one (restarted)"),
        ({"started": "2"}, {}, "restarted"),
        ({"health": "unhealthy"}, {}, "unhealthy"),
        ({}, None, "firewall was stopped"),
        ({}, {"state": "exited"}, "firewall was stopped"),
        ({}, {"started": "2"}, "firewall was restarted"),
    ],
)
def test_every_way_to_lose_the_container_has_its_words(
    agent: dict[str, object] | None, wall: dict[str, object] | None, words: str | None
) -> None:
    now = readiness.Services(
        wall=None if wall is None else container("firewall", **wall),
        agent=None if agent is None else container("opencode", **agent),
    )
    found = attach.lost(BEFORE, now)
    assert (found is None) if words is None else (found is not None and words in found)


@pytest.mark.parametrize("code", [130, -2])
def test_a_client_that_was_interrupted_is_no_error(
    code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    one = object.__new__(attach._Attachment)
    one.terminal, one.name, one.request = Terminal(), "default", Request(session="ses_none")
    watch = Watch(lambda: None)
    assert one._verdict(pty.Ended(code, None), watch) == 1
    told = capsys.readouterr().err
    assert told == "interrupted; default goes on until `jailoc down default`\n"
    with pytest.raises(Refused, match="exit code 131") as refused:
        one._verdict(pty.Ended(131, None), watch)
    assert "leave --session out" in str(refused.value.diagnostics[0].hint)


def test_a_terminal_that_has_not_answered_is_told_of_whatever_else_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = object.__new__(attach._Attachment)
    one.terminal, one.name, one.request = Terminal(), "default", Request()
    assert one._verdict(pty.Ended(0, None, unanswered=True), Watch(lambda: None)) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0] == UNANSWERED
    assert len(told) == 2
