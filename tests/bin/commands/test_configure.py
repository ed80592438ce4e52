"""`config`, `add`, `allow`, `init` and `validate` in a pipe and in a real terminal."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jsonschema
import pexpect
import pytest

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.world import ROOT, User

NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
FILE = """\
# The team's sandboxes
mode = "exec"   # always

[workspaces.api]
cpu = 2 # enough
paths = [
  "~/one", # the first
]

# about web
[workspaces.web]
"""
KILLER = """
import os, signal, sys
sys.dont_write_bytecode = True
from jailoc.bin.cli import main
from jailoc.bin.commands import add
count, wanted, home = 0, int(sys.argv[1]), sys.argv[2]
def step(event, arguments):
    global count
    if event in {"open", "os.rename", "os.chmod", "os.mkdir", "os.remove", "tempfile.mkstemp"}:
        if any(str(each).startswith(home) for each in arguments if isinstance(each, (str, bytes))):
            count += 1
            if count == wanted:
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(step)
sys.exit(main.run(sys.argv[3:]))
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[User]:
    with world.home(tmp_path.name) as user:
        for name in ("one", "two", "three"):
            (user.home / name).mkdir()
        user.write(FILE)
        yield user


def run(user: User, *arguments: str) -> str:
    result = user.run(*arguments, **NOWHERE)
    assert result.status == 0, result.stderr
    return result.stdout


def test_add_changes_one_line_and_keeps_every_other_byte(home: User) -> None:
    two = str(home.home / "two")
    assert run(home, "add", two, "-w", "api") == f"added {two} to workspace api\n"
    assert home.config.read_text() == FILE.replace(
        '  "~/one", # the first\n', '  "~/one", # the first\n  "~/two",\n'
    )


def test_what_changes_the_file_says_what_comes_next(home: User) -> None:
    def told(*words: str) -> str:
        return home.run(*words, **NOWHERE).stderr.splitlines()[-1]

    assert told("add", "two", "-w", "web") == "next: `jailoc up web`"
    assert told("add", "two", "-w", "web") == "~/two is already in paths of workspace web"
    assert told("allow", "10.1.0.0/16", "-w", "web") == (
        "web does not run: that is in effect from `jailoc up web` on"
    )
    assert told("render", "--out", "out") == (
        "next: read them; `jailoc plan` says what a start would do with them"
    )
    home.config.unlink()
    assert told("render", "--out", "out").startswith("this is the starter configuration; next: ")
    assert told("init") == "next: `jailoc add DIRECTORY`, with what an agent is to work on"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (None, "`jailoc init --here` in a project, or `jailoc add DIRECTORY`, gives it one"),
        ("[workspaces.default]\n", "`jailoc add DIRECTORY -w default` gives it one"),
        ('[workspaces.default]\npaths = ["~/one"]\n', None),
        ('[workspaces.default]\nmounts = ["~/one:/mnt/one:rw"]\n', None),
    ],
)
def test_a_start_without_a_directory_says_so_first(
    home: User, file: str | None, told: str | None
) -> None:
    """A first start builds for minutes; nobody should wait so long for a sandbox of nothing."""
    if file is None:
        home.config.unlink()
    else:
        home.write(file)
    result = home.run("up", **NOWHERE)
    assert result.status == 1
    lines = result.stderr.splitlines()
    first = (
        f"workspace default holds no directory, so its agent will see none of your files: {told}"
    )
    assert (first in lines) == (told is not None)
    refused = next(number for number, each in enumerate(lines) if each.startswith("Error: "))
    assert "holds no directory" not in "\n".join(lines[refused:])


def test_a_start_from_elsewhere_says_which_workspace_it_is_about(home: User) -> None:
    home.write('[workspaces.default]\npaths = ["~/src/one"]\n')
    told = "~/other is in no workspace, so this is about default; `jailoc add` adds it"
    places = {"other": True, "src": False, "src/one": False, "src/one/deep": False, ".": False}
    for place in places:
        (home.home / place).mkdir(parents=True, exist_ok=True)
    assert {
        place: told in replace(home, at=home.home / place).run("up", **NOWHERE).stderr
        for place in places
    } == places
    named = replace(home, at=home.home / "other").run("up", "default", **NOWHERE)
    assert "is in no workspace" not in named.stderr
    forbidden = replace(home, at=Path("/etc")).run("up", **NOWHERE).stderr.splitlines()
    assert "/etc is in no workspace, so this is about default" in forbidden


