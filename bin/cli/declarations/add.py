"""What `add` takes, and its help."""

from jailoc.bin.cli.app import app, session


@app.command
def add(directory: str | None = None, /) -> int:
    """Add a directory to a workspace; a running one gets it at once, and its agent begins anew.

    Example: jailoc add ~/src/api --workspace api

    Parameters
    ----------
    directory
        The directory; the current one by default.
    """
    from jailoc.bin.commands import add as body

    return body.run(session(), directory)
