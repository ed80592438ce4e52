"""Bad input at the command line: one clear error each, exit 1, nothing written, no traceback."""

import os
import re
from pathlib import Path

import pytest

from tests.engine.world import User

NOWHERE = "unix:///nonexistent/docker.sock"
GOOD = "[workspaces.api]\n"


def refused(user: User, *arguments: str, **environment: str) -> str:
    before = user.files()
    result = user.run(*arguments, **environment)
    assert result.status == 1, result
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("Error: ") or "\nError: " in result.stderr
    assert user.files() == before, "nothing may be written on an error"
    return result.stderr


def fake_docker(folder: Path, server: str, compose: str) -> str:
    """Put a docker on PATH that reports other versions; a real old engine cannot be had."""
    place = folder / "fake"
    place.mkdir()
    script = place / "docker"
    script.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f"  version) echo {server} ;;\n"
        f"  compose) echo {compose} ;;\n"
        "  ps) ;;\n"
        "  *) exit 64 ;;\n"
        "esac\n"
    )
    script.chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("[workspaces.api\n", ":1:16", "not valid TOML", id="malformed-toml"),
        pytest.param("[workspaces.api]\npathz = []\n", ":2:1", "did you mean `paths`", id="key"),
        pytest.param('[workspaces.api]\ncpu = "4"\n', ":2:7", "found a string", id="type"),
    ],
)
@pytest.mark.parametrize("command", ["render", "validate", "up", "status"])
def test_a_mistake_in_the_file_is_shown_at_its_place(
    user: User, command: str, text: str, place: str, words: str
) -> None:
    user.write(text)
    message = refused(user, command, DOCKER_HOST=NOWHERE)
    assert f"{user.config}{place}" in message
    assert words in message
    assert re.search(r"^ +\| +\^$", message, re.MULTILINE), "the marker stands under the line"


def test_all_mistakes_of_a_file_are_shown_at_once(user: User) -> None:
    user.write('[workspaces.api]\ncpu = 0\nmemory = "lots"\nenv = ["X"]\n')
    assert refused(user, "validate").count("Error: ") == 3


@pytest.mark.parametrize("arguments", [("render",), ("validate",), ("up",)])
def test_a_named_file_that_is_missing_is_an_error(user: User, arguments: tuple[str, ...]) -> None:
    message = refused(user, *arguments, "--config", str(user.home / "none.toml"))
    assert "none.toml` does not exist" in message


@pytest.mark.parametrize(
    "arguments",
    [("validate",), ("plan",), ("up",), ("render",), ("config", "api"), ("init",),
     ("add", "."), ("allow", "10.1.2.3"),
     ("explain", "api", "9.9.9.9")],
    ids=" ".join,
)  # fmt: skip
def test_a_configuration_that_is_a_link_to_nowhere_is_an_error_and_never_the_starter(
    user: User, arguments: tuple[str, ...]
) -> None:
    user.config.parent.mkdir(parents=True)
    user.config.symlink_to(user.home / "dotfiles/config.toml")
    message = refused(user, *arguments, DOCKER_HOST=NOWHERE)
    assert f"{user.home}/dotfiles/config.toml`, which does not exist" in message
    assert user.config.is_symlink()
    assert not (user.home / "dotfiles").exists()


def test_without_a_file_the_starter_is_what_is_validated_and_that_is_said(user: User) -> None:
    done = user.run("validate")
    assert "starter" in done.stdout + done.stderr


def test_a_file_that_is_not_text_is_an_error(user: User) -> None:
    user.write("")
    user.config.write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in refused(user, "validate")


@pytest.mark.parametrize("command", ["render", "up", "status"])
def test_an_unknown_workspace_is_an_error(user: User, command: str) -> None:
    user.write(GOOD)
    message = refused(user, command, "apy", DOCKER_HOST=NOWHERE)
    assert "workspace `apy` not found" in message
    assert "did you mean `api`?" in message