def test_add_makes_a_missing_list_at_the_head_of_its_table(home: User) -> None:
    run(home, "add", "two", "-w", "web")
    assert home.config.read_text() == FILE.replace(
        "[workspaces.web]\n", '[workspaces.web]\npaths = ["~/two"]\n'
    )


def test_add_chooses_the_workspace_whose_path_holds_the_directory(home: User) -> None:
    (home.home / "one/sub").mkdir()
    done = home.run("add", "~/one/sub")
    assert (done.status, done.stdout) == (0, "")
    assert "~/one/sub is in workspace api already, as a part of ~/one\n" in done.stderr
    assert home.config.read_text() == FILE
    (home.home / "elsewhere").mkdir()
    (home.home / "one/link").symlink_to(home.home / "elsewhere")
    done = home.run("add", "~/one/link")
    assert done.status == 1
    assert "an agent can change" in done.stderr
    assert "elsewhere" not in done.stderr, "no advice that an agent chooses"
    assert home.config.read_text() == FILE


def test_add_of_what_is_there_changes_nothing(home: User) -> None:
    assert run(home, "add", "~/one/../one/", "-w", "api") == ""
    assert home.config.read_text() == FILE


def test_allow_writes_why_and_until_beside_the_target(home: User) -> None:
    run(home, "allow", "db.example.com:5432", "-w", "web", "--why", 'the "db"', "--until",
        "2099-01-31")  # fmt: skip
    run(home, "allow", "*.example.com", "-w", "web")
    assert home.config.read_text() == FILE.replace(
        "[workspaces.web]\n",
        '[workspaces.web]\nallowed_hosts = [{to = "db.example.com:5432", '
        'why = "the \\"db\\"", until = 2099-01-31}, "*.example.com"]\n',
    )
    assert "until 2099-01-31" in run(home, "config", "web")


@pytest.mark.parametrize("target", ["db:5432", "10.1.0.0/16", "@github"])
def test_what_is_allowed_can_be_taken_back_with_all_else_as_it_was(home: User, target: str) -> None:
    lists = 'allowed_hosts = [\n  "a", # stays\n]\nallowed_networks = ["10.9.0.0/16"]\n'
    lists += 'allow = ["@openai"]\n'
    home.config.write_text(FILE.replace("[workspaces.web]\n", f"[workspaces.web]\n{lists}"))
    before = home.config.read_text()
    notes = () if target == "@github" else ("--why", "x", "--until", "2099-01-31")
    said = run(home, "allow", target, "-w", "web", "--yes", *notes)
    assert f"`jailoc allow {target} -w web --remove` takes it back" in said
    key = {"d": "allowed_hosts", "1": "allowed_networks", "@": "allow"}[target[0]]
    said = run(home, "allow", target, "-w", "web", "--remove")
    assert f"removed {target} from {key} of workspace web" in said
    assert home.config.read_text() == before


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("db", ("`db` is not in allowed_hosts of workspace `web`", "allowed: db:5432")),
        ("all", ("is not in allowed_hosts", "[defaults] has it, for all workspaces: edit /")),
        ("10.1.0.0/16", ("nothing: the list is empty", "`jailoc explain web 10.1.0.0/16` says")),
    ],
)
def test_what_a_workspace_itself_does_not_allow_is_not_taken_back(
    home: User, target: str, told: tuple[str, ...]
) -> None:
    home.config.write_text(f"{FILE}\n[defaults]\nallowed_hosts = ['all']\n")
    run(home, "allow", "db:5432", "-w", "web")
    text = home.config.read_text()
    refused = home.run("allow", target, "-w", "web", "--remove", **NOWHERE)
    assert refused.status == 1
    assert all(each in refused.stderr for each in told), refused.stderr
    noted = home.run("allow", "db:5432", "-w", "web", "--remove", "--why", "x", **NOWHERE)
    assert "--remove takes no --why and no --until" in noted.stderr
    assert home.config.read_text() == text


