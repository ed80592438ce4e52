"""What `exec` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import app, session

_END = "--"


# The parser would swallow what tells the workspace and the command apart.
@app.command(end_of_options_delimiter="")
def exec(  # noqa: A001 -- the command's name
    workspace: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
) -> int:
    """Run a command in a running sandbox as its agent, and pass its exit status on.

    Example: jailoc exec api -- npm test

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    command
        After --, the command and its own arguments.
    """
    from jailoc.bin.commands import exec as body
    from jailoc.model.diagnostic import refuse

    words = [each for each in (workspace, *command) if each is not None]
    before = words[: words.index(_END)] if _END in words else words
    after = words[len(before) + 1 :]
    option = next((each for each in before if each.startswith("-")), None)
    if option is not None or len(before) > 1 or not after:
        problem = (
            f"`{option}` is no option of `exec`"
            if option is not None
            else "a command comes after `--`, and at most the workspace before it"
        )
        usage = "jailoc exec [WORKSPACE] -- COMMAND [ARGUMENT...]"
        raise refuse("usage", problem, allowed=usage)
    return body.run(session(next(iter(before), None)), after)
