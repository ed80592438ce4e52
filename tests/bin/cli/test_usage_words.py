"""What is wrong with a command line is said in our own words, for each argument of each command."""

import ast
import importlib
import inspect

import cyclopts
import cyclopts.exceptions
import pytest

from jailoc.bin.cli import command_line, usage_errors
from jailoc.bin.cli.app import app
from tests.bin.cli.test_help import joined, paths

importlib.import_module("jailoc.bin.cli.launch")  # which knows every command

OURS = ("did you mean", "mutually exclusive")


def phrases() -> set[str]:
    """Return the pieces of text in what cyclopts makes its messages of."""
    tree = ast.parse(inspect.getsource(cyclopts.exceptions))
    documentation = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    }
    found = {
        node.value.strip(' .:"\n')
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        and node.value not in documentation and " " in node.value.strip()
    }  # fmt: skip
    return {each for each in found if 8 < len(each) < 60 and "\n" not in each}


PHRASES = phrases()


def told(words: list[str]) -> str | None:
    """Return what is said of a command line; nothing of it is run."""
    try:
        app.parse_args(words, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        found = usage_errors.diagnose(error)
        return "\n".join(filter(None, (found.message, found.allowed, found.hint)))
    return None


def wrong(path: command_line.Path, argument: command_line.Argument) -> list[list[str]]:
    """Return command lines that are wrong about one argument."""
    start = [*path]
    name = argument.names[0]
    if not argument.is_option:
        return [start, [*start, "x", "y", "z", "w"], [*start, ""]]
    if not argument.takes_value:
        return [[*start, f"{name}=x"], [*start, f"{name}="], [*start, f"{name}x"]]
    every = [[*start, name], [*start, f"{name}="], [*start, name, "x"], [*start, name, "-1"]]
    return [*every, [*start, name, "1.5"], [*start, name, "2027-13-01"], [*start, name, name]]


def test_the_phrases_are_those_of_the_library() -> None:
    assert len(PHRASES) > 15
    assert any("argument" in each.lower() for each in PHRASES)


@pytest.mark.parametrize("path", [(), *paths()], ids=joined)
def test_what_is_wrong_with_an_argument_is_said_in_our_own_words(path: command_line.Path) -> None:
    every = [[*path, "--nonsense"], [*path, "--nonsense=1"], [*path, "-Z"], [*path, "-Zf"]]
    for argument in command_line.arguments(path):
        every += wrong(path, argument)
    every += [[*path, *("x" * 9)], [*path, "-s", "a", "-c"], [*path, "--remote", "--exec"]]
    said = 0
    for words in every:
        message = told(words)
        said += message is not None
        for phrase in PHRASES if message else ():
            assert phrase not in (message or ""), (words, message)
    # These read their words themselves: after `--` each is the command's.
    assert said >= (0 if path in {("exec",), ("pause",)} else 4)


def test_options_that_exclude_each_other_are_named_however_they_were_written() -> None:
    for words in (["-s", "x", "-c"], ["--session", "x", "--continue"], ["--session=x", "-c"]):
        assert (told(words) or "").startswith("--session and --continue are mutually exclusive")
