"""`acp`: the agent of a running sandbox as an editor knows agents, behind a filter.

On standard output is nothing but the protocol; what was refused is told on standard error.
"""

import os
from collections.abc import Collection

from jailoc.bin.attach import container_client, pipes, pty, readiness
from jailoc.bin.commands.exec import by_number
from jailoc.bin.config import source
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import existence, observe
from jailoc.bin.engine import docker, endpoint, witness
from jailoc.bin.host.links import real_for_others
from jailoc.bin.terminal.exit_status import SIGNALLED
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.attach.acp import Bridge
from jailoc.generators.config.resolve import protected, resolve
from jailoc.generators.runtime.obeyed import executed
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within, within
from jailoc.model.sandbox import typed


def run(session: Session, path: str | None) -> int:
    """Carry messages between an editor and a sandbox's agent until the editor hangs up.

    Returns:
        0 if it did; 128 and the number of the signal that ended jailoc.

    Raises:
        Refused: the workspace does not run, or the agent has ended by itself.
    """
    target = source.directory(path)
    origin, terminal = session.source(), session.terminal.hasty()
    name = session.chosen(origin, target)
    existence.running(session, name)
    if (last := observe.last(name)) is not None:
        endpoint.use(last.engine)
    docker.check_engine()
    found = readiness.services(name)
    if found.agent is None or found.wall is None or not found.running:
        raise existence.not_running(name, found.agent)
    by_number(name, found.agent)
    workspace = resolve(origin.config, name, origin.host)
    there = witness.mounted(found.agent.id, found.wall.image_id)
    roots = [each.path for each in workspace.paths if each.path in there]
    cloned = {each.path for each in workspace.paths if each.cloned}
    agent = found.agent

    def directory(place: str) -> bool:
        """Tell whether the agent may begin in a directory: a clone need not have this machine's."""
        if first_within(place, cloned & {*roots}) is not None:
            return container_client.has_directory(agent.id, agent.user, place)
        # A name that is too long is none.
        return os.path.isdir(place) and _inside(place, roots)  # noqa: PTH112 -- text

    begins = next(
        (each for each in (target, *roots) if first_within(each, roots) and directory(each)), None
    )
    protect = [entry for entry, _ in protected(origin.config, name)]
    bridge = Bridge(
        lambda place: _inside(place, roots),
        lambda place: _open(place, roots, protect),
        directory,
        mcp=workspace.acp_mcp,
    )
    tally = _Tally(terminal, bridge)
    program = container_client.execution(
        agent.id,
        workspace.agent.editor,
        {},
        terminal=False,
        directory=begins,
        user=agent.user,
    )

    def begin(command: list[str], environment: dict[str, str]) -> pty.Ended:
        return pipes.run(command, environment, bridge, terminal.quote, tally.tell)

    ended = container_client.attended(program, begin)
    tally.sum()
    if ended.stopped:
        return SIGNALLED + ended.signal
    if ended.code != 0:
        raise refuse(
            "client",
            f"the agent of `{typed(name)}` has ended with exit code {ended.code}",
            hint=f"see `jailoc logs {typed(name)}`; the session is kept",
        )
    return 0


def _inside(place: str, roots: Collection[str]) -> bool:
    """Tell whether a path of this machine, links followed, is in what the agent works in."""
    whole = real_for_others(place)
    return first_within(whole, [real_for_others(each) for each in roots]) is not None


def _open(place: str, roots: Collection[str], protect: Collection[str]) -> bool:
    """Tell whether nothing that the host executes or obeys lies at a path, or behind its links."""
    return not any(
        executed(os.path.relpath(each, root), protect)
        for each in {place, real_for_others(place)}
        for root in (*roots, *map(real_for_others, roots))
        if within(each, root)
    )


class _Tally:
    """Tells of the first of each kind of refusal at once, and of all of them at the end."""

    def __init__(self, terminal: Terminal, bridge: Bridge) -> None:
        self._terminal, self._bridge = terminal, bridge
        self._told: set[str] = set()

    def tell(self) -> None:
        """Tell of what was not refused before."""
        if len(self._told) == len(self._bridge.refused):
            return
        for what in self._bridge.refused.keys() - self._told:
            self._told.add(what)
            self._terminal.say(f"refused: {what}", Meaning.WARNS)

    def sum(self) -> None:
        """Tell how often what was refused."""
        for what, count in sorted(self._bridge.refused.items()):
            self._terminal.say(f"refused in all: {what} ({count})", Meaning.NOTES)
