"""Programs that a user runs in a sandbox: as the agent, with its secrets, and none stays behind."""

import os
import subprocess
import sys
import time
from typing import Any

import pexpect
import pytest

from jailoc.bin.attach.fence import UNANSWERED
from tests.engine import world
from tests.engine.conftest import Sandbox
from tests.engine.world import ROOT

pytestmark = pytest.mark.engine

CLIPBOARD = "\x1b]52;c;QUFB\x07"


def jailoc(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "env": {"PATH": os.environ["PATH"], "HOME": str(sandbox.user.home),
                "PYTHONPATH": str(ROOT / ".pkg"), "DOCKER_HOST": os.environ["DOCKER_HOST"]},
        "cwd": sandbox.user.home / "project",
    }  # fmt: skip


def run(
    sandbox: Sandbox, *command: str, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    words = [sys.executable, "-P", "-m", "jailoc.bin", "exec", sandbox.name, "--", *command]
    return subprocess.run(
        words, input=stdin, capture_output=True, timeout=120, check=False, **jailoc(sandbox)
    )


def inside(sandbox: Sandbox, text: str) -> bool:
    top = world.call("docker", "top", sandbox.container("opencode"), "-eo", "pid,uid,args")
    return text in top


def test_it_is_the_agent_with_its_secrets_in_the_current_directory(sandbox: Sandbox) -> None:
    script = (
        "id -u; pwd; grep -c 0000000000000000 /proc/self/status; "
        'echo "${#OPENCODE_SERVER_PASSWORD}"'
    )
    done = run(sandbox, "sh", "-c", script)
    user, place, none, password = done.stdout.decode().split()
    assert (user, place) == ("1000", str(sandbox.user.home / "project")), done
    assert int(none) >= 4, "no capability in any set"
    assert int(password) > 0
    # docker(1) by hand has no secret.
    by_hand = world.call("docker", "exec", sandbox.container("opencode"), "sh", "-c", script)
    assert by_hand.split()[-1] == "0"


def test_a_slip_in_the_configuration_keeps_nobody_out(sandbox: Sandbox) -> None:
    script = ("sh", "-c", "id -u; pwd")
    before, text = run(sandbox, *script), sandbox.user.config.read_text()
    try:
        sandbox.user.write(f"slip = 1\n{text}")
        after = run(sandbox, *script)
    finally:
        sandbox.user.write(text)
    assert (after.returncode, after.stdout) == (0, before.stdout)
    assert b"the configuration cannot be used (unknown key `slip`" in after.stderr
    assert after.stdout.split()[1].decode() == str(sandbox.user.home / "project")


@pytest.mark.parametrize(
    ("command", "status"),
    [(("true",), 0), (("sh", "-c", "exit 42"), 42), (("no-such-program",), 127),
     (("sh", "-c", "kill -9 $$"), 137)],
)  # fmt: skip
def test_its_exit_status_is_passed_on(
    sandbox: Sandbox, command: tuple[str, ...], status: int
) -> None:
    assert run(sandbox, *command).returncode == status


def test_a_command_that_is_not_there_is_named(sandbox: Sandbox) -> None:
    for name in ("nosuchcmd", "/nowhere/x", "-x"):
        done = run(sandbox, name)
        words = f"jailoc: there is no command {name} in the sandbox\n"
        assert (done.returncode, done.stderr.decode()) == (127, words)


def test_what_goes_through_it_is_unchanged_where_no_terminal_is(sandbox: Sandbox) -> None:
    every = bytes(range(256)) * 3000 + CLIPBOARD.encode()
    done = run(sandbox, "cat", stdin=every)
    assert (done.returncode, done.stdout, done.stderr) == (0, every, b"")


@pytest.mark.parametrize(("number", "status"), [(2, 130), (15, 143), (1, 129)])
def test_a_signal_leaves_nothing_behind(sandbox: Sandbox, number: int, status: int) -> None:
    mark = f"30{number:02}77"
    words = [sys.executable, "-P", "-m", "jailoc.bin", "exec", sandbox.name, "--", "sleep", mark]
    reset = ["env", "--default-signal=INT"]
    with subprocess.Popen([*reset, *words], stdin=subprocess.DEVNULL, **jailoc(sandbox)) as process:
        end = time.monotonic() + 60
        while not inside(sandbox, f"sleep {mark}"):
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(60) == status
    assert not inside(sandbox, f"sleep {mark}")


def test_control_docker_by_hand_leaves_the_process(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    with subprocess.Popen(
        ["docker", "exec", "--interactive", agent, "sleep", "309977"], stdin=subprocess.DEVNULL
    ) as process:
        end = time.monotonic() + 60
        while not inside(sandbox, "sleep 309977"):
            assert time.monotonic() < end
            time.sleep(0.1)
        process.terminate()
        process.wait(60)
    assert inside(sandbox, "sleep 309977")
    world.call("docker", "exec", agent, "pkill", "-f", "sleep 309977")


def test_a_shell_in_a_terminal_cannot_write_the_clipboard(sandbox: Sandbox) -> None:
    given = jailoc(sandbox)
    with pexpect.spawn(
        sys.executable, ["-P", "-m", "jailoc.bin", "shell", sandbox.name],
        env=given["env"] | {"TERM": "xterm-256color"}, cwd=str(given["cwd"]), dimensions=(30, 100),
    ) as terminal:  # fmt: skip
        terminal.sendline("tty; printf '\\033]52;c;QUFB\\007'; printf 'sh%s\\n' own")
        terminal.expect_exact(b"shown", timeout=60)
        seen = terminal.before
        assert isinstance(seen, bytes)
        assert b"/dev/pts/" in seen
        assert CLIPBOARD.encode() not in seen
        terminal.sendline("exit 7")
        terminal.expect(pexpect.EOF, timeout=30)
        terminal.close()
        assert terminal.exitstatus == 7
    # docker(1) by hand lets it through.
    with pexpect.spawn(
        "docker", ["exec", "--interactive", "--tty", sandbox.container("opencode"), "sh"],
        dimensions=(30, 100),
    ) as terminal:  # fmt: skip
        terminal.sendline("printf '\\033]52;c;QUFB\\007'; printf 'sh%s\\n' own")
        terminal.expect_exact(CLIPBOARD.encode(), timeout=30)


COLOR = b"\x1b]4;1;rgb:dede/bebe/caca\x1b\\"


@pytest.mark.parametrize("answers", [True, False])
def test_what_it_has_asked_the_terminal_is_answered_before_it_is_over(
    sandbox: Sandbox, answers: bool
) -> None:
    given = jailoc(sandbox)
    script = "printf '\\033]4;1;?\\033\\\\'; sleep 0.5; kill -9 $$"
    with pexpect.spawn(
        sys.executable, ["-P", "-m", "jailoc.bin", "exec", sandbox.name, "--", "sh", "-c", script],
        env=given["env"] | {"TERM": "xterm-256color"}, cwd=str(given["cwd"]), echo=False,
    ) as terminal:  # fmt: skip
        terminal.expect_exact(b"\x1b]4;1;?", timeout=60)
        terminal.expect([rb"((?:\x1b\[[56]n){48})"], timeout=60)
        assert terminal.match is not None
        asked = terminal.match[1]
        assert isinstance(asked, bytes)
        if answers:
            time.sleep(1)
            terminal.send(COLOR)
            terminal.send(asked.replace(b"[5n", b"[0n").replace(b"[6n", b"[1;1R"))
        terminal.expect(pexpect.EOF, timeout=60)
        assert (UNANSWERED.encode()[:50] in (terminal.before or b"")) is not answers
        terminal.close()
        assert terminal.exitstatus == 137