@pytest.mark.parametrize(
    ("first", "again", "where"),
    [
        (("db:5432", "--why", "x"), ("db:5432",), "allowed_hosts of workspace web"),
        (("db:5432",), ("DB:5432", "--why", "x"), "allowed_hosts of workspace web"),
        (("db",), ("db:5432",), "allowed_hosts of workspace web"),
        (("db",), ("db", "--until", "2099-01-31"), "allowed_hosts of workspace web"),
        (("10.1.2.3", "--why", "x"), ("10.1.2.3/32:5432",), "allowed_hosts of workspace web"),
        (("10.1.0.0/16",), ("10.1.2.3/16:80",), "allowed_networks of workspace web"),
        ((), ("everywhere:80",), "allowed_hosts of [defaults]"),
    ],
)
def test_allow_says_that_all_of_it_is_open_already(
    home: User, first: tuple[str, ...], again: tuple[str, ...], where: str
) -> None:
    home.config.write_text(f"{FILE}\n[defaults]\nallowed_hosts = ['everywhere']\n")
    if first:
        run(home, "allow", *first, "-w", "web")
    text = home.config.read_text()
    result = home.run("allow", *again, "-w", "web", **NOWHERE)
    assert (result.status, result.stdout) == (0, "")
    assert f"{again[0]} is already in {where}" in result.stderr
    assert home.config.read_text() == text


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (("db:5432",), ("db",)),
        (("db:5432",), ("db:5433",)),
        (("db", "--until", "2099-01-31"), ("db",)),
        (("10.1.0.0/16",), ("10.0.0.0/8",)),
    ],
)
def test_allow_writes_what_opens_more(
    home: User, first: tuple[str, ...], more: tuple[str, ...]
) -> None:
    run(home, "allow", *first, "-w", "web")
    text = home.config.read_text()
    assert "added" in run(home, "allow", *more, "-w", "web", "--yes")
    assert home.config.read_text() != text


def test_what_config_shows_of_the_mode_can_be_written(home: User) -> None:
    home.config.write_text("[workspaces.api]\n")
    (shown,) = (line for line in run(home, "config").splitlines() if line.startswith("mode"))
    home.config.write_text(f"{shown}\n[workspaces.api]\n")
    assert "mode = " in run(home, "config")


def test_allow_tells_hosts_from_networks(home: User) -> None:
    run(home, "allow", "git.example.com:22", "-w", "web")
    run(home, "allow", "10.1.0.0/16", "-w", "web")
    assert home.config.read_text() == FILE.replace(
        "[workspaces.web]\n",
        '[workspaces.web]\nallowed_networks = ["10.1.0.0/16"]\n'
        'allowed_hosts = ["git.example.com:22"]\n',
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "/etc", "-w", "api"), "path `/etc` conflicts"),
        (("add", "/etc"), "path `/etc` is forbidden: `/etc` is the system"),
        (("add", "~", "-w", "api"), "is forbidden"),
        (("add", "~/none", "-w", "api"), "does not exist"),
        (("add", "~/.config/jailoc/config.toml"), "is not a directory"),
        (("add", "~/two", "-w", "apy"), "did you mean `api`"),
        (("add", "~/two"), "no workspace is named, and `"),
        (("allow", "0.0.0.0/0", "-w", "api"), "switch the firewall off"),
        (("allow", "10.0.0.0/33", "-w", "api"), "is not a network"),
        (("allow", "a b:0", "-w", "api"), "no port"),
        (("allow", "# nothing", "-w", "api"), "names no host"),
        (
            ("allow", "https://x.example.com/", "-w", "api"),
            "write `x.example.com`, without https:// and /",
        ),
        (
            ("allow", "http://x.example.com:8080", "-w", "api"),
            "write `x.example.com:8080`, without http://",
        ),
        (("allow", "x.example.com/", "-w", "api"), "write `x.example.com`, without / ("),
        (("allow", "x.example.com/a?b#c", "-w", "api"), "write `x.example.com`, without / ("),
        (("allow", "10.1.0.0/16/", "-w", "api"), "`10.1.0.0/16/` is not a network"),
    ],
)
def test_what_would_not_be_valid_is_refused_and_the_file_stays(
    home: User, arguments: tuple[str, ...], words: str
) -> None:
    before = home.files()
    result = home.run(*arguments, **NOWHERE)
    assert (result.status, result.stdout) == (1, "")
    assert words in result.stderr
    assert home.config.read_text() == FILE
    assert home.files() - before <= {".cache", ".cache/jailoc", ".cache/jailoc/config.toml.lock"}


