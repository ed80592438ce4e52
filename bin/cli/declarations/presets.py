"""What `presets` and the command below it take, and their help."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from jailoc.bin.cli.app import Switch, app, session

presets = App(
    name="presets",
    help="""Show the sets of hosts that `allow` can name; read one from a package client.

    Example: jailoc presets list
    """,
    version_flags=(),
    help_flags=(),
)
app.command(presets)


@presets.command(name="list")
def list_(*, json: Switch = False) -> int:
    """List the sets of hosts that are shipped, and those of the configuration.

    Example: jailoc presets list

    Parameters
    ----------
    json
        Write JSON.
    """
    from jailoc.bin.commands import presets as body

    return body.listed(session(), json)


@presets.command
def show(name: str, /, *, json: Switch = False) -> int:
    """Show the hosts of a set, why they are in it, and where that is publicly said.

    Example: jailoc presets show github

    Parameters
    ----------
    name
        The set, with or without the @.
    json
        Write JSON.
    """
    from jailoc.bin.commands import presets as body

    return body.show(session(), name, json)


@presets.command(name="import")
def import_(
    client: Literal["npm", "pip", "apt", "cargo"],
    /,
    *,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
) -> int:
    """Write the registries of a package client's own configuration as a set, after showing it.

    Example: jailoc presets import npm

    Parameters
    ----------
    client
        The client, whose configuration on this machine is read.
    yes
        Do not ask.
    """
    from jailoc.bin.commands import presets as body

    return body.import_(session(), client, yes)
