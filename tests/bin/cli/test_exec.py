"""`exec`: what is wrong on its command line, and that such errors are no status of a command."""

import pytest

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
