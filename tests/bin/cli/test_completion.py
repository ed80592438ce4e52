"""Completion, asked of real shells, and of the answers that they are given."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.bin.cli import command_line, completion
from jailoc.generators.assets import asset
from jailoc.model.sandbox import AGENT, PROXY, SIDECAR, WALL
from tests.engine.world import User
from tests.programs import environment, need

CONFIG = """
[workspaces.api]
[workspaces.app-two]
[workspaces.web]
[workspaces."$(touch pwned)"]
[workspaces."two words"]
"""
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def person(user: User) -> User:
    """Somebody with workspaces, files, and a `jailoc` on their path."""
    user.write(CONFIG)
    (user.home / "directory").mkdir()
    (user.home / "document.toml").touch()
    (user.home / "bin").mkdir()
    program = user.home / "bin/jailoc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m jailoc.bin "$@"\n')
    program.chmod(0o755)
    return user


def ask(user: User, *command: str) -> str:
    done = subprocess.run(
        command, env=environment(user, TERM="dumb"), cwd=user.home, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def bash(user: User, line: str, before: str = "") -> set[str]:
    """Complete a line as bash does, which takes words apart at `=` and `@`."""
    apart = line.replace("=", " = ").replace("@", "@ ").removesuffix("@ ") + "@" * line.endswith(
        "@"
    )
    words = " ".join(f"'{word}'" for word in apart.split(" "))
    script = f"""
        {before}
        source <(jailoc completion bash)
        COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _jailoc jailoc "${{COMP_WORDS[COMP_CWORD]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    need("bash")
    found = ask(user, "bash", "--norc", "-c", script).splitlines()
    return {each for each in found if each}


def fish(user: User, line: str) -> set[str]:
    need("fish")
    script = "jailoc completion fish | source; complete -C $argv[1]"
    found = ask(user, "fish", "--no-config", "-c", script, line).splitlines()
    return {each.partition("\t")[0] for each in found}


CASES = [
    ("jailoc up ", {"api", "app-two", "web"}),
    ("jailoc up ap", {"api", "app-two"}),
    ("jailoc down web ", set()),
    ("jailoc render api w", {"web"}),
    ("jailoc explain w", {"web"}),
    ("jailoc -w a", {"api", "app-two"}),
    ("jailoc logs --service ", {"firewall", "opencode", "dind", "proxy"}),
    ("jailoc ver", {"verify"}),
    ("jailoc help sta", {"status"}),
    ("jailoc completion ", set(SHELLS)),
    ("jailoc logs --f", {"--follow"}),
    ("jailoc --verb", {"--verbose"}),
]


@pytest.mark.parametrize(("line", "found"), CASES)
def test_bash_completes(person: User, line: str, found: set[str]) -> None:
    assert bash(person, line) == found


@pytest.mark.parametrize(("line", "found"), CASES)
def test_fish_completes(person: User, line: str, found: set[str]) -> None:
    assert fish(person, line) == found


def test_a_value_behind_an_equals_sign_is_completed(person: User) -> None:
    assert bash(person, "jailoc --workspace=w") == {"web"}
    assert bash(person, "jailoc --workspace=") == {"api", "app-two", "web"}
    assert fish(person, "jailoc --workspace=w") == {"--workspace=web"}


def test_what_comes_after_exec_is_the_commands_own(person: User) -> None:
    for line in ("jailoc exec api -- l", "jailoc exec -- a", "jailoc exec api -- ls --he"):
        assert bash(person, line) == set()
    assert bash(person, "jailoc exec a") == {"api", "app-two"}
    assert bash(person, "jailoc exec api ") == {"--"}
    assert bash(person, "jailoc exec api -- cat doc") == {"document.toml"}
    assert bash(person, "jailoc exec -- cat doc") == {"document.toml"}


def test_sets_of_hosts_are_completed(person: User) -> None:
    person.write(CONFIG + '[sets.git-own]\nabout = "x"\nhosts = ["git.example.com"]\n')
    assert {"@git-own", "@github"} <= bash(person, "jailoc allow @")
    assert bash(person, "jailoc allow @git-o") == {"@git-own"}
    assert bash(person, "jailoc allow -w web @git-o") == {"@git-own"}
    # Readline takes the sign for a part of the word, as only a terminal shows.
    with pexpect.spawn("bash", ["--norc", "-i"], env=environment(person, TERM="dumb", PS1="$ "),
                       cwd=str(person.home), timeout=30) as terminal:  # fmt: skip
        terminal.sendline("source <(jailoc completion bash); echo read''y")
        terminal.expect_exact("ready")
        terminal.send("jailoc allow @git-o\t")
        terminal.expect_exact("allow @git-own ")
    assert fish(person, "jailoc allow @git-o") == {"@git-own"}
    assert bash(person, "jailoc allow g") == set()


def test_a_bash_that_quotes_no_name_by_itself_runs_none(person: User) -> None:
    names = ("z$(touch hit)", "z`touch hit`", "z; touch hit", 'z"b', "z b")
    for each in names:
        (person.home / each).mkdir()
    found = bash(person, "jailoc add z", before="enable -n compopt")
    assert len(found) == len(names)
    inserted = "\n".join(f"printf '%s\\n' {each}" for each in sorted(found))
    assert {*ask(person, "bash", "--norc", "-c", inserted).splitlines()} == {*names}
    assert not (person.home / "hit").exists()
    newer = bash(person, "jailoc add z", before="compopt() { :; }")
    assert newer == {*names}, "one that quotes gets them as they are"
    assert bash(person, "jailoc add ~/d", before="enable -n compopt") == {"~/directory"}


