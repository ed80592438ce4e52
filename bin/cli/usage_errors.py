"""What a command line did wrong, in one line: the cases that cyclopts puts for programmers."""

import difflib
from collections.abc import Iterable

from cyclopts import CycloptsError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from jailoc.bin.cli import command_line
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
            option = next((each for each in words if each.startswith("-")), None)
            if option is not None:
                name = option.partition("=")[0]
                named = [
                    one for each in command_line.CommandLine(path).options() for one in each.names
                ]
                return _usage(f"unknown option `{name}`{_meant(name, named)}", hint)
            most = sum(not command_line.is_option(each) for each in command_line.arguments(path))
            got = f"at most {most} accepted, {most + len(words)} received"
            return _usage(f"too many arguments, from `{words[0]}` on: {got}", hint)
    return _usage(" ".join(str(error).split()), hint)


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean `{close[0]}`?" if close else ""


def _usage(message: str, hint: str, allowed: str | None = None) -> Diagnostic:
    return Diagnostic(code="usage", message=message, allowed=allowed, hint=hint)
