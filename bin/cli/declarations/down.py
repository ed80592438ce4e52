"""What `down` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import app, session

Ignore = Annotated[tuple[str, ...], Parameter(negative=())]


@app.command
def down(workspace: str | None = None, /) -> int:
    """Stop a workspace: its containers and network go, its volumes stay.

    Example: jailoc down api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import down as body

    return body.run(session(workspace))
