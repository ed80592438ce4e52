"""What people see cannot be steered by what is shown."""

import io
import json
import os
import pty
import re
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.bin.commands import verify
from jailoc.bin.deploy import announcement
from jailoc.bin.terminal.terminal import Terminal, visible
from jailoc.generators.runtime.verify import Check
from jailoc.model.diagnostic import Diagnostic, Position, Severity
from jailoc.model.document import Document
from tests.engine.world import User, home
from tests.programs import environment


def test_a_control_character_is_shown_and_never_sent() -> None:
    shown = visible("a\x1b[2J\x07\x7f\x9b\u202eb\tc")
    assert shown == "a\u241b[2J\u2407\u2421\ufffd\ufffdb\tc"


def test_a_hostile_value_in_an_error_stays_on_its_line(user: User) -> None:
    user.write('[workspaces.a]\nenv = ["\\u001b[2J\\nError: all is well"]\n')
    message = user.run("validate").stderr
    assert "\x1b" not in message
    assert message.count("\nError: ") == 0


NAME = "a\x1b]0;T\x07b\nError: c\u202ed"


@pytest.mark.parametrize(
    "words",
    [
        ("add", "-w", "a"),
        ("init", "--config", "x/config.toml"),
        ("config", "--config", "own.toml"),
        ("config", "a", "--config", "own.toml"),
        ("validate", "--config", "own.toml"),
        ("allow", "example.com", "-w", "a", "--config", "own.toml"),
        ("explain", "a", "example.com", "--config", "own.toml"),
        ("render", "a", "--config", "own.toml"),
    ],
)
def test_no_command_sends_a_name_of_a_file_to_the_terminal_as_it_is(words: tuple[str, ...]) -> None:
    text = '[workspaces.a]\npaths = ["~/other"]\n'
    with home("named") as user:
        there = user.home / NAME
        (there / "x").mkdir(parents=True)
        (user.home / "other").mkdir()
        (there / "own.toml").write_text(text)
        user.write(text)
        found = replace(user, at=there).run(*words)
    for shown in (found.stdout, found.stderr):
        assert not re.search("[\x1b\x07\u202e]", shown)
        assert "\nError: c" not in shown
    if words[0] in {"add", "init", "validate"}:
        # The control: it is the name that is shown.
        assert "a\u241b]0;T\u2407b\u240aError: c\ufffdd" in found.stdout, found.stderr


@pytest.mark.parametrize("colors", [False, True])
def test_a_result_has_its_lines_and_its_own_colours_and_steers_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, colors: bool
) -> None:
    monkeypatch.setattr(Terminal, "colors", colors)
    Terminal().result("a\tb\n\x1b[1mc\x1b[0m \x1b]0;T\x07\x1b[2J\x9b\r")
    start, end = ("\x1b[1m", "\x1b[0m") if colors else ("\u241b[1m", "\u241b[0m")
    assert capsys.readouterr().out == (
        f"a\tb\n{start}c{end} \u241b]0;T\u2407\u241b[2J\ufffd\u240d\n"
    )


def test_the_marker_stands_under_the_character(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().diagnose(
        [
            Diagnostic(
                code="x",
                message="bad",
                file="f",
                position=Position(line=12, column=4),
                text="\täb!",
            )
        ]
    )
    error, source, marker = capsys.readouterr().err.splitlines()
    assert error == "Error: f:12:4: bad [x]"
    assert source == "  12 | \täb!"
    assert marker == "     | \t  ^"


def test_a_line_of_which_there_is_more_to_say_is_shown_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def told(line: int, column: int) -> Diagnostic:
        place = Position(line=line, column=column)
        return Diagnostic(code="x", message="bad", file="f", position=place, text=f"text {line}")

    Terminal().diagnose([told(1, 1), told(1, 3), told(2, 1), told(1, 1)])
    assert capsys.readouterr().err.splitlines() == [
        "Error: f:1:1: bad [x]", "  1 | text 1", "    | ^",
        "Error: f:1:3: bad [x]",
        "Error: f:2:1: bad [x]", "  2 | text 2", "    | ^",
        "Error: f:1:1: bad [x]", "  1 | text 1", "    | ^",
    ]  # fmt: skip


def shown(user: User, out: bool, err: bool, *arguments: str, **more: str) -> tuple[str, str]:
    """Run jailoc with a terminal or a pipe for each of its streams; return what each got."""
    pairs = [pty.openpty() if terminal else os.pipe() for terminal in (out, err)]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "jailoc.bin", *arguments], stdin=subprocess.DEVNULL,
        stdout=pairs[0][1], stderr=pairs[1][1],
        env=environment(user, CI="1") | more,
    ):  # fmt: skip
        for _, writing in pairs:
            os.close(writing)
        return read(pairs[0][0]), read(pairs[1][0])


