"""What `explain` takes, and its help."""

from jailoc.bin.cli.app import Options, Switch, app, session, terminal


@app.command
def explain(
    first: str,
    second: str | None = None,
    /,
    *,
    json: Switch = False,
) -> int:
    """Say whether a host, address or network is open, by which rule and from which line.

    The code of a message, such as mount-host, is explained instead where no workspace is named.

    Example: jailoc explain api 10.1.2.3:5432

    Parameters
    ----------
    first
        The workspace; left out, it is the one of the current directory.
    second
        HOST, ADDRESS or NETWORK, with :PORT or without; :PORT, what leads in there; or a code.
    json
        Write JSON.
    """
    from jailoc.bin.commands import explain as questions
    from jailoc.bin.commands import explain_code

    if second is None and Options.workspace is None and explain_code.known(first):
        return explain_code.run(terminal(), first, json)
    workspace, target = (first, second) if second else (None, first)
    return questions.run(session(workspace), target, json)
