"""What needs no engine asks none: names and flags are judged first, and nothing unseen is fine."""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from jailoc.bin.cli import main
from jailoc.bin.cli.app import Options
from jailoc.bin.host import log
from jailoc.schemas import schema
from tests.bin.cli.test_help import paths
from tests.engine.world import Result, User

NOWHERE = "unix:///nonexistent/docker.sock"
SILENT = "Docker is not running or not accessible"
TWO = "[workspaces.api]\n[workspaces.web]\n"
WORDS: dict[str, tuple[str, ...]] = {
    "": ("-w", "{}"),
    "add": (".", "-w", "{}"),
    "allow": ("10.1.2.3", "-w", "{}"),
    "apply": ("{}", "--yes"),
    "blocked": ("{}",),
    "config": ("{}",),
    "destroy": ("{}", "--yes"),
    "down": ("{}",),
    "exec": ("{}", "--", "true"),
    "explain": ("{}", "10.1.2.3"),
    "graph": ("{}",),
    "images build": ("{}",),
    "import-sessions": ("{}", "--yes"),
    "learn": ("{}",),
    "logs": ("{}",),
    "outdated": ("{}",),
    "pause": ("{}", "--", "true"),
    "plan": ("{}",),
    "refresh": ("{}",),
    "render": ("{}",),
    "restart": ("{}",),
    "secrets": ("{}", "--target", "kubernetes"),
    "shell": ("{}",),
    "snapshot": ("{}",),
    "snapshot list": ("{}",),
    "status": ("{}",),
    "task diff": ("x", "-w", "{}"),
    "task fetch": ("x", "-w", "{}"),
    "task list": ("-w", "{}"),
    "task log": ("x", "-w", "{}"),
    "task new": ("x", "-w", "{}"),
    "task rm": ("x", "-w", "{}"),
    "undo": ("{}",),
    "up": ("{}",),
    "verify": ("{}",),
}
"""How each command that acts on a workspace is told which."""
NO_WORKSPACE = {
    "acp", "completion", "diff", "doctor", "golden", "golden check", "golden update", "help",
    "images", "init", "presets", "presets import", "presets list", "presets show", "schema",
    "task", "validate",
}  # fmt: skip
OWN: dict[str, int] = {"exec": 125, "pause": 125, "shell": 125}
"""The status of an error of jailoc's own, where it is not 1."""
NEVER: dict[str, tuple[int, str]] = {
    "blocked": (1, "jailoc up api"),
    "down": (0, "api is not running"),
    "logs": (1, "jailoc up api"),
    "refresh": (1, "jailoc up api"),
    "status": (0, "api is not running"),
    "verify": (1, "jailoc up api"),
}
"""What is said of a workspace that never ran, and with which exit status."""


Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Person(User):
    """Somebody in this very process, with a docker that writes down that it was called."""

    capture: Capture

    def run(self, *arguments: str, **environment: str) -> Result:
        """Run jailoc, and return status and output."""
        assert not environment
        Options.workspace = Options.config = None
        status = main.run(arguments)
        output = self.capture.readouterr()
        return Result(status, output.out, output.err)

    def ask(self, command: str, workspace: str, *more: str) -> Result:
        """Run a command on a workspace."""
        words = [word.format(workspace) for word in WORDS[command]]
        return self.run(*command.split(), *words, *more)

    @property
    def asked(self) -> str:
        """Return what docker was asked."""
        place = self.home / "asked"
        return place.read_text() if place.exists() else ""


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Iterator[Person]:
    someone = Person(tmp_path, capsys)
    someone.write(TWO)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(
        '#!/bin/sh\necho "$@" >> "$HOME/asked"\necho "Cannot connect to the Docker daemon" >&2\n'
        "exit 1\n"
    )
    (tmp_path / "bin/docker").chmod(0o755)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DOCKER_CONTEXT",
                 "JAILOC_CONFIG"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CI", "1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    yield someone
    Options.workspace = Options.config = None
    if log.Journal.log is not None:
        log.Journal.log.close()
        log.Journal.log = None


