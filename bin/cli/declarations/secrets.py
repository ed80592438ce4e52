"""What `secrets` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import TargetName, app, session


@app.command
def secrets(
    workspace: str | None = None,
    /,
    *,
    target: Annotated[TargetName, Parameter(required=True)],
) -> int:
    """Write a workspace's secrets as a Secret for a cluster, to a pipe and to nothing else.

    Example: jailoc secrets api --target kubernetes | kubectl --context team apply -f -

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    target
        What they are for.
    """
    from jailoc.bin.commands import secrets as body

    return body.run(session(workspace), target)
