"""The client on the host: which one may be run, and with what configuration."""

import os
import shutil
from pathlib import Path

from jailoc.bin.config import facts, source
from jailoc.bin.engine import door
from jailoc.bin.host.links import Links
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names, resolve
from jailoc.model.agents.agent import Agent, major_of, version_in
from jailoc.model.forbidden_paths import folded
from jailoc.model.mount import Mode
from jailoc.model.palette import Meaning
from jailoc.model.path import clean, first_within

PATIENCE = 5.0
"""Seconds in which a client says its version."""
MOST_SAID = 64 << 10
"""Bytes in which it does."""


def find(terminal: Terminal, origin: source.LoadedConfig, agent: Agent) -> str | None:
    """Return the host's client of an agent.

    It is the first on PATH that no agent can change, and that is not of another major version than
    the server: their options and routes differ.
    """
    changeable = _Changeable(origin)
    for name in agent.client.names:
        for folder in _folders():
            if (found := shutil.which(name, path=folder)) is None:
                continue
            if changeable(found):
                why = "an agent can change it, and it is not in `trust`"
            elif (said := version(found, agent, search_path(origin))) is not None and (
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


def search_path(origin: source.LoadedConfig) -> str:
    """Return PATH for the client: without directories that an agent can write to.

    A client may be a script, whose first line has its interpreter looked for on PATH.
    """
    changeable = _Changeable(origin)
    kept = [each for each in _folders() if not changeable(each)]
    # An empty PATH is the working directory, which is a project.
    return os.pathsep.join(kept) or os.defpath


def _folders() -> list[str]:
    """Return the directories of PATH.

    A relative one is another directory wherever one goes, a project too.
    """
    return [each for each in os.get_exec_path() if each.startswith("/")]


class _Changeable:
    """Tells whether any agent decides what is at a place."""

    def __init__(self, origin: source.LoadedConfig) -> None:
        spaces = [resolve(origin.config, name, origin.host) for name in names(origin.config)]
        writable = [path.path for each in spaces for path in each.paths]
        writable += [
            mount.host for each in spaces for mount in each.mounts if mount.mode is Mode.READ_WRITE
        ]
        self._areas = [folded(os.path.realpath(each)) for each in writable]
        self._trusted = origin.config.trust
        self._links = Links()

    def __call__(self, place: str) -> bool:
        real, hops = self._links.trace(place)
        if any(first_within(each, self._trusted) for each in (place, real)):
            return False
        return any(first_within(folded(each), self._areas) for each in (clean(place), *hops, real))


def tui_config(agent: Agent) -> str | None:
    """Return the configuration for a client whose user has none; an own one is never set aside."""
    if agent.plugin is None:
        return None
    made = facts.cache_directory() / agent.plugin.configuration
    own = Path(os.environ.get("XDG_CONFIG_HOME") or f"{facts.home()}/.config", agent.plugin.own)
    if not made.is_file():
        return None
    try:
        own.lstat()
    except FileNotFoundError:
        return str(made)
    except OSError:
        return None
    return None
