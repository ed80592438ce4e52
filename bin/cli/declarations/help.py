"""What `help` takes, and its help."""

from jailoc.bin.cli.app import app, terminal


@app.command(name="help")
def help_(*command: str) -> int:
    """Show what jailoc can do, or how a command is used.

    Example: jailoc help up

    Parameters
    ----------
    command
        The command; all by default.
    """
    from jailoc.bin.cli import help as manual

    terminal().result(manual.named(command))
    return 0
