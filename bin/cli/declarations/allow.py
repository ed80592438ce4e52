"""What `allow` takes, and its help."""

from datetime import date
from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import app, session


@app.command
def allow(
    target: str,
    /,
    *,
    why: str | None = None,
    until: date | None = None,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
    remove: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Let a workspace reach a host, a network or a set of hosts, on every port or on one.

    Example: jailoc allow git.example.com:22 --workspace api

    Parameters
    ----------
    target
        HOST, *.HOST, ADDRESS or ADDRESS/LENGTH, each with :PORT or without; or @SET.
    why
        A reason, for those who read the configuration.
    until
        The last day (UTC) on which it is open, such as 2027-01-31.
    yes
        Do not ask before what is critical, such as a private network as a whole.
    remove
        Remove the entry, whether an `allow` wrote it or you did.
    """
    from jailoc.bin.commands import allow as body

    if remove:
        return body.take_back(session(), target, noted=why is not None or until is not None)
    return body.run(session(), target, why, until, yes=yes)
