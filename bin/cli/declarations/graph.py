"""What `graph` takes, and its help."""

from typing import Literal

from jailoc.bin.cli.app import app, session


@app.command
def graph(
    workspace: str | None = None,
    /,
    *,
    format: Literal["mermaid", "svg", "terminal"] | None = None,  # noqa: A002 -- the flag's name
) -> int:
    """Draw who may reach what and which paths are mounted how, as it is compiled now.

    Example: jailoc graph api --format svg > api.svg

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    format
        A Mermaid flowchart for Markdown, an SVG picture, or text; text on a terminal, else Mermaid.
    """
    from jailoc.bin.commands import graph as pictures

    return pictures.run(session(workspace), format)