@pytest.mark.parametrize("command", ["up", "down", "status", "logs"])
def test_no_engine_is_an_error_that_says_so(user: User, command: str) -> None:
    user.write(GOOD)
    user.was_started("api")
    message = refused(user, command, "api", DOCKER_HOST=NOWHERE)
    assert "Docker is not running or not accessible" in message


def test_no_docker_command_is_an_error_that_says_so(user: User) -> None:
    user.write(GOOD)
    assert "`docker` command is not installed" in refused(user, "up", "api", PATH="/nonexistent")


def test_an_old_engine_is_an_error_that_says_so(
    user: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    user.write(GOOD)
    path = fake_docker(tmp_path_factory.mktemp("old"), "1.39", "2.26.1")
    message = refused(user, "up", "api", PATH=path)
    assert "too old: its API is 1.39" in message
    assert "20.10 or newer" in message


def test_an_old_compose_is_an_error_that_says_so(
    user: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Whoever has a port of this machine is told first.
    user.write(f"{GOOD}\n[defaults]\nexpose_port = false\n")
    path = fake_docker(tmp_path_factory.mktemp("old"), "1.43", "2.3.3")
    assert "Docker Compose 2.3.3 is too old" in refused(user, "up", "api", PATH=path)


def test_a_client_that_the_engine_refuses_is_an_error_that_says_so(
    user: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    user.write(GOOD)
    folder = tmp_path_factory.mktemp("client")
    (folder / "docker").write_text(
        "#!/bin/sh\necho 'Error response from daemon: client version 1.41 is too old. Minimum "
        "supported API version is 1.44' >&2; exit 1\n"
    )
    (folder / "docker").chmod(0o755)
    message = refused(user, "up", "api", PATH=f"{folder}:/usr/bin:/bin")
    assert "client version 1.41 is too old" in message
    assert "not running" not in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--nonsense",), "nonsense"),
        (("rendr",), "rendr"),
        (
            ("schema", "nonsense"),
            "config, compose, destroy, diagnostics, diff, doctor, effective",
        ),
        (("logs", "--tail", "many"), "many"),
        (("up", "a", "b"), "b"),
    ],
)
def test_a_wrong_command_line_is_one_error(
    user: User, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(user, *arguments)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("help", "statsu"), "did you mean `status`?"),
        (("help", "task", "lst"), "did you mean `list`?"),
        (("version",), "did you mean `jailoc --version`?"),
        (("snapshot", "lst"), "did you mean `jailoc snapshot list`?"),
        (("schema", "confg"), "did you mean `config`?"),
        (("presets", "show", "githb"), "did you mean `@github`?"),
        (("apply", "nosuch.pln"), "did you mean `nosuch.plan`?"),
    ],
    ids=" ".join,
)
def test_a_mistyped_name_is_answered_with_the_near_one(
    user: User, arguments: tuple[str, ...], hint: str
) -> None:
    user.write(GOOD)
    (user.home / "nosuch.plan").write_text("{}")
    message = refused(user, *arguments, DOCKER_HOST=NOWHERE)
    assert f"  hint: {hint}\n" in message


def test_what_can_be_no_workspace_is_the_missing_file_of_a_plan(user: User) -> None:
    user.write(GOOD)
    message = refused(user, "apply", "api", "none.plan", DOCKER_HOST=NOWHERE)
    assert "there is no file `none.plan`, nor can a workspace be called so" in message
    assert "hint" not in message
    (user.home / "kept.plan").write_text("{}")
    message = refused(user, "apply", "api", "kept.plan", DOCKER_HOST=NOWHERE)
    assert "`kept.plan` is the file of a plan, and such a one stands alone" in message


def test_a_directory_that_is_called_nearly_like_a_command_is_no_mistyped_one(user: User) -> None:
    (user.home / "statsu").mkdir()
    message = refused(user, "statsu", "api")
    assert "too many arguments, from `api` on" in message
    assert "did you mean" not in message


