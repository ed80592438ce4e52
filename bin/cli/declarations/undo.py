"""What `undo` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import app, session


@app.command
def undo(
    *what: str,
    to: str | None = None,
    resume: Annotated[bool, Parameter(name="--continue", negative=())] = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
) -> int:
    """Return a workspace's files to a snapshot, after showing what that does and asking.

    What is there now is kept first, so that an undo can be undone. The agent is halted meanwhile,
    and begins anew.

    Example: jailoc undo api --to 1a2b3c4d

    Parameters
    ----------
    what
        The workspace, that of the current directory by default; then paths, all by default.
    to
        The beginning of a snapshot's id, from `jailoc snapshot list`; the last one by default.
    resume
        Finish one that was interrupted.
    yes
        Do not ask.
    """
    from jailoc.bin.commands import undo as body

    return body.run(session(), what, body.Undo(to, resume, yes))
