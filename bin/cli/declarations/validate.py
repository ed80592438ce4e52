"""What `validate` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


@app.command
def validate(file: str | None = None, /, *, json: Switch = False) -> int:
    """Check a configuration and report every problem in it.

    Example: jailoc validate config.toml --json

    Parameters
    ----------
    file
        The file to check; the configuration in use by default.
    json
        Write the diagnostics as JSON.
    """
    from jailoc.bin.commands import validate as body

    return body.run(session(config=file), json)
