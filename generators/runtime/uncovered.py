"""What the host would execute and a running agent can still write: it came after the start."""

from collections.abc import Iterable

from jailoc.model.compose import Bind, Compose
from jailoc.model.mount import Mode
from jailoc.model.protect import Cover
from jailoc.model.sandbox import AGENT
from jailoc.model.workspace import Workspace

MOST = 10
"""Places that are told; the rest is counted."""


def uncovered(workspace: Workspace, running: Compose | None) -> tuple[Cover, ...]:
    """Return what is to be read-only and is not in the sandbox that runs.

    Args:
        workspace: As it would be started now.
        running: As it was started; None if nobody knows.
    """
    if running is None or AGENT not in running.services:
        return ()
    shut = {
        mount.target.text
        for mount in running.services[AGENT].mounts
        if isinstance(mount, Bind) and mount.mode is Mode.READ_ONLY
    }
    return tuple(
        each for each in workspace.covers if each.mode is Mode.READ_ONLY and each.target not in shut
    )


def told(covers: Iterable[Cover]) -> tuple[str, ...]:
    """Write such places for people; they and what they say may be an agent's words."""
    every = sorted(covers, key=lambda each: (not each.executes, each.path))
    lines = [
        f"{each.path} ({'; '.join(each.executes)})" if each.executes else each.path
        for each in every[:MOST]
    ]
    if len(every) > MOST:
        lines.append(f"and {len(every) - MOST} more")
    return tuple(lines)
