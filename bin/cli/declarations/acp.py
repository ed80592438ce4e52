"""What `acp` takes, and its help."""

from jailoc.bin.cli.app import app, session


@app.command
def acp(path: str | None = None, /) -> int:
    """Speak the Agent Client Protocol with an editor, for the agent of a running sandbox.

    An editor starts it; it filters what the agent asks of the editor. See docs/how-to.

    Example: jailoc acp ~/src/api

    Parameters
    ----------
    path
        The directory whose workspace is meant; the current one by default.
    """
    from jailoc.bin.commands import acp as body

    return body.run(session(), path)
