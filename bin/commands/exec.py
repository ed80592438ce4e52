"""`exec` and `shell`: run a program in a running sandbox as its agent, with the agent's secrets.

docker(1) alone would run it without the secrets, before the mounts are proved, and leave it behind
when its own client ends.
"""

import os
import re
import sys
from collections.abc import Sequence

from jailoc.bin.attach import container_client, readiness
from jailoc.bin.attach.fence import UNANSWERED
from jailoc.bin.attach.watchdog import Watch
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import entered, existence
from jailoc.bin.engine import docker, witness
from jailoc.bin.engine.containers import Container
from jailoc.bin.terminal.exit_status import SIGNALLED
from jailoc.generators.config.resolve import resolve
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within

SHELL = ("/bin/sh", "-c", "command -v bash >/dev/null && exec bash -l; exec sh -l")


def run(session: Session, command: Sequence[str]) -> int:
    """Run a command in a workspace's sandbox, where the current directory is if it is there, too.

    Returns:
        The command's exit status; 127 if there is no such command, 128 and the number of the signal
        that ended jailoc.

    Raises:
        Refused: the workspace does not run.
    """
    terminal, (name, origin) = session.terminal, entered.running(session)
    existence.running(session, name)
    docker.check()
    found = readiness.services(name)
    agent, wall = found.agent, found.wall
    if agent is None or wall is None or not found.running:
        raise existence.not_running(name, agent)
    by_number(name, agent)
    at = os.path.realpath(".")
    mounted = witness.mounted(agent.id, wall.image_id)
    # Whether it is sure to have what is on this machine: a clone need not.
    if origin is None:
        roots = dict.fromkeys(entered.directories(name), False)
    else:
        paths = resolve(origin.config, name, origin.host).paths
        roots = {each.path: not each.cloned for each in paths}
    root = first_within(at, (each for each in roots if each in mounted))
    inside = root is not None and (
        roots[root] or container_client.has_directory(agent.id, agent.user, at)
    )
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    program = container_client.execution(
        agent.id,
        command,
        os.environ if interactive else {},
        terminal=interactive,
        directory=at if inside else None,
        user=agent.user,
    )
    ended = container_client.run(program, Watch(lambda: None))
    if ended.unanswered:
        terminal.say(UNANSWERED, Meaning.WARNS)
    if ended.stopped:
        terminal.say("interrupted", Meaning.WARNS)
        return SIGNALLED + ended.signal
    return ended.code if ended.code >= 0 else SIGNALLED - ended.code


def by_number(name: str, agent: Container) -> None:
    """Make sure that nothing is run as root, or as whom the container's own files name.

    Raises:
        Refused: the agent works as one of them.
    """
    if not re.fullmatch(r"[1-9][0-9]*(:[0-9]+)?", agent.user):
        raise refuse(
            "outdated",
            f"the agent of `{name}` works as `{agent.user or 'root'}`, not as a user by number",
            hint=f"`jailoc up {name}` makes its container anew",
        )
