"""What `down` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def down(
    workspace: str | None = None,
    /,
    *,
    all: Switch = False,  # noqa: A002 -- the flag's name
    volumes: Switch = False,
) -> int:
    """Stop a workspace: its containers and network go, its volumes stay unless named.

    Example: jailoc down api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    all
        Every workspace and task, and those that left the configuration.
    volumes
        Remove its volumes, too: what its agent has kept is lost.
    """
    from jailoc.bin.commands import down as body

    made = session(workspace)
    return body.run_all(made, volumes) if all else body.run(made, volumes)