def test_every_command_is_in_the_tables() -> None:
    known = {" ".join(path) for path in paths()} | {""}
    assert known <= {*WORDS, *NO_WORKSPACE}
    assert not {*WORDS} & NO_WORKSPACE


@pytest.mark.parametrize("command", WORDS)
def test_an_unknown_workspace_is_told_and_not_that_docker_is_silent(
    person: Person, command: str
) -> None:
    result = person.ask(command, "nosuch")
    assert (result.status, result.stdout) == (OWN.get(command, 1), "")
    first = next(line for line in result.stderr.splitlines() if line.startswith("Error"))
    assert "workspace `nosuch` not found" in first
    assert "api, web" in result.stderr
    assert "Docker" not in result.stderr


@pytest.mark.parametrize("command", ["", *(" ".join(path) for path in paths())])
def test_a_wrong_flag_is_told_and_no_engine_is_asked(person: Person, command: str) -> None:
    words = [word.format("api") for word in WORDS.get(command, ())]
    words.insert(words.index("--") if "--" in words else len(words), "--nosuch")
    result = person.run(*command.split(), *words)
    assert (result.status, result.stdout) == (OWN.get(command, 1), "")
    assert "`--nosuch`" in result.stderr.splitlines()[0]
    assert person.asked == ""


@pytest.mark.parametrize("command", NEVER)
def test_what_never_ran_is_told_without_any_engine(person: Person, command: str) -> None:
    result = person.ask(command, "api")
    status, words = NEVER[command]
    assert (result.status, words in result.stdout + result.stderr) == (status, True), result
    assert person.asked == ""


@pytest.mark.parametrize("command", NEVER)
def test_of_one_that_ran_only_the_engine_knows(person: Person, command: str) -> None:
    person.was_started("api")
    result = person.ask(command, "api")
    assert (result.status, result.stdout) == (1, "")
    assert SILENT in result.stderr


def test_that_there_are_no_snapshots_is_known_without_an_engine(person: Person) -> None:
    assert "api has no snapshots" in person.ask("snapshot list", "api").stderr
    assert "`api` has no snapshot to return to" in person.ask("undo", "api").stderr
    # What is no workspace is a path, one that is gone too; but no slip, nor what paths follow.
    assert "`api` has no snapshot" in person.run("undo", "-w", "api", "nosuchfile").stderr
    assert "workspace `apy` not found" in person.run("undo", "-w", "api", "apy").stderr
    assert "workspace `other` not found" in person.run("undo", "-w", "api", "other", "./x").stderr
    assert person.asked == ""


def test_a_restart_says_first_that_nothing_runs(person: Person) -> None:
    result = person.ask("restart", "api")
    assert result.status == 1
    assert result.stderr.index("api is not running") < result.stderr.index(SILENT)


def test_all_of_what_never_ran_is_stopped_without_an_engine(person: Person) -> None:
    for command, words in (("down", "web is not running"), ("restart", "nothing runs")):
        result = person.run(command, "--all")
        assert (result.status, words in result.stderr) == (0, True), result
    assert person.asked == ""


@pytest.mark.parametrize("command", ["up", "down", "restart", "destroy"])
def test_a_name_beside_all_is_a_wrong_command_line(person: Person, command: str) -> None:
    result = person.ask(command, "api", "--all")
    assert result.status == 1
    assert "a workspace and --all are mutually exclusive" in result.stderr
    assert person.asked == ""


def compiled(person: Person) -> None:
    """Leave the generated files of both as an `up` would."""
    person.ok("render", "--out", str(person.home / ".cache/jailoc"), "--native")


