"""What `exec` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli import program
from jailoc.bin.cli.app import app, session


# The parser would swallow what tells the workspace and the command apart.
@app.command(end_of_options_delimiter="")
def exec(  # noqa: A001 -- the command's name
    workspace: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
) -> int:
    """Run a command in a running sandbox as its agent, and pass its exit status on.

    What it leaves in the background ends with it.

    Example: jailoc exec api -- npm test

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    command
        After --, the command and its own arguments.
    """
    from jailoc.bin.commands import exec as body

    named, words = program.split("exec", workspace, command)
    return body.run(session(named), words)
