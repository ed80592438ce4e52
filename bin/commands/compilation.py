"""Commands that need no engine: what the configuration becomes, and whether it is right."""

from jailoc.bin.app import Options, Switch, app, terminal


@app.command
def render(*workspaces: str, out: str | None = None, json: Switch = False) -> int:
    """Write the generated files, without an engine and without changing anything else.

    Example: jailoc render --out build

    Parameters
    ----------
    workspaces
        Workspaces to render; all by default.
    out
        Directory to write to, one folder a workspace; standard output by default.
    json
        Write one JSON document instead.
    """
    from jailoc.bin import files

    wanted = workspaces or ((Options.workspace,) if Options.workspace else ())
    return files.render(terminal(), Options.config, wanted, out, json)


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
    from jailoc.bin import files

    return files.validate(terminal(), file or Options.config, json)


@app.command
def schema(name: str = "config", /) -> int:
    """Print a JSON Schema by its name, such as config or compose; a wrong name shows them all.

    Example: jailoc schema config > jailoc.schema.json

    Parameters
    ----------
    name
        The schema; that of the configuration by default.
    """
    from jailoc.bin import files

    return files.schema(terminal(), name)