def test_a_file_that_is_a_link_stays_one_with_its_mode(home: User) -> None:
    place = home.home / "dotfiles.toml"
    home.config.rename(place)
    place.chmod(0o640)
    home.config.symlink_to(place)
    run(home, "add", "~/two", "-w", "api")
    assert home.config.is_symlink()
    assert place.stat().st_mode & 0o777 == 0o640
    assert "two" in place.read_text()


def test_add_without_a_file_writes_the_starter_with_it(home: User) -> None:
    home.config.unlink()
    run(home, "add", "~/two")
    assert 'paths = ["~/two"]\n' in home.config.read_text()
    assert home.config.stat().st_mode & 0o777 == 0o600
    run(home, "validate")


RUNNING = """\
#!/bin/sh
case "$1 $2" in
    "version "*) echo '{"Server": {"Version": "28.0.0", "ApiVersion": "1.48"}}' ;;
    "ps "*) echo '["f00", "jailoc-api-firewall-1", "firewall", "jailoc-api", ""]' ;;
    "inspect "*) cat "$HOME/inspect.json" ;;
    *) exit 1 ;;
esac
"""
"""An engine on which a workspace runs, and nothing else goes."""


@pytest.fixture
def running(home: User) -> User:
    """Let a workspace look as if it ran, so that adding to it brings it up to date."""
    place = home.home / "engine"
    place.mkdir()
    (place / "docker").write_text(RUNNING)
    (place / "docker").chmod(0o755)
    label, directory = "com.docker.compose.project", f"{home.home}/.cache/jailoc/api"
    labels = {
        label: "jailoc-api",
        "com.docker.compose.service": "firewall",
        f"{label}.working_dir": directory,
    }
    (home.home / "inspect.json").write_text(json.dumps([{
        "Id": "f00", "Image": "sha256:1", "Config": {"Labels": labels, "Image": "x"},
        "State": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-01-01T00:00:00Z"},
        "NetworkSettings": {"Ports": {}},
        "HostConfig": {"NanoCpus": 0, "Memory": 0, "PidsLimit": None},
    }]))  # fmt: skip
    (home.home / ".cache/jailoc/api").mkdir(parents=True)
    return home


def failing(user: User, directory: str) -> str:
    """Add a directory to what runs, on an engine that then fails; return what is said."""
    path = f"{user.home}/engine:{os.environ['PATH']}"
    done = user.run("add", directory, "-w", "api", PATH=path)
    assert done.status == 1, done.stdout + done.stderr
    assert "added" in done.stdout, done.stderr
    return done.stderr


def test_an_add_that_fails_further_on_leaves_the_file_as_it_was(running: User) -> None:
    assert f"{running.config} is as it was before" in failing(running, "~/two")
    assert running.config.read_text() == FILE


@pytest.mark.parametrize("directory", ["~/two", "~/lnk"])
def test_an_add_that_a_start_refuses_leaves_the_file_as_it_was(
    running: User, directory: str
) -> None:
    (running.home / "lnk").symlink_to("two")
    elsewhere = running.home / "three/elsewhere"
    elsewhere.mkdir()
    git = running.home / "two/.git"
    git.mkdir()
    for name in ("objects", "refs"):
        (git / name).mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "logs").symlink_to(elsewhere)
    said = failing(running, directory)
    assert "[git-link]" in said
    assert running.config.read_text() == FILE


def test_fifty_at_once_lose_none(home: User) -> None:
    for number in range(50):
        (home.home / f"p{number}").mkdir(exist_ok=True)
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda number: run(home, "add", f"~/p{number}", "-w", "api"), range(50)))
    (api,) = json.loads(run(home, "config", "api", "--json"))["workspaces"]
    found = {each["value"] for each in api["settings"] if each["key"] == "paths"}
    assert found == {str(home.home / name) for name in ("one", *(f"p{n}" for n in range(50)))}
    assert "# the first\n" in home.config.read_text()


