"""What `status` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def status(
    workspace: str | None = None,
    /,
    *,
    all_users: Switch = False,
    watch: Switch = False,
    json: Switch = False,
) -> int:
    """Show the state of every workspace in a table, or of one with all details.

    Example: jailoc status --watch

    Parameters
    ----------
    workspace
        The workspace to show; all by default.
    all_users
        Show the workspaces of other users of this engine, too.
    watch
        Look again every two seconds, until interrupted.
    json
        Write JSON; with --watch one object a line.
    """
    from jailoc.bin.commands import status as states

    return states.run(session(workspace), json, watch, all_users)
