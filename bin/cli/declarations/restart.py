"""What `restart` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import app, session

Ignore = Annotated[tuple[str, ...], Parameter(negative=())]


@app.command
def restart(workspace: str | None = None, /) -> int:
    """Stop a workspace and start it again; it is checked and built before it is stopped.

    Example: jailoc restart api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import restart as body

    return body.run(session(workspace))
