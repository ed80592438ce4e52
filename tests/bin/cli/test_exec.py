"""`exec`: what is wrong on its command line, and that such errors are no status of a command."""

import pytest

from jailoc.bin.cli import launch, main
from tests.engine.world import User

NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a command comes after `--`"),
        (["api"], "a command comes after `--`"),
        (["api", "--"], "a command comes after `--`"),
        (["api", "ls"], "a command comes after `--`"),
        (["api", "other", "--", "ls"], "a command comes after `--`"),
        (["--tty", "api", "--", "ls"], "`--tty` is no option of `exec`"),
        (["nobody", "--", "ls"], "nobody"),
        (["api", "--", "ls", "--all"], "workspace `api` is not running"),
        (["--", "ls"], "workspace `api` is not running"),
        (["-w", "api", "--", "ls"], "workspace `api` is not running"),
        (["--workspace", "api", "--", "ls"], "workspace `api` is not running"),
        (["--workspace=api", "--", "ls"], "workspace `api` is not running"),
        (["-w", "nobody", "--", "ls"], "nobody"),
        (["-w", "--", "ls"], "`-w` is no option of `exec`"),
        (["-w", "api", "api", "--", "ls"], "a command comes after `--`"),
    ],
)
def test_jailocs_own_errors_have_a_status_of_their_own(
    user: User, words: list[str], said: str
) -> None:
    user.write("[workspaces.api]\n")
    result = user.run("exec", *words, DOCKER_HOST=NOWHERE)
    assert (result.status, result.stdout) == (125, "")
    assert said in result.stderr


def test_an_engine_that_does_not_answer_is_no_status_of_the_command(user: User) -> None:
    user.write("[workspaces.api]\n")
    (user.home / ".cache/jailoc/api").mkdir(parents=True)
    result = user.run("exec", "api", "--", "true", DOCKER_HOST=NOWHERE)
    assert (result.status, result.stdout) == (125, "")
    assert "docker.sock" in result.stderr


def test_help_that_is_asked_of_the_command_is_not_ours(user: User) -> None:
    user.write("[workspaces.api]\n")
    result = user.run("exec", "--", "ls", "--help", DOCKER_HOST=NOWHERE)
    assert "Usage: jailoc" not in result.stdout
    assert result.status == 125
    assert "Usage: jailoc exec" in user.run("exec", "--help").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a command comes after `--`"),
        (["api", "ls"], "jailoc pause [WORKSPACE] -- COMMAND"),
        (["--all", "--", "ls"], "`--all` is no option of `pause`"),
        (["nobody", "--", "ls"], "nobody"),
    ],
)
def test_pause_is_read_as_exec_is(user: User, words: list[str], said: str) -> None:
    user.write("[workspaces.api]\n")
    result = user.run("pause", *words, DOCKER_HOST=NOWHERE)
    assert (result.status, result.stdout) == (125, "")
    assert said in result.stderr


def test_where_no_agent_was_ever_started_nobody_need_be_halted(user: User) -> None:
    user.write("[workspaces.api]\n")
    result = user.run("pause", "api", "--", "sh", "-c", "echo done; exit 3", DOCKER_HOST=NOWHERE)
    assert (result.status, result.stdout, result.stderr) == (3, "done\n", "")


@pytest.mark.parametrize(
    ("mode", "text", "status", "said"),
    [(0o644, "#!/bin/sh\n", 126, "cannot be executed"),
     (0o755, "no program", 126, "cannot be executed"),
     (0o755, "#!/no/such/shell\n", 126, "cannot be executed"),
     (0o755, "#!/bin/sh\n", 0, "")],
)  # fmt: skip
def test_what_is_there_and_no_program_has_the_status_of_that(
    user: User, mode: int, text: str, status: int, said: str
) -> None:
    user.write("[workspaces.api]\n")
    place = user.home / "tool"
    place.write_text(text)
    place.chmod(mode)
    result = user.run("pause", "api", "--", str(place), DOCKER_HOST=NOWHERE)
    assert (result.status, result.stdout) == (status, "")
    assert said in result.stderr
    for other, named in ((127, place.with_name("none")), (126, user.home)):
        assert user.run("pause", "api", "--", str(named), DOCKER_HOST=NOWHERE).status == other


def test_an_agent_that_nobody_can_halt_keeps_the_program_from_running(user: User) -> None:
    user.write("[workspaces.api]\n")
    (user.home / ".cache/jailoc/api").mkdir(parents=True)
    result = user.run("pause", "api", "--", "echo", "run", DOCKER_HOST=NOWHERE)
    assert (result.status, result.stdout) == (125, "")
    assert "docker.sock" in result.stderr


@pytest.mark.parametrize(
    ("words", "status"), [(["pause", "--", "ls"], 125), (["exec", "--", "ls"], 125), (["ps"], 1)]
)
def test_what_is_interrupted_before_its_program_has_the_status_of_none(
    monkeypatch: pytest.MonkeyPatch, words: list[str], status: int
) -> None:
    def interrupted(_: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "run", interrupted)
    assert main.run(words) == status
