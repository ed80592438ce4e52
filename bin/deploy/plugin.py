"""The host's copy of the plugin for OpenCode's client; all workspaces share it."""

from pathlib import Path

from jailoc.bin.config import facts
from jailoc.bin.host import files
from jailoc.generators.artefacts.tui_plugin import CONFIGURATION, HOST_FOLDER, configuration, plugin


def write() -> Path:
    """Write the plugin and the file that names it; return that file, for `OPENCODE_TUI_CONFIG`.

    Every file is replaced in one step and only if it differs, so several may write at once; the
    file that names the plugin comes last. The modes hold whatever the umask says.
    """
    directory = facts.cache_directory()
    files.make_private(directory)
    files.write_files(plugin(HOST_FOLDER), directory)
    files.write_files([configuration((directory / HOST_FOLDER).as_uri())], directory)
    return directory / CONFIGURATION
