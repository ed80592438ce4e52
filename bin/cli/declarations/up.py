"""What `up` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def up(
    workspace: str | None = None,
    /,
    *,
    all: Switch = False,  # noqa: A002 -- the flag's name
    pull: Switch = False,
) -> int:
    """Start a workspace and wait until its server answers.

    Example: jailoc up api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    all
        Every workspace and every task that runs, one after the other.
    pull
        Fetch the images anew that others are built on, or that are used as they are.
    """
    from jailoc.bin.commands import up as body

    return body.run_all(session(workspace), pull) if all else body.run(session(workspace), pull)
