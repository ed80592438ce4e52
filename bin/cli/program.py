"""The words of a command that runs a program: at most a workspace, `--`, the program."""

import shlex
from collections.abc import Sequence

_END = "--"
_NAMED = ("--workspace", "-w")


def split(
    path: str, workspace: str | None, command: Sequence[str]
) -> tuple[str | None, Sequence[str]]:
    """Return the workspace that is named, if one is, and the program with its arguments.

    Args:
        path: The command of jailoc.
        workspace: Its first word, which may be `--workspace`: what follows the command is its own.
        command: The others.

    Raises:
        Refused: there is an option, another word before `--`, or no program.
    """
    from jailoc.model.diagnostic import refuse

    words = [each for each in (workspace, *command) if each is not None]
    before = words[: words.index(_END)] if _END in words else words
    after = words[len(before) + 1 :]
    if before and before[0].startswith(f"{_NAMED[0]}="):
        before = [before[0].partition("=")[2], *before[1:]]
    elif len(before) > 1 and before[0] in _NAMED:
        before = before[1:]
    option = next((each for each in before if each.startswith("-")), None)
    if option is not None or len(before) > 1 or not after:
        problem = (
            f"`{option}` is no option of `{path}`"
            if option is not None
            else "a command comes after `--`, and at most the workspace before it"
        )
        usage = f"jailoc {path} [WORKSPACE] -- COMMAND [ARGUMENT...]"
        typed = shlex.join(words) if words and not words[0].startswith("-") else "COMMAND"
        hint = None if _END in words else f"jailoc {path} -- {typed}"
        raise refuse("usage", problem, allowed=usage, hint=hint)
    return next(iter(before), None), after
