"""What `logs` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Follow, Switch, app, session


def _from_zero(_type: object, value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError("0 or more")


@app.command
def logs(
    workspace: str | None = None,
    /,
    *,
    follow: Follow = False,
    tail: Annotated[int | None, Parameter(validator=_from_zero)] = None,
    since: str | None = None,
    service: str | None = None,
    raw: Switch = False,
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
        Only this service: firewall, opencode, dind, or one beside the agent.
    raw
        Every byte as it was written; such lines can steer a terminal.
    """
    from jailoc.bin.commands import logs as records

    return records.run(session(workspace), follow, tail, since, service, raw)
