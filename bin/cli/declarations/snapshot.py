"""What `snapshot` and the command below it take, and their help."""

from cyclopts import App

from jailoc.bin.cli.app import Switch, app, session

snapshot = App(
    name="snapshot",
    help="""Keep what a workspace's paths hold now, so that `undo` can return to it.

    Ignored files are kept, too. How many are kept, how long, and what is left out stands in
    [workspaces.NAME.snapshots].

    Example: jailoc snapshot api
    """,
    version_flags=(),
    help_flags=(),
)
app.command(snapshot)


@snapshot.default
def take(workspace: str | None = None, /) -> int:
    """Keep what a workspace's paths hold now.

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import snapshot as body
    from jailoc.model.diagnostic import Refused
    from jailoc.model.text import meant

    try:
        return body.take(session(workspace))
    except Refused as error:
        first, *others = error.diagnostics
        if first.code != "workspace-unknown" or first.hint or workspace is None:
            raise
        hint = meant(workspace, [each for each in snapshot if each[0] != "-"], "jailoc snapshot ")
        raise Refused((first.model_copy(update={"hint": hint}), *others)) from None


@snapshot.command(name="list")
def list_(workspace: str | None = None, /, *, json: Switch = False) -> int:
    """List the snapshots of a workspace, the newest last.

    Example: jailoc snapshot list api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    json
        Write JSON.
    """
    from jailoc.bin.commands import snapshot as body

    return body.show(session(workspace), json)
