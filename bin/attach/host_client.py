"""The client on the host: which one may be run, and with what configuration."""

import os
import shutil
from pathlib import Path

from jailoc.bin.config import facts, source
from jailoc.bin.host.links import Links
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names, resolve
from jailoc.model.agents.agent import Agent
from jailoc.model.mount import Mode
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within, within


def find(terminal: Terminal, origin: source.LoadedConfig, agent: Agent) -> str | None:
    """Return the host's client of an agent, the first on PATH that no agent can change."""
    spaces = [resolve(origin.config, name, origin.host) for name in names(origin.config)]
    writable = [path.path for each in spaces for path in each.paths]
    writable += [
        mount.host for each in spaces for mount in each.mounts if mount.mode is Mode.READ_WRITE
    ]
    areas = [os.path.realpath(each) for each in writable]
    # A relative entry is another directory wherever one goes, a project too.
    folders = [each for each in os.get_exec_path() if each.startswith("/")]
    for name in agent.client.names:
        for folder in folders:
            if (found := shutil.which(name, path=folder)) is None:
                continue
            real, hops = Links().trace(found)
            trusted = first_within(found, origin.config.trust) or first_within(
                real, origin.config.trust
            )
            if trusted or not any(
                within(each, area) for each in (found, *hops, real) for area in areas
            ):
                return found
            terminal.say(f"passing over {found}: an agent can change it, and it is not in `trust`",
                         Meaning.WARNS)  # fmt: skip
    return None


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
