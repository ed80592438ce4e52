"""What `init` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def init(*, here: Switch = False) -> int:
    """Write a commented starter configuration; one that is there stays as it is.

    Example: jailoc init --here

    Parameters
    ----------
    here
        Make a workspace for the current directory, and call it like that; one more where there is a
        configuration.
    """
    from jailoc.bin.commands import init as body

    return body.run(session(), here)
