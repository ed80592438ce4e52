"""Commands that ask, prove and renew the firewall."""

from jailoc.bin.cli.app import Follow, Switch, app, session


@app.command
def explain(
    first: str,
    second: str | None = None,
    /,
    *,
    json: Switch = False,
) -> int:
    """Say whether a host, address or network is open, by which rule and from which line.

    Example: jailoc explain api 10.1.2.3:5432

    Parameters
    ----------
    first
        The workspace; left out, it is the one of the current directory.
    second
        HOST, ADDRESS or NETWORK, with :PORT or without.
    json
        Write JSON.
    """
    from jailoc.bin.commands import explain as questions

    workspace, target = (first, second) if second else (None, first)
    return questions.run(session(workspace), target, json)


@app.command
def verify(
    workspace: str | None = None,
    /,
    *,
    all: Switch = False,  # noqa: A002 -- the flag's name
    json: Switch = False,
) -> int:
    """Compare a running workspace with its model, from inside; exit status 2 if they differ.

    Example: jailoc verify api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    all
        Show every check, not only those that differ.
    json
        Write JSON.
    """
    from jailoc.bin.commands import verify as checks

    return checks.run(session(workspace), json, all)


@app.command
def blocked(
    workspace: str | None = None,
    /,
    *,
    follow: Follow = False,
    json: Switch = False,
) -> int:
    """Show what a running workspace was refused, how often, when last, and what would open it.

    Example: jailoc blocked api --follow

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    follow
        Go on, and show what is refused from now on, until interrupted.
    json
        Write JSON; with --follow one object a line.
    """
    from jailoc.bin.commands import blocked as refusals

    return refusals.run(session(workspace), follow, json)


@app.command
def refresh(workspace: str | None = None, /) -> int:
    """Reload the firewall of a running workspace, names looked up anew; nothing is restarted.

    Example: jailoc refresh api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import refresh as body

    return body.run(session(workspace))
