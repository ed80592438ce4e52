"""What `config` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def config(workspace: str | None = None, /, *, json: Switch = False) -> int:
    """Show what is in effect after merging, each value with the entry it came from.

    Example: jailoc config api

    Parameters
    ----------
    workspace
        The workspace to show; all by default.
    json
        Write JSON.
    """
    from jailoc.bin.commands import config as body

    return body.run(session(workspace), json)
