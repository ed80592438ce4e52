"""The plugin that shows the workspace's name in the agent's client, and the file that names it.

The plugin is the same everywhere and for every workspace: it asks the environment at run time.
"""

import json

from jailoc.generators.assets import asset
from jailoc.model.agents.agent import Agent, Plugin
from jailoc.model.bundle import File
from jailoc.model.sandbox import GENERATED

CONTAINER_FOLDER = "tui-plugin"
MOUNTED = f"file://{GENERATED}"
"""Where the agent's generated files are, as a URL."""


def container(agent: Agent, prefix: str) -> tuple[File, ...]:
    """Return the plugin for a client in the container, below the folder that is mounted there."""
    if agent.plugin is None:
        return ()
    files = (
        package(agent.plugin, CONTAINER_FOLDER),
        (configuration(agent.plugin, f"{MOUNTED}/{CONTAINER_FOLDER}"),),
    )
    return tuple(
        each.model_copy(update={"path": f"{prefix}/{each.path}"})
        for group in files
        for each in group
    )


def package(plugin: Plugin, folder: str) -> tuple[File, ...]:
    """Return the plugin: a package with one module, which the client finds by its export."""
    described = {
        "name": "jailoc-tui",
        "version": "0.0.0",
        "private": True,
        "type": "module",
        "exports": {plugin.export: f"./{plugin.script}"},
    }
    return (
        _file(f"{folder}/package.json", json.dumps(described, indent=2) + "\n"),
        _file(f"{folder}/{plugin.script}", asset(plugin.script)),
    )


def configuration(plugin: Plugin, url: str) -> File:
    """Return what the client's variable points to: the plugin by its directory's `file:` URL."""
    return _file(plugin.configuration, json.dumps({plugin.key: [url]}, indent=2) + "\n")


def _file(path: str, text: str) -> File:
    return File(path=path, mode=0o644, text=text)
