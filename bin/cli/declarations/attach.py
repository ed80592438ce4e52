"""What `jailoc` without a command takes, and its help."""

from typing import Annotated

from cyclopts import ArgumentCollection, Group, Parameter

from jailoc.bin.cli.app import Switch, app
from jailoc.bin.cli.app import session as new_session


def _only_one(given: ArgumentCollection) -> None:
    names = [each.name for each in given if each.tokens]
    if len(names) > 1:
        raise ValueError(f"{' and '.join(names)} are mutually exclusive")


_WHERE = Group(validator=_only_one)
_SESSION = Group(validator=_only_one)


@app.default
def attach(
    path: str | None = None,
    /,
    *,
    directory: Annotated[str | None, Parameter(name="--dir")] = None,
    session: Annotated[str | None, Parameter(name=["--session", "-s"], group=_SESSION)] = None,
    resume: Annotated[Switch, Parameter(name=["--continue", "-c"], group=_SESSION)] = False,
    remote: Annotated[Switch, Parameter(group=_WHERE)] = False,
    exec: Annotated[Switch, Parameter(group=_WHERE)] = False,  # noqa: A002 -- the flag's name
) -> int:
    """Attach to the workspace of a directory: start it if needed, wait, open OpenCode.

    Example: jailoc ~/src/api --continue

    Parameters
    ----------
    path
        The directory; the current one by default. What is no command's name is a path.
    directory
        The directory, as an option.
    session
        Open this session.
    resume
        Open the last session.
    remote
        Use the host's OpenCode.
    exec
        Use the OpenCode in the sandbox.
    """
    from jailoc.bin.cli.command_line import HELP, VERSION
    from jailoc.bin.commands import attach as body
    from jailoc.generators.attach.client import AttachMode, Request
    from jailoc.model.diagnostic import Refused, refuse
    from jailoc.model.text import near

    if path is not None and directory is not None:
        raise refuse("usage", "--dir and PATH are mutually exclusive", hint="give one of them")
    if path in set(app):
        raise refuse(
            "usage",
            f"`{path}` is a command, and its own options come after it",
            hint=f"write `./{path}` for the directory",
        )
    made = new_session()
    mode = AttachMode.REMOTE if remote else AttachMode.EXEC if exec else None
    option = "--dir" if path is None else ""
    request = Request(
        path=path or directory, option=option, session=session, resume=resume, mode=mode
    )
    try:
        return body.run(made, request)
    except Refused as error:
        if path is None or "/" in path or error.diagnostics[0].code != "directory":
            raise
        flag = f"--{path}"
        known = [each for each in app if each[0] != "-"]
        close = flag if flag in (*HELP, *VERSION) else near(path, known)
        hint = f"did you mean `jailoc {close}`?" if close else "nor is it a command's name"
        if path in {"resume", "unpause"}:
            hint = "a halted agent goes on by itself when the command of `jailoc pause` ends"
        first = error.diagnostics[0].model_copy(update={"hint": hint})
        raise Refused((first,)) from None