@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "C.UTF-8"}])
def test_a_terminal_that_reads_single_bytes_gets_numbers_for_others(locale: dict[str, str]) -> None:
    # Its sign for ESC is a control sequence to it, too: U+241B ends in 0x9B (ECMA-48, CSI).
    with home("named") as user:
        user.write('[workspaces.a]\nenv = ["\\u06db2h\\u001b"]\n')
        out, err = shown(user, True, True, "validate", **locale)
    assert "Error" in err, out
    if "UTF-8" in locale.get("LANG", ""):
        assert "\u06db2h" in err, "the control"
    else:
        assert err.isascii()
        assert "\\u06db2h" in err


def read(descriptor: int) -> str:
    """Read to the end, which a terminal reports as an error."""
    parts: list[bytes] = []
    with suppress(OSError):
        while part := os.read(descriptor, 4096):
            parts.append(part)
    os.close(descriptor)
    return b"".join(parts).decode()


COLORFUL = """
[workspaces.api]
allowed_hosts = [{ to = "example.com", until = 2020-01-01 }]
"""


@pytest.mark.parametrize(("out", "err"), [(True, True), (True, False), (False, True)])
def test_colours_are_decided_by_standard_output_and_never_go_into_a_file(
    user: User, out: bool, err: bool
) -> None:
    # Warnings are talk, headings are results: `config` has both.
    user.write(COLORFUL)
    result, talk = shown(user, out, err, "config", FORCE_COLOR="1", CLICOLOR_FORCE="1")
    assert ("\x1b[" in result) == out
    assert "Warning:" in talk
    assert ("\x1b[" in talk) == (out and err)


@pytest.mark.parametrize(
    ("arguments", "more"),
    [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
)
def test_colours_can_be_switched_off(
    user: User, arguments: list[str], more: dict[str, str]
) -> None:
    user.write(COLORFUL)
    for command in ("config", "up", "--help", "bogus"):
        result, talk = shown(user, True, True, command, *arguments, **more)
        assert "\x1b" not in result + talk
        assert result + talk


def test_an_empty_no_color_is_none(user: User) -> None:
    assert "\x1b[" in shown(user, True, True, "--help", NO_COLOR="")[0]


@given(st.text())
def test_json_holds_every_text_and_no_character_that_steers_a_terminal(text: str) -> None:
    terminal = Terminal()
    for write in (terminal.data, terminal.line):
        out = io.StringIO()
        with redirect_stdout(out):
            write({"text": text})
        assert json.loads(out.getvalue()) == {"text": text}
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out.getvalue())


def test_what_verify_found_inside_is_shown_as_signs(capsys: pytest.CaptureFixture[str]) -> None:
    place = "/mnt/\x1b[2J\x9b31m"
    check = Check(kind="mount", subject=place, expected="nothing", found="rw", ok=False)
    verify._table(Terminal(), Document("", "config.toml"), [check])
    assert "/mnt/\u241b[2J\ufffd31m" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\u202eb", "a\\u202eb"), ("\u2028", "\\u2028"), ("\x1b]0;x\x07", "\\u001b]0;x\\u0007"),
        ("\x9b\x7f", "\\u009b\\u007f"), ("\ufeff\u200b\u2066", "\\ufeff\\u200b\\u2066"),
        ("\U000e0041", "\\udb40\\udc41"), ("\udcff", "\\udcff"), ("a\nb\rc", "a\\nb\\rc"),
        ("\u00e9\u6f22\U0001f41a", "\u00e9\u6f22\U0001f41a"),
    ],
)  # fmt: skip
def test_nothing_in_json_steers_a_terminal_and_all_of_it_is_there(
    text: str, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for write in (Terminal(color=False).data, Terminal(color=False).line):
        write({"name": text})
        out = capsys.readouterr().out
        assert f'"{written}"' in out
        assert json.loads(out) == {"name": text}
        assert all(char == "\n" or char.isprintable() for char in out)


def test_what_was_meant_is_told_before_all_that_would_be_allowed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = Diagnostic(code="x", message="m", allowed="a, b", hint="did you mean `a`?")
    Terminal().diagnose([told, told.model_copy(update={"hint": "remove it"})])
    assert capsys.readouterr().err.splitlines() == [
        "Error: m [x]", "  hint: did you mean `a`?", "  allowed: a, b",
        "Error: m [x]", "  allowed: a, b", "  hint: remove it",
    ]  # fmt: skip


def test_what_one_run_gathers_twice_it_tells_once(capsys: pytest.CaptureFixture[str]) -> None:
    """`restart` reads everything again once nothing of the agent's runs."""
    terminal, told = Terminal(), Diagnostic(code="x", message="m", severity=Severity.WARNING)
    for mine in (terminal, terminal.prefixed("api: "), terminal):
        mine.diagnose([told], once=True)
        announcement.tell_password(mine, "OPENCODE_SERVER_PASSWORD")
    err = capsys.readouterr().err
    assert (err.count("[x]"), err.count("becomes the server's password")) == (1, 1)