def test_files_and_directories_are_the_shells_own_business(person: User) -> None:
    assert bash(person, "jailoc ./d") == {"./directory"}
    assert bash(person, "jailoc --dir d") == {"directory"}
    assert bash(person, "jailoc add d") == {"directory"}
    assert bash(person, "jailoc --config d") == {"directory", "document.toml"}
    assert fish(person, "jailoc add d") == {"directory/"}
    assert fish(person, "jailoc validate d") == {"directory/", "document.toml"}


ZSH = [
    ("jailoc up w", "jailoc up web"),
    ("jailoc ver", "jailoc verify"),
    ("jailoc --workspace=we", "jailoc --workspace=web"),
    ("jailoc logs --service op", "jailoc logs --service opencode"),
    ("jailoc logs --fol", "jailoc logs --follow"),
    ("jailoc add d", "jailoc add directory"),
    ("jailoc validate do", "jailoc validate document.toml"),
    ("jailoc down web ", "jailoc down web "),
]


@pytest.mark.parametrize("installed", [False, True])
def test_zsh_completes(person: User, installed: bool) -> None:
    need("zsh")
    if installed:  # as a file that compinit finds, not sourced
        (person.home / "functions").mkdir()
        (person.home / "functions/_jailoc").write_text(asset("completion.zsh"))
        setup = "fpath=(~/functions $fpath); autoload -U compinit; compinit -u -D"
    else:
        setup = "autoload -U compinit; compinit -u -D; source <(jailoc completion zsh)"
    shell = pexpect.spawn(
        "zsh", ["-f", "-i"], env=environment(person, TERM="dumb"), cwd=str(person.home),
        encoding="utf-8", timeout=30, dimensions=(50, 200),
    )  # fmt: skip
    try:
        shell.sendline(f"PS1='READY> '; unsetopt zle_bracketed_paste; {setup}; echo do''ne")
        shell.expect("done\r")
        shell.expect("READY> ")
        for typed, becomes in ZSH:
            # The line is printed, not run: its beginning becomes a word of `print`.
            shell.send(f"{typed}\t\x01print -r -- '\x05'\r")
            shell.expect(r"\n'?(jailoc [^\r\n]*)\r")
            assert isinstance(shell.match, re.Match)
            assert shell.match[1].rstrip("/ ") == becomes.rstrip()
            shell.expect("READY> ")
        shell.send("jailoc up \t")
        shell.expect(r"api +app-two +web")
    finally:
        shell.close(force=True)


@pytest.mark.parametrize("text", ["[workspaces", "workspaces = 3", "[workspaces]\n", "\xff" * 9])
def test_a_broken_configuration_completes_nothing_and_says_nothing(user: User, text: str) -> None:
    user.write("")
    user.config.write_bytes(text.encode("latin-1"))
    result = user.run("__complete", "up", "")
    assert (result.status, result.stdout, result.stderr) == (0, "words\n", "")


def test_names_come_from_the_configuration_that_is_named(user: User, tmp_path: Path) -> None:
    user.write("[workspaces.api]\n")
    other = tmp_path / "other.toml"
    other.write_text("[workspaces.other]\n")
    words = ("up", "")
    assert "api" in user.ok("__complete", *words)
    assert user.ok("__complete", "--config", str(other), *words) == "words\nother\n"
    assert user.run("__complete", *words, JAILOC_CONFIG=str(other)).stdout == "words\nother\n"


def test_a_pipe_in_the_place_of_the_configuration_holds_no_key_up(
    user: User, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    words = ["--workspace", ""]
    begun = time.monotonic()
    found = user.run("__complete", *words, JAILOC_CONFIG=str(tmp_path / "pipe"))
    assert (found.status, found.stdout) == (0, "words\n")
    assert time.monotonic() - begun < 20


def test_without_a_configuration_the_starters_workspace_is_there(user: User) -> None:
    assert user.ok("__complete", "up", "") == "words\ndefault\n"
    assert list(user.home.iterdir()) == []


def test_without_a_home_nothing_is_completed(user: User) -> None:
    result = user.run("__complete", "up", "", HOME="")
    assert (result.status, result.stdout, result.stderr) == (0, "words\n", "")


def test_the_services_are_those_that_there_are() -> None:
    assert set(completion.SERVICES) == {AGENT, PROXY, SIDECAR, WALL}


words = st.lists(
    st.sampled_from(["up", "logs", "-w", "--config", "--workspace=", "=", "--", "-", "--tail", "-f",
                     "golden", "help", "completion", "", "a", "--x=y", "./", "~"])
    | st.text(max_size=5),
    max_size=6,
)  # fmt: skip


@given(words)
def test_every_command_line_has_an_answer(line: list[str]) -> None:
    first, *candidates = completion.answer(line).split("\n")
    assert first in {"words", "files", "directories"}
    assert all(each.partition("\t")[0].isprintable() for each in candidates)


@given(words)
def test_every_command_line_can_be_read(line: list[str]) -> None:
    read = command_line.read(line)
    assert all(name in command_line.commands(read.path[:at]) for at, name in enumerate(read.path))
