"""What `schema` takes, and its help."""

from jailoc.bin.cli.app import app, terminal


@app.command
def schema(name: str = "config", /) -> int:
    """Print a JSON Schema by its name, such as config or compose; a wrong name shows them all.

    Example: jailoc schema config > jailoc.schema.json

    Parameters
    ----------
    name
        The schema; that of the configuration by default.
    """
    from jailoc.bin.commands import schema as body

    return body.run(terminal(), name)