def test_without_a_home_directory_nothing_is_guessed(user: User) -> None:
    before = user.files()
    result = user.run("render", HOME="")
    assert result.status == 1
    assert result.stderr.startswith("Error: the home directory is unknown: HOME is not set")
    assert "msg=" not in result.stderr
    assert user.files() == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import sys\n", "it is no JSON"),
        ("{}", "it is JSON of something else"),
        ("[1]", "it is JSON of something else"),
        ('{"format": 1, "config": 2, "plans": []}', "something in it is not as it was written"),
    ],
)
def test_what_is_no_plan_is_told_in_our_own_words(user: User, text: str, why: str) -> None:
    user.write(GOOD)
    (user.home / "main.py").write_text(text)
    message = refused(user, "apply", "main.py", DOCKER_HOST=NOWHERE)
    assert f"hint: {why}; `jailoc plan --out FILE` makes a new one\n" in message
    assert "SavedPlan" not in message


@pytest.mark.parametrize(
    "words",
    [("render", "--out"), ("render", "--native", "--out"), ("golden", "update"),
     ("golden", "check"), ("render", "--target", "kubernetes", "--out")],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("place", ["main.py", "main.py/below"])
def test_a_file_where_a_directory_is_meant_is_told_so(
    user: User, words: tuple[str, ...], place: str
) -> None:
    user.write(GOOD)
    (user.home / "main.py").write_text("")
    message = refused(user, *words, place, CI="")
    assert "`main.py` is no directory, and " in message
    assert "[directory]" in message


def test_init_never_touches_an_existing_file(user: User) -> None:
    user.write(GOOD)
    assert "exists already" in refused(user, "init")
    assert user.config.read_text() == GOOD


LIBRARY = re.compile(
    r"unable to convert|parameter [A-Z]|requires an argument|\{-|Input should|Must be|Parsed"
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("logs", "--tail", "x"), "`x` is no value for --tail [usage]\n"),
        (("logs", "--tail", "x"), "allowed: a whole number"),
        (("logs", "--tail", "-1"), "allowed: 0 or more"),
        (("logs", "--tail"), "--tail needs a value"),
        (("allow",), "TARGET is missing"),
        (("allow",), "--help`, or see `jailoc allow git.example.com:22 --workspace api`"),
        (("explain",), "TARGET is missing"),
        (("allow", "a.example", "--until", "x"), "allowed: a date, such as 2027-01-31"),
        (("up", "--pull=x"), "`--pull` takes no value, and has `x`"),
        (("graph", "--format", "svgg"), "did you mean `svg`?"),
        (("completion", "tcsh"), "allowed: bash, zsh, fish"),
        (("-s", "x", "-c"), "--session and --continue are mutually exclusive"),
        (("--session=x", "--continue"), "--session and --continue are mutually exclusive"),
        (("--remote", "--exec"), "--remote and --exec are mutually exclusive"),
    ],
)
def test_a_wrong_command_line_is_told_in_our_own_words(
    user: User, arguments: tuple[str, ...], words: str
) -> None:
    message = refused(user, *arguments)
    assert words in message
    assert not LIBRARY.search(message)


def test_a_configuration_with_a_byte_order_mark_is_read_and_keeps_it(user: User) -> None:
    user.write("\ufeff" + GOOD)
    assert "valid, 1 workspace\n" in user.ok("validate")
    user.run("allow", "10.1.2.3", "-w", "api", DOCKER_HOST=NOWHERE)
    text = user.config.read_text(encoding="utf-8")
    assert text.startswith("\ufeff[workspaces.api]\n")
    assert 'allowed_hosts = ["10.1.2.3"]' in text
    assert text.count("\ufeff") == 1


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("*.co.uk", "`*.co.uk` is every name there is below `co.uk`"),
        ("*.xn--55qx5d.cn", "is every name there is below `xn--55qx5d.cn`"),
        ("10.1.2.3/16", "`10.1.2.3/16` opens all of `10.1.0.0/16`, 65,536 addresses"),
        ("169.254.169.254", "hands out the machine's credentials"),
        ("224.0.0.1", "is multicast"),
    ],
)
def test_an_allow_that_means_nothing_or_far_too_much_is_told_once(
    user: User, target: str, words: str
) -> None:
    user.write(GOOD)
    result = user.run("allow", target, "-w", "api", "--yes", DOCKER_HOST=NOWHERE)
    assert result.stderr.count(words) == 1
    assert words in user.run("validate").stderr


