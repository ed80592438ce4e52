"""What `render` takes, and its help."""

from jailoc.bin.cli.app import Switch, TargetName, app, session, wanted


@app.command
def render(
    *workspaces: str,
    out: str | None = None,
    json: Switch = False,
    native: Switch = False,
    target: TargetName | None = None,
) -> int:
    """Write the generated files, without an engine and without changing anything else.

    In a directory they are the same for everybody who has the configuration; printed, or with
    --native, they are those of this machine.

    Example: jailoc render --out build

    Parameters
    ----------
    workspaces
        Workspaces to render; all by default.
    out
        Directory to write to, one folder a workspace; standard output by default.
    json
        Write one JSON document instead.
    native
        Write this machine's own files to the directory.
    target
        Write the objects of a Kubernetes cluster instead, as [kubernetes] names one.
    """
    if target is not None:
        from jailoc.bin.commands import render_cluster

        return render_cluster.run(session(), wanted(workspaces), out, other=json or native)
    from jailoc.bin.commands import render as body

    return body.run(session(), wanted(workspaces), out, json, native)