@pytest.mark.parametrize("arguments", [("api",), ("--all",)])
def test_a_plan_that_has_not_looked_never_says_that_there_is_nothing_to_do(
    person: Person, arguments: tuple[str, ...]
) -> None:
    compiled(person)
    plain = person.run("plan", *arguments)
    assert plain.status == 0
    assert "nothing to do" not in plain.stdout
    assert "the files are as compiled; what runs was not looked at" in plain.stdout
    # One workspace has said it by itself; of several there is a sum.
    assert plain.stdout.count("was not looked at") == (1 if arguments == ("api",) else 3)
    markdown = person.run("plan", *arguments, "--markdown")
    assert "othing to do" not in markdown.stdout
    detailed = person.run("plan", *arguments, "--detailed-exitcode")
    assert detailed.status == 1
    assert "nobody can tell" in detailed.stderr
    result = person.run("plan", *arguments, "--json", "--detailed-exitcode")
    assert result.status == 1
    data = json.loads(result.stdout)
    jsonschema.validate(data, schema("plan"))
    assert [each["changes"] for each in data["plans"]] == [[]] * len(data["plans"])
    assert {tuple(each["unseen"]) for each in data["plans"]} == {("what runs",)}


def test_files_that_differ_are_a_difference_without_an_engine_too(person: Person) -> None:
    compiled(person)
    (person.home / ".cache/jailoc/api/wall/rules.v4").write_text("other")
    assert person.run("plan", "api", "--detailed-exitcode").status == 2


def test_all_without_an_engine_says_where_it_has_looked_for_what_left(person: Person) -> None:
    result = person.run("plan", "--all")
    assert "were looked for on this machine alone" in result.stderr


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_prune_of_what_is_configured_is_refused_with_the_command_for_it(
    person: Person, command: str
) -> None:
    result = person.ask(command, "api", "--prune")
    assert result.status == 1
    assert "hint: `jailoc destroy api` removes all that there is of it" in result.stderr
    assert person.asked == ""


def test_no_name_leads_out_of_jailocs_own_directories(person: Person) -> None:
    precious = person.home / ".local/share/precious"
    precious.mkdir(parents=True)
    told = {"apply": "there is no file `../precious`", "destroy": "`../precious` not found"}
    for command, words in told.items():
        result = person.run(command, "../precious", "--yes")
        assert (result.status, words in result.stderr) == (1, True)
    assert precious.exists()


ONLY = "[workspaces.only]\n"
LOOKS = {"blocked": 1, "explain": 0, "graph": 0, "logs": 1, "plan": 0, "verify": 1}
ACTS = ("", "add", "apply", "down", "refresh", "restart", "up")


@pytest.mark.parametrize("command", LOOKS)
def test_the_only_workspace_needs_no_name_to_be_looked_at(person: Person, command: str) -> None:
    person.write(ONLY)
    target = ("10.1.2.3",) if command == "explain" else ()
    result = person.run(command, *target)
    assert result.status == LOOKS[command], result
    assert "not found" not in result.stderr
    assert "only" in result.stdout + result.stderr or command in {"explain", "graph"}


@pytest.mark.parametrize("command", ACTS)
def test_nor_to_be_started_or_changed(person: Person, command: str) -> None:
    person.write(ONLY)
    result = person.run(*command.split())
    assert "not found" not in result.stderr
    assert "only" in result.stdout + result.stderr or "Docker is not running" in result.stderr


def test_the_only_workspace_is_named_to_be_destroyed(person: Person) -> None:
    person.write(ONLY)
    result = person.run("destroy", "--yes")
    assert result.status == 1
    assert "no workspace is named, and `" in result.stderr
    assert "hint: run `jailoc destroy only`" in result.stderr


def test_the_hint_keeps_what_was_given(person: Person) -> None:
    person.write(TWO)
    (person.home / "a b").mkdir()
    told = person.run("add", f"{person.home}/a b").stderr
    assert f"hint: run `jailoc add '{person.home}/a b' -w NAME`; `jailoc init --here`" in told
    told = person.run("allow", "x.example.com:22").stderr
    assert "run `jailoc allow x.example.com:22 -w NAME`; `jailoc init --here`" in told


def test_of_several_workspaces_none_is_guessed(person: Person) -> None:
    person.write(TWO)
    for command in ("up", "plan", "explain 10.1.2.3"):
        result = person.run(*command.split())
        assert (result.status, "no workspace is named, and `" in result.stderr) == (1, True)
        assert f"jailoc {command.split()[0]} NAME" in result.stderr