def test_a_kill_at_any_step_of_add_leaves_the_old_file_or_the_new_one(home: User) -> None:
    new = FILE.replace('  "~/one", # the first\n', '  "~/one", # the first\n  "~/two",\n')
    seen: list[str] = []
    for step in range(1, 80):
        home.write(FILE)
        done = subprocess.run(
            [sys.executable, "-P", "-c", KILLER, str(step), str(home.home),
             "add", "~/two", "-w", "api"],
            env={"HOME": str(home.home), "PATH": os.environ["PATH"],
                 "PYTHONPATH": str(ROOT / ".pkg"), **NOWHERE},
            cwd=home.home,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        text = home.config.read_text()
        assert text in {FILE, new}, f"killed at step {step}"
        seen.append("new" if text == new else "old")
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
    assert len(seen) > 5, "it was killed at several steps"
    assert seen == sorted(seen, reverse=True), "old until it is new"
    home.write(FILE)
    run(home, "add", "~/two", "-w", "api")
    assert home.config.read_text() == new, "the next run goes through"


def test_config_names_the_layer_of_each_value(home: User) -> None:
    text = run(home, "config", "api")
    lines = {tuple(each.rsplit("  # ", 1)) for each in text.splitlines() if " = " in each}
    found = {key.strip(): origin for key, origin in lines}
    assert found['mode = "exec"'] == "mode"
    assert found["cpu = 2"] == "workspaces.api.cpu"
    assert found['memory = "4g"'] == "built-in"
    assert found[f'paths = "{home.home}/one"'] == "workspaces.api.paths[0]"


def test_config_counts_the_many_values_that_nobody_wrote(home: User) -> None:
    lines = run(home, "config", "web").splitlines()
    (counted,) = (line for line in lines if line.startswith("# protect = "))
    (web,) = json.loads(run(home, "config", "web", "--json"))["workspaces"]
    count = sum(each["key"] == "protect" for each in web["settings"])
    assert counted.split(" #")[0].rstrip() == (
        f"# protect = [ {count} values, which `--json` lists ]"
    )
    assert not any(line.startswith("protect") for line in lines)
    home.write(f"[workspaces.web]\nprotect = {json.dumps([f'a/{each}' for each in range(20)])}\n")
    lines = run(home, "config", "web").splitlines()
    assert sum(line.startswith("protect = ") for line in lines) == 20


def test_config_as_data_says_the_same(home: User) -> None:
    data = json.loads(run(home, "config", "--json"))
    jsonschema.validate(data, schema("effective"))
    assert data["file"] == str(home.config)
    assert [each["name"] for each in data["workspaces"]] == ["api", "web"]
    assert {"key": "mode", "value": "exec", "origin": "mode"} in data["shared"]


def test_config_does_not_look_at_secrets(home: User) -> None:
    home.write('[workspaces.a.secrets.env]\nT.from_file = "~/secret"\n')
    (home.home / "secret").write_text("planted")
    text = run(home, "config")
    assert f'secrets = "T (env from_file {home.home}/secret)"' in text
    assert "planted" not in text


def in_terminal(user: User, *arguments: str, question: str = "", answer: str = "") -> str:
    child = pexpect.spawn(
        sys.executable,
        ["-P", "-m", "jailoc.bin", *arguments],
        env={"HOME": str(user.home), "PATH": os.environ["PATH"], "TERM": "xterm",
             "PYTHONPATH": str(ROOT / ".pkg"), **NOWHERE},
        cwd=str(user.home),
        encoding="utf-8",
        timeout=30,
    )  # fmt: skip
    before = ""
    if question:
        child.expect(question)
        before = str(child.before)
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    return before + str(child.before)


def test_in_a_terminal_there_are_colours_and_in_a_pipe_none(home: User) -> None:
    assert "\x1b[1m[workspaces.api]\x1b[0m" in in_terminal(home, "config")
    assert "\x1b" not in in_terminal(home, "config", "--no-color")
    assert "\x1b" not in run(home, "config")
    assert "\x1b[31mError:" in in_terminal(home, "add", "/etc", "-w", "api")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("169.254.169.254", "where a cloud hands out the machine's credentials"),
        ("169.254.0.0/16:80", "where a cloud hands out the machine's credentials"),
        ("10.0.0.0/8", "all of the private network 10.0.0.0/8"),
        ("host.docker.internal", "every port of this machine"),
        ("gateway.docker.internal", "of this machine, or of the one that its engine runs in"),
        ("host.lima.internal:2375", "of this machine, or of the one that its engine runs in"),
        (
            "Host.docker.internal:2375",
            "port 2375 (Docker's API: root on the machine) of this machine",
        ),
    ],
)
def test_what_is_critical_is_asked_before_it_is_allowed(
    home: User, target: str, words: str
) -> None:
    refused = home.run("allow", target, "-w", "api", **NOWHERE)
    assert (refused.status, refused.stdout) == (1, "")
    assert f"`jailoc allow {target} --yes` does not ask" in refused.stderr
    question = r"allow this\? \[y/N\] "
    for answer, kept in (("n", True), ("y", False)):
        told = in_terminal(home, "allow", target, "-w", "api", question=question, answer=answer)
        assert words in " ".join(told.split())
        assert ("nothing is changed" in told) is kept
        assert (home.config.read_text() == FILE) is kept
    # What is there is not asked again, nor is what a review ranks lower.
    assert "is already in" in home.run("allow", target, "-w", "api", **NOWHERE).stderr
    run(home, "allow", "172.20.1.0/24", "-w", "api")
    run(home, "allow", "host.docker.internal:5432", "-w", "api")


