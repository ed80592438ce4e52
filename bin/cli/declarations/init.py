"""What `init` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def init(*, here: Switch = False) -> int:
    """Write a commented starter configuration; an existing one is never touched.

    Example: jailoc init --here

    Parameters
    ----------
    here
        Make its workspace one for the current directory, and call it like that.
    """
    from jailoc.bin.commands import init as body

    return body.run(session(), here)
