"""Tell what the host may execute and an agent can write, or could, all the same."""

from collections.abc import Callable

from jailoc.bin.deploy.observe import last
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.runtime.uncovered import poisoned, told, uncovered
from jailoc.model.compose import Bind
from jailoc.model.deployed import Deployed
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT
from jailoc.model.text import number_of
from jailoc.model.workspace import Workspace

MOST_ONCE = 400
"""Lines of what is told once: more than there are names that the host executes or obeys."""


def rows(
    workspace: Workspace,
    missing: Callable[[str], bool] = lambda _: False,
    matters: Callable[[str], bool] = lambda _: True,
) -> tuple[str, ...]:
    """Return what the host may execute and the agent can write, because it came after the start.

    Args:
        workspace: As it would be started now.
        missing: Tells whether nothing is mounted at a place in what runs.
        matters: Tells whether a place of this machine is one that is asked for.
    """
    applied = last(workspace.name)
    running = applied.compose if applied else None
    service = running.services.get(AGENT) if running else None
    lapsed = [
        each.target.text for each in (service.mounts if service else ())
        if isinstance(each, Bind) and missing(each.target.text)
    ]  # fmt: skip
    return told(each for each in uncovered(workspace, running, lapsed) if matters(each.path))


def tell(terminal: Terminal, workspace: Workspace, found: Deployed) -> None:
    """Show what a start is about to cover, and an agent may have written before.

    Args:
        terminal: Where it is shown.
        workspace: As it is to be started.
        found: What is there.
    """
    lapsed = [place for each in found.containers.values() for place in each.lapsed]
    lines = told(poisoned(workspace, found.applied, lapsed))
    for line in lines[:MOST_ONCE]:
        terminal.say(
            f"look at {line}: the agent could write it, and the host may execute it; from now on "
            "it is covered",
            Meaning.FAILS,
        )
    if (more := len(lines) - MOST_ONCE) > 0:
        terminal.say(f"and at {number_of(more, 'more place')} of these kinds", Meaning.FAILS)
