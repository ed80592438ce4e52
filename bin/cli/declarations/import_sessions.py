"""What `import-sessions` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def import_sessions(workspace: str | None = None, /, *, yes: Switch = False) -> int:
    """Copy the sessions of the agent's earlier major version to where the present one looks.

    The workspace has to be stopped, and the present version must have none yet. What is copied
    stays where it was.

    Example: jailoc import-sessions api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    yes
        Do not ask.
    """
    from jailoc.bin.commands import import_sessions as body

    return body.run(session(workspace), yes)
