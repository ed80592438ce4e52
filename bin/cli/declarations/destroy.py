"""What `destroy` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, app, session, wanted


@app.command
def destroy(
    *workspaces: str,
    all: Switch = False,  # noqa: A002 -- the flag's name
    keep_volumes: Switch = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
    json: Switch = False,
) -> int:
    """Remove all that there is of a workspace, after listing it and asking.

    Its containers, network, volumes, images that only it used, password and generated files go; the
    configuration and your own directories stay.

    Example: jailoc destroy api --keep-volumes

    Parameters
    ----------
    workspaces
        Workspaces, also such as left the configuration; that of the current directory by default.
    all
        Every workspace and task, and those that left the configuration.
    keep_volumes
        Leave the volumes: what its agent has kept.
    yes
        Do not ask.
    json
        Write the list as JSON; without --yes nothing is removed.
    """
    from jailoc.bin.commands import destroy as body

    return body.run(
        session(), wanted(workspaces), everything=all, keep_volumes=keep_volumes, yes=yes,
        as_json=json,
    )  # fmt: skip