@pytest.mark.parametrize("target", ["127.0.0.1", "127.9.0.0/16", "[::1]:80", "localhost:8080"])
def test_the_sandbox_itself_is_not_written(user: User, target: str) -> None:
    user.write(GOOD)
    message = refused(user, "allow", target, "-w", "api", DOCKER_HOST=NOWHERE)
    assert "is the sandbox itself, for whoever works there: it opens nothing" in message
    assert "host_ports" in message


def test_a_set_is_allowed_by_its_name_and_a_host_of_that_name_is_doubted(user: User) -> None:
    user.write('[workspaces.api]\negress = "allowlist"\n')
    missing = refused(user, "allow", "@githb", "-w", "api", DOCKER_HOST=NOWHERE)
    assert "there is no set `@githb`" in missing
    assert "did you mean `@github`?" in missing
    noted = refused(user, "allow", "@github", "--why", "x", "-w", "api", DOCKER_HOST=NOWHERE)
    assert "--why and --until are for its hosts" in noted
    done = user.run("allow", "@github", "-w", "api", DOCKER_HOST=NOWHERE)
    assert done.stdout.startswith("added @github to allow of workspace api; "), done.stderr
    assert "`jailoc allow @github -w api --remove` takes it back" in done.stdout
    assert 'allow = ["@github"]' in user.config.read_text()
    assert "open" in user.ok("explain", "api", "github.com:443")
    again = user.run("allow", "@github", "-w", "api", DOCKER_HOST=NOWHERE)
    assert "@github is already in allow of workspace api" in again.stderr
    host = user.run("allow", "github", "-w", "api", DOCKER_HOST=NOWHERE).stderr
    assert "taken for a host of that name; a set of hosts is `@github`\n" in host
    host = user.run("allow", "npm", "-w", "api", DOCKER_HOST=NOWHERE).stderr
    assert "a set of hosts is `@npm`, once `jailoc presets import npm` has made it\n" in host
    assert 'allowed_hosts = ["github", "npm"]' in user.config.read_text()


@pytest.mark.parametrize(
    ("target", "egress", "words"),
    [
        ("example.com", "public", "the public addresses of example.com are open already, as"),
        ("1.1.1.1:443", "public", "is open already, as `egress` is public"),
        ("1.1.1.0/24", "public", "is open already, as `egress` is public"),
        ("10.1.0.0/16", "public", None),
        ("example.com", "allowlist", None),
    ],
)
def test_what_is_open_anyway_is_said_and_written(
    user: User, target: str, egress: str, words: str | None
) -> None:
    user.write(f'[workspaces.api]\negress = "{egress}"\n')
    done = user.run("allow", target, "-w", "api", DOCKER_HOST=NOWHERE)
    assert f'"{target}"' in user.config.read_text()
    assert ("open already" in done.stderr) == (words is not None)
    assert (words or "") in done.stderr


def test_an_allow_that_holds_for_good_breaks_no_later_command(user: User) -> None:
    user.write(GOOD)
    for target, last in (("a.example", "9999-12-31"), ("10.1.2.3", "2039-01-01")):
        user.run("allow", target, "--until", last, "-w", "api", DOCKER_HOST=NOWHERE)
    for command in (("validate",), ("render", "api"), ("explain", "api", "10.1.2.3")):
        user.ok(*command)
