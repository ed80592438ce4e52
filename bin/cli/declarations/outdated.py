"""What `outdated` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def outdated(workspace: str | None = None, /, *, json: Switch = False) -> int:
    """Ask the registry which newer versions of the agents there are.

    Nothing is changed. An image that jailoc has built asks, as its build did.

    Example: jailoc outdated

    Parameters
    ----------
    workspace
        The workspace; all of them by default.
    json
        Write JSON.
    """
    from jailoc.bin.commands import outdated as body

    return body.run(session(workspace), json)
