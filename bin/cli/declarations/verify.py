"""What `verify` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def verify(
    workspace: str | None = None,
    /,
    *,
    all: Switch = False,  # noqa: A002 -- the flag's name
    json: Switch = False,
) -> int:
    """Compare a running workspace with its model, from inside; exit status 2 if they differ.

    Example: jailoc verify api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    all
        Show every check, not only those that differ.
    json
        Write JSON.
    """
    from jailoc.bin.commands import verify as checks

    return checks.run(session(workspace), json, all)
