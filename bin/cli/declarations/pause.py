"""What `pause` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli import program
from jailoc.bin.cli.app import app, session


# The parser would swallow what tells the workspace and the command apart.
@app.command(end_of_options_delimiter="")
def pause(
    workspace: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
) -> int:
    """Run a command of this machine while the agent is halted, and pass its exit status on.

    Example: jailoc pause -- git checkout main

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    command
        After --, the command and its own arguments.
    """
    from jailoc.bin.commands import pause as body

    named, words = program.split("pause", workspace, command)
    return body.run(session(named), words)
