"""What `up` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, app, session

Ignore = Annotated[tuple[str, ...], Parameter(negative=())]


@app.command
def up(workspace: str | None = None, /, *, pull: Switch = False) -> int:
    """Start a workspace and wait until its server answers.

    Example: jailoc up api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    pull
        Fetch the images anew that others are built on, or that are used as they are.
    """
    from jailoc.bin.commands import up as body

    return body.run(session(workspace), pull)
