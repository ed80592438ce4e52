"""What reads or restores files for a workspace while an agent is about to begin.

A container of jailoc's outlives a jailoc that is killed, and would follow the links of an agent.
"""

import time
from collections.abc import Sequence

from jailoc.bin.config import facts
from jailoc.bin.deploy import halt
from jailoc.bin.engine import tools
from jailoc.bin.host import files
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.path import within
from jailoc.model.sandbox import typed

PATIENCE = 600
"""Seconds to wait for another jailoc."""
_BETWEEN = 0.5


def gone(terminal: Terminal, name: str, places: Sequence[str]) -> None:
    """Wait until nothing is at work in places that an agent is going to write.

    What a killed run has left is ended; who else works there is waited for.

    Args:
        terminal: Where it is shown.
        name: The agent's workspace; the caller holds its lock.
        places: The directories.

    Raises:
        DockerError: the engine did not answer, or could not remove one.
        Refused: another jailoc is still at work.
    """
    if (other := _others(name, places)) is None:
        return
    with step(terminal, f"waiting for what {typed(other)} keeps or restores"):
        limit = time.monotonic() + PATIENCE
        while (other := _others(name, places)) is not None:
            if time.monotonic() > limit:
                raise refuse(
                    "locked",
                    f"another jailoc keeps or restores files of `{typed(other)}`, where the agent "
                    f"of `{typed(name)}` can write, too",
                    hint="wait until it has finished, then run the command again",
                )
            time.sleep(_BETWEEN)


def _others(name: str, places: Sequence[str]) -> str | None:
    """Return for which workspace another jailoc is at work in places; end what nobody waits for."""
    stores = str(facts.state_directory())
    for each in tools.at_work() if places else ():
        # Another user's is none to be ended here, nor what reads a task's clone.
        if not any(within(one, stores) for one in each.sources):
            continue
        if halt.shared(each.sources, places) is None:
            continue
        if each.workspace == name:
            tools.remove(each.id)
            continue
        try:
            with files.locked(facts.cache_directory() / f"{each.workspace}.lock"):
                tools.remove(each.id)
        except Refused:
            return each.workspace
    return None
