"""The host's copy of the plugin for an agent's client; all workspaces of that agent share it."""

from pathlib import Path

from jailoc.bin.config import facts
from jailoc.bin.host import files
from jailoc.generators.artefacts.tui_plugin import configuration, package
from jailoc.model.agents.agent import Agent


def write(agent: Agent) -> Path | None:
    """Write the plugin and the file that names it; return that file, None if there is no plugin.

    Every file is replaced in one step and only if it differs, so several may write at once; the
    file that names the plugin comes last. The modes hold whatever the umask says.
    """
    plugin, directory = agent.plugin, facts.cache_directory()
    if plugin is None:
        return None
    files.make_private(directory)
    files.write_files(package(plugin, plugin.folder), directory)
    files.write_files([configuration(plugin, (directory / plugin.folder).as_uri())], directory)
    return directory / plugin.configuration
