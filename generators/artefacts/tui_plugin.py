"""The plugin that shows the workspace's name in OpenCode's client, and the file that names it.

The plugin is the same everywhere and for every workspace: it asks the environment at run time.
"""

import json

from jailoc.generators.assets import asset
from jailoc.model.bundle import File
from jailoc.model.sandbox import GENERATED

CONFIGURATION = "tui.json"
CONTAINER_FOLDER, HOST_FOLDER = "tui-plugin", "tui.plugin"
"""On the host it lies beside the workspaces' folders, none of which has a dot in its name."""
MOUNTED = f"file://{GENERATED}"
"""Where the agent's generated files are, as a URL."""


def container(prefix: str) -> tuple[File, ...]:
    """Return the plugin for a client in the container, below the folder that is mounted there."""
    files = plugin(CONTAINER_FOLDER), (configuration(f"{MOUNTED}/{CONTAINER_FOLDER}"),)
    return tuple(
        each.model_copy(update={"path": f"{prefix}/{each.path}"})
        for group in files
        for each in group
    )


def plugin(folder: str) -> tuple[File, ...]:
    """Return the plugin: a package with one module, which OpenCode finds by its export."""
    package = {
        "name": "jailoc-tui",
        "version": "0.0.0",
        "private": True,
        "type": "module",
        "exports": {"./tui": "./tui.js"},
    }
    return (
        _file(f"{folder}/package.json", json.dumps(package, indent=2) + "\n"),
        _file(f"{folder}/tui.js", asset("tui.js")),
    )


def configuration(url: str) -> File:
    """Return what `OPENCODE_TUI_CONFIG` points to: the plugin by its directory's `file:` URL."""
    return _file(CONFIGURATION, json.dumps({"plugin": [url]}, indent=2) + "\n")


def _file(path: str, text: str) -> File:
    return File(path=path, mode=0o644, text=text)
