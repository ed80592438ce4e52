"""What `shell` takes, and its help."""

from jailoc.bin.cli.app import app, session


@app.command
def shell(workspace: str | None = None, /) -> int:
    """Open a shell in a running sandbox as its agent, with its secrets.

    Example: jailoc shell api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import exec as body

    return body.run(session(workspace), body.SHELL)
