"""The client on the host: which one may be run, and with what configuration."""

import os
import shutil

from jailoc.bin.engine import door
from jailoc.bin.host import programs
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.agents.agent import Agent, major_of, version_in
from jailoc.model.palette import Meaning

PATIENCE = 5.0
"""Seconds in which a client says its version."""
MOST_SAID = 64 << 10
"""Bytes in which it does."""


def find(terminal: Terminal, agent: Agent) -> str | None:
    """Return the host's client of an agent.

    It is the first on PATH that no agent can change, and that is not of another major version than
    the server: their options and routes differ.
    """
    for name in agent.client.names:
        for folder in programs.folders():
            if (found := shutil.which(name, path=folder)) is None:
                continue
            if programs.changeable(found):
                why = "an agent can change it, and it is not in `trust`"
            elif (said := version(found, agent, programs.search_path())) is not None and (
                major_of(said) != agent.major
            ):
                why = f"it is version {said}, and the server is {agent.name} {agent.major}"
            else:
                return found
            terminal.say(f"passing over {found}: {why}", Meaning.WARNS)
    return None


def version(client: str, agent: Agent, path: str) -> str | None:
    """Return the version that a client on the host says it is; None if it says none.

    It is started where no project is, with the PATH that it would run with.
    """
    environment = os.environ | {"PATH": path} | agent.client.environment
    try:
        command = [client, *agent.client.version]
        reply = door.ask_other(command, environment, PATIENCE, MOST_SAID)
    except OSError:
        return None
    return None if reply.cut else version_in(reply.stdout.decode(errors="replace"))
