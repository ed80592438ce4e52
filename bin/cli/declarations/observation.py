"""Commands that look at what runs."""

from typing import Annotated, Literal

from cyclopts import Parameter

from jailoc.bin.cli.app import Follow, Switch, app, session


def _from_zero(_type: object, value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError("0 or more")


@app.command
def status(workspace: str | None = None, /, *, watch: Switch = False, json: Switch = False) -> int:
    """Show the state of every workspace in a table, or of one with all details.

    Example: jailoc status --watch

    Parameters
    ----------
    workspace
        The workspace to show; all by default.
    watch
        Look again every two seconds, until interrupted.
    json
        Write JSON; with --watch one object a line.
    """
    from jailoc.bin.commands import status as states

    return states.run(session(workspace), json, watch)


@app.command
def logs(
    workspace: str | None = None,
    /,
    *,
    follow: Follow = False,
    tail: Annotated[int | None, Parameter(validator=_from_zero)] = None,
    since: str | None = None,
    service: str | None = None,
) -> int:
    """Show what the containers of a workspace wrote, each line with its service.

    Example: jailoc logs api --follow --tail 20

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    follow
        Go on until interrupted.
    tail
        Number of lines of each service to begin with; all by default.
    since
        Only what is younger: a time such as 2027-01-31T09:00:00, or an age such as 10m.
    service
        Only this service: firewall, opencode or dind.
    """
    from jailoc.bin.commands import logs as records

    return records.run(session(workspace), follow, tail, since, service)


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
