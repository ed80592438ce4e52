"""Commands that look at what runs."""

from jailoc.bin.app import Follow, Options, Switch, app, terminal


@app.command
def status(workspace: str | None = None, /, *, json: Switch = False) -> int:
    """Show the state of every workspace, or of one.

    Example: jailoc status --json

    Parameters
    ----------
    workspace
        The workspace to show; all by default.
    json
        Write JSON.
    """
    from jailoc.bin import observe

    return observe.status(terminal(), Options.config, workspace or Options.workspace, json)


@app.command
def logs(
    workspace: str | None = None,
    /,
    *,
    follow: Follow = False,
    tail: int | None = None,
    service: str | None = None,
) -> int:
    """Show what the containers of a workspace wrote.

    Example: jailoc logs api --follow

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    follow
        Go on until interrupted.
    tail
        Number of lines to begin with; all by default.
    service
        Only this service: firewall, opencode or dind.
    """
    from jailoc.bin import observe

    return observe.logs(
        terminal(), Options.config, workspace or Options.workspace, follow, tail, service
    )
