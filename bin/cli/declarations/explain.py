"""What `explain` takes, and its help."""

from jailoc.bin.cli.app import Switch, app, session


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
        HOST, ADDRESS or NETWORK, with :PORT or without; or :PORT, what leads in there.
    json
        Write JSON.
    """
    from jailoc.bin.commands import explain as questions

    workspace, target = (first, second) if second else (None, first)
    return questions.run(session(workspace), target, json)
