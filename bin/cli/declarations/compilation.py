"""Commands that need no engine: what a configuration becomes, and whether it is right."""

from cyclopts import App

from jailoc.bin.cli.app import Switch, app, session, terminal, wanted


@app.command
def render(
    *workspaces: str, out: str | None = None, json: Switch = False, native: Switch = False
) -> int:
    """Write the generated files, without an engine and without changing anything else.

    In a directory they are the same for everybody who has the configuration; printed, or with
    --native, they are those of this machine.

    Example: jailoc render --out build

    Parameters
    ----------
    workspaces
        Workspaces to render; all by default.
    out
        Directory to write to, one folder a workspace; standard output by default.
    json
        Write one JSON document instead.
    native
        Write this machine's own files to the directory.
    """
    from jailoc.bin.commands import render as body

    return body.run(session(), wanted(workspaces), out, json, native)


golden = App(
    name="golden",
    help="""Keep generated files under review, such as in a repository.

    Example: jailoc golden check sandboxes/generated
    """,
    version_flags=(),
    help_flags=(),
)
app.command(golden)


@golden.command
def check(
    directory: str,
    /,
    *,
    diff: Switch = False,
    json: Switch = False,
    markdown: Switch = False,
) -> int:
    """Compare committed files with what the configuration becomes; exit status 2 if they differ.

    Says what the difference does: what becomes reachable, writable or allowed, or stops being.

    Example: jailoc golden check sandboxes/generated --config sandboxes/config.toml

    Parameters
    ----------
    directory
        Where `golden update` has written them.
    diff
        Show the difference of every file, too.
    json
        Write JSON.
    markdown
        Write Markdown, for a comment on a pull request.
    """
    from jailoc.bin.commands import golden as review

    style = review.style(json=json, markdown=markdown)
    return review.check(session(), directory, style, diff)


@golden.command
def update(directory: str, /, *, force: Switch = False) -> int:
    """Make committed files what the configuration becomes, and say what that changes.

    Example: jailoc golden update sandboxes/generated --config sandboxes/config.toml

    Parameters
    ----------
    directory
        Where they are, one folder a workspace; it is made where it is missing.
    force
        Do it although CI is set, where nobody reviews the difference.
    """
    from jailoc.bin.commands import golden as review

    return review.update(session(), directory, force)


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
