"""What `restart` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def restart(
    workspace: str | None = None,
    /,
    *,
    all: Switch = False,  # noqa: A002 -- the flag's name
) -> int:
    """Stop a workspace and start it again; it is checked and built before it is stopped.

    Example: jailoc restart api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    all
        Every workspace and task that runs, one after the other.
    """
    from jailoc.bin.commands import restart as body

    return body.run_all(session(workspace)) if all else body.run(session(workspace))
