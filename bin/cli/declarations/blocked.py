"""What `blocked` takes, and its help."""

from jailoc.bin.cli.app import Follow, Switch, app, session


@app.command
def blocked(
    workspace: str | None = None,
    /,
    *,
    follow: Follow = False,
    json: Switch = False,
) -> int:
    """Show what a running workspace was refused, how often, when last, and what would open it.

    Example: jailoc blocked api --follow

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    follow
        Go on, and show what is refused from now on, until interrupted.
    json
        Write JSON; with --follow one object a line.
    """
    from jailoc.bin.commands import blocked as refusals

    return refusals.run(session(workspace), follow, json)
