"""What `init` takes, and its help."""

from jailoc.bin.cli.app import app, session


@app.command
def init() -> int:
    """Write a commented starter configuration; an existing one is never touched.

    Example: jailoc init
    """
    from jailoc.bin.commands import init as body

    return body.run(session())
