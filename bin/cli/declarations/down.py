"""What `down` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, TargetName, app, session


@app.command
def down(
    workspace: str | None = None,
    /,
    *,
    all: Switch = False,  # noqa: A002 -- the flag's name
    volumes: Switch = False,
    target: TargetName | None = None,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
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
    target
        Remove it from the cluster that [kubernetes] names, after listing what goes and asking.
    yes
        Do not ask; without --target nobody is asked.
    """
    if target is not None:
        from jailoc.bin.commands import down_cluster

        return down_cluster.run(session(workspace), everything=all, volumes=volumes, yes=yes)
    from jailoc.bin.commands import down as body

    made = session(workspace)
    return body.run_all(made, volumes) if all else body.run(made, volumes)
