"""What `explain` takes, and its help."""

from jailoc.bin.cli.app import Options, Switch, app, session, terminal


@app.command
def explain(
    workspace: str | None = None,
    target: str | None = None,
    /,
    *,
    json: Switch = False,
) -> int:
    """Say whether a host, address or network is open, by which rule and from which line.

    The code of a message, such as mount-host, is explained instead where no workspace is named.

    Example: jailoc explain api 10.1.2.3:5432

    Parameters
    ----------
    workspace
        The workspace; left out, it is the one of the current directory.
    target
        HOST, ADDRESS or NETWORK, with :PORT or without; :PORT, what leads in there; or a code.
    json
        Write JSON.
    """
    from jailoc.bin.commands import explain as questions
    from jailoc.bin.commands import explain_code

    if target is None:  # one word is what is asked about
        workspace, target = None, workspace
    if target is None:
        from jailoc.model.diagnostic import refuse

        raise refuse(
            "usage",
            "TARGET is missing",
            allowed="a host, address or network, with :PORT or without; :PORT; or a message's code",
            hint="such as `jailoc explain 10.1.2.3:5432`; run `jailoc explain --help`",
        )
    if workspace is None and Options.workspace is None and explain_code.known(target):
        return explain_code.run(terminal(), target, json)
    return questions.run(session(workspace), target, json)
