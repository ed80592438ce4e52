"""What a command line did wrong, in one line: the cases that cyclopts puts for programmers."""

from collections.abc import Iterable
from pathlib import Path

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)
from cyclopts.argument import Argument

from jailoc.bin.cli import command_line
from jailoc.model import text
from jailoc.model.diagnostic import Diagnostic


def diagnose(error: CycloptsError) -> Diagnostic:
    """Say what is wrong with a command line, what is allowed, and where to read on."""
    path = command_line.read(tuple(error.command_chain or ())).path
    hint = f"run `{' '.join(['jailoc', *path, '--help'])}`"
    words: tuple[str, ...] = tuple(error.unused_tokens or ())
    if isinstance(error, UnknownOptionError):
        words = (error.token.keyword or error.token.value,)
    match error:
        case UnknownCommandError() if words and not words[0].startswith("-"):
            known = command_line.commands(path)
            message = f"there is no command `{words[0]}`{_meant(words[0], known)}"
            return _usage(message, hint, ", ".join(known))
        case UnknownCommandError() | UnknownOptionError() | UnusedCliTokensError() if words:
            if mistyped := _mistyped(error, path):
                return mistyped
            option = next((each for each in words if each.startswith("-")), None)
            if option is not None:
                name = option.partition("=")[0]
                every = command_line.CommandLine(path).options()
                named = [*command_line.HELP, *(() if path else command_line.VERSION)]
                named += [one for each in every for one in each.names]
                return _usage(f"unknown option `{name}`{_meant(name, named)}", hint)
            most = sum(not each.is_option for each in command_line.arguments(path))
            got = f"at most {most} accepted, {most + len(words)} received"
            return _usage(f"too many arguments, from `{words[0]}` on: {got}", hint)
        case CoercionError() | ValidationError() | MissingArgumentError() if error.argument:
            return _value(error, path, error.argument, hint)
        case ValidationError() if error.exception_message:
            return _usage(error.exception_message, hint)  # of one of our own validators
    command = " ".join(["jailoc", *path])
    return _usage(f"what follows `{command}` cannot be understood", hint)


def _value(
    error: CycloptsError, path: command_line.Path, argument: Argument, hint: str
) -> Diagnostic:
    """Say what is wrong with the value of an argument, or that it has none."""
    tokens = argument.tokens
    keyword = next((each.keyword for each in reversed(tokens) if each.keyword), None)
    name = keyword or getattr(error, "keyword", None) or argument.name
    token = getattr(error, "token", None) or next(iter(reversed(tokens)), None)
    every = (*command_line.arguments(path), *command_line.shared())
    known = next(each for each in every if each.field == argument.field_info.name)
    allowed = ", ".join(known.choices) or _ALLOWED.get(known.kind)
    if isinstance(error, MissingArgumentError):
        given = {each.partition("=")[0] for each in error.root_input_tokens or ()}
        if given & {*known.names}:
            return _usage(f"{name} needs a value", hint, allowed)
        example = command_line.example(path)
        shown = f"{hint}, or see `{example}`" if example else hint
        return _usage(f"{name} is missing", shown, allowed)
    if isinstance(error, ValidationError):
        allowed = error.exception_message  # of one of our own validators
    value = token.value if token else ""
    if not known.takes_value:
        return _usage(f"`{name}` takes no value, and has `{value}`", hint)
    meant = _meant(value, known.choices)
    return _usage(f"`{value}` is no value for {name}{meant}", hint, allowed)


_ALLOWED = {
    "int": "a whole number",
    "float": "a number",
    "date": "a date, such as 2027-01-31",
}


_OTHER_WORDS = {
    **dict.fromkeys(("deny", "disallow", "revoke", "unallow"), "allow --remove"),
    **dict.fromkeys(("start", "run"), "up"),
    **dict.fromkeys(("halt", "stop"), "down"),
    **dict.fromkeys(("delete", "remove", "rm"), "destroy"),
    **dict.fromkeys(("attach", "enter", "ssh"), "shell"),
    **dict.fromkeys(("list", "ls", "ps"), "status"),
}
"""What others call a command, where jailoc has none of that name."""


def _meant(word: str, known: Iterable[str]) -> str:
    """Suggest what is near to a word."""
    other, every = _OTHER_WORDS.get(word, ""), [*known]
    if other.partition(" ")[0] in every:
        return f", did you mean `{other}`?"
    question = text.meant(word, every)
    return f", {question}" if question else ""


def _mistyped(error: CycloptsError, path: command_line.Path) -> Diagnostic | None:
    """Return what is wrong where a command's name is, and what follows it was taken for more words.

    jailoc itself and `snapshot` do something without a command, so that the first word of a
    mistyped one is taken for what they do it to.
    """
    known = command_line.commands(path)
    given = command_line.read(error.root_input_tokens or ()).positionals
    if not given or not text.near(given[0], known) or Path(given[0]).exists():
        return None
    words = f"`{given[0]}`{_meant(given[0], known)}"
    return _usage(f"there is no command {words}", f"run `{' '.join(['jailoc', *path, '--help'])}`")


def _usage(message: str, hint: str, allowed: str | None = None) -> Diagnostic:
    return Diagnostic(code="usage", message=message, allowed=allowed, hint=hint)
