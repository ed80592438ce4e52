"""What `refresh` takes, and its help."""

from jailoc.bin.cli.app import app, session


@app.command
def refresh(workspace: str | None = None, /) -> int:
    """Reload the firewall of a running workspace, names looked up anew; nothing is restarted.

    Example: jailoc refresh api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import refresh as body

    return body.run(session(workspace))
