"""Commands that change what runs."""

from jailoc.bin.app import Options, app, terminal


@app.command
def up(workspace: str | None = None, /) -> int:
    """Start a workspace and wait until its server answers.

    Example: jailoc up api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin import lifecycle

    return lifecycle.up(terminal(), Options.config, workspace or Options.workspace)


@app.command
def down(workspace: str | None = None, /) -> int:
    """Stop a workspace: its containers and network go, its volumes stay.

    Example: jailoc down api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin import lifecycle

    return lifecycle.down(terminal(), Options.config, workspace or Options.workspace)