def test_what_is_critical_in_a_set_is_asked_as_it_is_alone(home: User) -> None:
    hosts = '"169.254.169.254", "host.docker.internal", "a.example.com", "10.1.2.3", '
    hosts += '"host.docker.internal:8081"'
    home.config.write_text(f"{FILE}\n[sets.corp]\nhosts = [{hosts}]\n")
    before = home.config.read_text()
    refused = home.run("allow", "@corp", "-w", "api", **NOWHERE)
    assert (refused.status, refused.stdout) == (1, "")
    assert "CRITICAL: 169.254.169.254 of @corp: holds the metadata address" in refused.stderr
    assert "CRITICAL: host.docker.internal of @corp: every port of this" in refused.stderr
    assert "`jailoc allow @corp --yes` does not ask" in refused.stderr
    assert home.config.read_text() == before
    said = home.run("allow", "@corp", "-w", "api", "--yes", **NOWHERE)
    assert said.status == 0
    assert "CRITICAL: may reach every port of this machine" in said.stderr
    assert "may reach a.example.com" in said.stderr


def test_a_day_that_is_over_opens_nothing_and_is_refused(home: User) -> None:
    before = home.config.read_text()
    refused = home.run("allow", "a.example.com", "--until", "2020-01-31", "-w", "api", **NOWHERE)
    assert "--until 2020-01-31 is over" in refused.stderr
    assert home.config.read_text() == before


def test_what_is_critical_can_be_agreed_to_beforehand(home: User) -> None:
    run(home, "allow", "10.0.0.0/8", "-w", "api", "--yes")
    assert "10.0.0.0/8" in home.config.read_text()


def test_in_a_terminal_the_commands_do_the_same(home: User) -> None:
    assert "added" in in_terminal(home, "add", "~/two", "-w", "api")
    assert "added" in in_terminal(home, "allow", "db:5432", "-w", "api")
    assert "valid, 2 workspaces" in in_terminal(home, "validate")
    home.config.unlink()
    assert "written" in in_terminal(home, "init")
    assert "valid, 1 workspace\r\n" in in_terminal(home, "validate")


@pytest.mark.parametrize(
    ("written", "shown"), [("1.2345678", "1.2345678"), ("2.0", "2"), ("0.5", "0.5"), ("3", "3")]
)
def test_a_number_is_shown_with_all_its_digits_and_no_more(
    user: User, written: str, shown: str
) -> None:
    user.write(f"[workspaces.a]\ncpu = {written}\n")
    lines = user.run("config", "a").stdout.splitlines()
    assert [line.split("#")[0].strip() for line in lines if line.startswith("cpu")] == [
        f"cpu = {shown}"
    ]


def test_a_host_with_a_blank_in_it_is_no_host(user: User) -> None:
    user.write("[workspaces.a]\n")
    refused = user.run("allow", "a.example.com b.example.com", "-w", "a")
    assert "[host-blank]" in refused.stderr
    assert user.config.read_text() == "[workspaces.a]\n"


def test_the_sandboxs_own_loopback_is_not_taken_for_the_machines(user: User) -> None:
    user.write("[workspaces.a]\n")
    assert "the sandbox's own" in user.run("explain", "127.0.0.1:8099").stderr
    assert "the sandbox's own" not in user.run("explain", "10.0.0.1:8099").stderr


def test_the_file_that_the_first_change_makes_is_named(user: User) -> None:
    said = user.ok("allow", "a.example.com")
    assert f"{user.config}: written\n" in said
    assert "written" not in user.ok("allow", "b.example.com")
