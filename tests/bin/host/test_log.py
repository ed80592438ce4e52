"""The log: private, rotated, one line a record, never in the way, and never with a value in it."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jailoc.bin.host import log as journal
from jailoc.bin.host.logfile import LIMIT
from tests.engine.world import User

LINE = re.compile(
    r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d level=(INFO|DEBUG|ERROR) "
    r'msg=("([^"\\]|\\.)*"|[^ "=\\]+)( \w+=("([^"\\]|\\.)*"|[^ "=\\]+))*'
)
PLANTED = "hunter2-do-not-tell"


def log(user: User) -> Path:
    return user.home / ".cache/jailoc/jailoc.log"


def records(user: User) -> list[str]:
    lines = log(user).read_text().splitlines()
    assert [each for each in lines if not LINE.fullmatch(each)] == []
    return lines


def docker(user: User, script: str) -> str:
    """Put a `docker` on the user's path; a real engine's failures cannot be had on command."""
    folder = user.home / "bin"
    folder.mkdir()
    (folder / "docker").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "docker").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_a_command_leaves_a_record_in_a_private_file(user: User) -> None:
    user.ok("config", "default")
    (line,) = records(user)
    assert "level=INFO msg=start version=" in line
    assert line.endswith(" command=config")
    assert stat.S_IMODE(log(user).stat().st_mode) == 0o600
    assert stat.S_IMODE(log(user).parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(user: User) -> None:
    log(user).parent.mkdir(parents=True)
    log(user).touch(0o644)
    user.ok("config")
    assert stat.S_IMODE(log(user).stat().st_mode) == 0o600


def test_what_a_link_leads_to_keeps_its_mode(user: User) -> None:
    """With XDG_CACHE_HOME in a project an agent chooses where it leads."""
    elsewhere, place = user.home / "elsewhere", log(user).parent
    elsewhere.mkdir(mode=0o755)
    elsewhere.chmod(0o755)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(elsewhere)
    user.run("status")
    assert elsewhere.stat().st_mode & 0o777 == 0o755


def test_a_failure_is_recorded_as_one(user: User) -> None:
    user.run("config", "missing")
    user.write("[workspaces.a]\nenv = 3\n")
    user.run("validate")
    errors = [each for each in records(user) if "level=ERROR" in each]
    assert len(errors) == 2
    assert "code=workspace-unknown" in errors[0]
    assert f"file={user.config} line=2" in errors[1]


def test_docker_calls_are_recorded_with_arguments_and_duration(user: User) -> None:
    path = docker(user, 'echo "it broke: $SECRET" >&2; exit 3')
    user.run("status", PATH=path, SECRET=PLANTED)
    calls = [each for each in records(user) if "level=DEBUG msg=docker" in each]
    assert re.search(r'argv="docker (?:[^"\\]|\\.)+" status=3 seconds=0\.\d+$', calls[0])
    (error,) = [each for each in records(user) if "level=ERROR" in each]
    assert "docker" in error or "code=engine" in error


def test_no_value_reaches_the_log(user: User) -> None:
    path = docker(
        user,
        f"""
        case "$1 $2" in
            "version "*) echo 1.44 ;;
            "compose version") echo 2.26.0 ;;
            *) echo {PLANTED}; echo {PLANTED} >&2; exit 1 ;;
        esac""",
    )
    (user.home / "secret").write_text(PLANTED)
    (user.home / "variables").write_text(f"FILE={PLANTED}\n")
    good = (
        f'[workspaces.a]\nenv = ["A={PLANTED}"]\nenv_file = ["~/variables"]\n'
        '[workspaces.a.secrets.env]\nS = { from_file = "~/secret" }\nT = { from_env = "PLANTED" }\n'
    )
    for text in (good, good.replace("A=", "A "), good.replace("A=", "SSH_AUTH_SOCK=")):
        user.write(text)
        for arguments in (
            ("up", "a"),
            ("down", "a"),
            ("config", "a", "--verbose"),
            ("allow", "x.example"),
        ):
            result = user.run(
                *arguments, PATH=path, PLANTED=PLANTED, OPENCODE_SERVER_PASSWORD=PLANTED
            )
            shown = "".join(each for each in result.stderr.splitlines() if "level=" in each)
            assert PLANTED not in shown
    text = "".join(records(user))
    assert 'level=ERROR msg="docker failed" what=' in text
    assert "level=ERROR msg=refused code=env-" in text
    assert PLANTED not in log(user).read_text()


def test_a_password_in_a_url_is_left_out(user: User) -> None:
    path = docker(user, "exit 0")
    url = f"https://me:{PLANTED}@127.0.0.1:1/Dockerfile"
    user.write(f'[workspaces.a]\ndockerfile = "{url}"\n')
    assert PLANTED in user.run("up", "a", PATH=path).stderr
    (error,) = [each for each in records(user) if "level=ERROR" in each]
    assert "code=fetch" in error
    assert "https://127.0.0.1:1/Dockerfile" in error
    assert PLANTED not in log(user).read_text()


def test_verbose_shows_the_same_records(user: User) -> None:
    path = docker(user, "exit 1")
    plain = user.run("status", PATH=path)
    assert "level=" not in plain.stderr
    shown = user.run("status", "--verbose", PATH=path)
    lines = [each for each in shown.stderr.splitlines() if each.startswith("time=")]
    assert lines == records(user)[-len(lines) :]
    assert {"start", "docker", "refused"} <= {
        found[1] for each in lines if (found := re.search(r"msg=(\w+)", each))
    }
    assert user.run("--verbose", "status", PATH=path).stderr.count("msg=start") == 1


@pytest.mark.parametrize(("size", "files"), [(LIMIT, 1), (LIMIT + 1, 2)])
def test_a_large_log_is_put_aside_once(user: User, size: int, files: int) -> None:
    log(user).parent.mkdir(parents=True)
    with log(user).open("w") as file:
        file.truncate(size)
    (log(user).parent / "jailoc.log.1").write_text("old")
    user.ok("config")
    older = log(user).parent / "jailoc.log.1"
    assert older.stat().st_size == (size if files == 2 else 3)
    assert (log(user).stat().st_size < 1000) == (files == 2)


def test_a_log_that_cannot_be_put_aside_begins_anew(user: User) -> None:
    (log(user).parent / "jailoc.log.1").mkdir(parents=True)
    with log(user).open("w") as file:
        file.truncate(LIMIT + 1)
    user.ok("config")
    assert log(user).stat().st_size < 1000


def block_by_file(user: User) -> None:
    (user.home / ".cache").write_text("")


def block_by_directory(user: User) -> None:
    log(user).mkdir(parents=True)


def block_by_pipe(user: User) -> None:
    log(user).parent.mkdir(parents=True)
    os.mkfifo(log(user))


def block_by_link(user: User) -> None:
    log(user).parent.mkdir(parents=True)
    (user.home / "elsewhere").write_text("mine")
    log(user).symlink_to(user.home / "elsewhere")


@pytest.mark.parametrize("block", [block_by_file, block_by_directory, block_by_pipe, block_by_link])
def test_a_log_that_cannot_be_written_is_nobodys_concern(user: User, block: object) -> None:
    assert callable(block)
    block(user)
    result = user.run("config")
    assert (result.status, result.stderr) == (0, "")
    if block is block_by_link:
        assert (user.home / "elsewhere").read_text() == "mine"


def test_a_full_disk_is_nobodys_concern(user: User) -> None:
    log(user).parent.mkdir(parents=True)
    script = (
        "import os, sys; from jailoc.bin.host import logfile\n"
        "logfile._open = lambda: open('/dev/full', 'w')\n"
        "from jailoc.bin.cli.main import run\nsys.exit(run(['config']))"
    )
    done = subprocess.run([sys.executable, "-c", script], env={"HOME": str(user.home)},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_in_a_record_can_pass_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(journal.Journal, "log", None)
    journal.start(verbose=False)
    evil = 'a b"c\\d\ntime=2000 level=ERROR msg=x \x1b[2J \u202e ü'
    journal.error(evil, what=evil, empty="", number=3, none=None)
    assert journal.Journal.log is not None
    journal.Journal.log.close()
    (line,) = (tmp_path / "jailoc/jailoc.log").read_text().splitlines()
    assert LINE.fullmatch(line)
    assert line.endswith(' empty="" number=3')
    assert "\x1b" not in line
    assert "\u202e" not in line
