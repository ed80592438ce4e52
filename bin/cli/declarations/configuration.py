"""Commands about the configuration file itself."""

from datetime import date

from jailoc.bin.cli.app import Switch, app, session


@app.command
def init() -> int:
    """Write a commented starter configuration; an existing one is never touched.

    Example: jailoc init
    """
    from jailoc.bin.commands import init as body

    return body.run(session())


@app.command
def config(workspace: str | None = None, /, *, json: Switch = False) -> int:
    """Show what is in effect after merging, each value with the entry it came from.

    Example: jailoc config api

    Parameters
    ----------
    workspace
        The workspace to show; all by default.
    json
        Write JSON.
    """
    from jailoc.bin.commands import config as body

    return body.run(session(workspace), json)


@app.command
def add(directory: str | None = None, /) -> int:
    """Add a directory to a workspace; a running one gets it at once.

    Example: jailoc add ~/src/api --workspace api

    Parameters
    ----------
    directory
        The directory; the current one by default.
    """
    from jailoc.bin.commands import add as body

    return body.run(session(), directory)


@app.command
def allow(target: str, /, *, why: str | None = None, until: date | None = None) -> int:
    """Let a workspace reach a host or a network, on every port or on one.

    Example: jailoc allow git.example.com:22 --workspace api

    Parameters
    ----------
    target
        HOST, *.HOST, ADDRESS or ADDRESS/LENGTH, each with :PORT or without.
    why
        A reason, for those who read the configuration.
    until
        The last day (UTC) on which it is open, such as 2027-01-31.
    """
    from jailoc.bin.commands import allow as body

    return body.run(session(), target, why, until)
