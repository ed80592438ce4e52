"""The first configuration of a user: the commented starter, for no directory or for one."""

import re

import tomlkit

from jailoc.generators.assets import asset
from jailoc.model.config_values import LONGEST_NAME
from jailoc.model.path import tilde

NAME = "default"
"""The workspace of a starter that is for no directory."""
SCHEMA_FILE = "config.schema.json"
"""The schema that the first line names for editors, beside the configuration."""


def starter(directory: str | None, home: str) -> str:
    """Return the text of a first configuration.

    Args:
        directory: What the one workspace is for, absolute; it is called like it.
        home: The user's home directory.
    """
    text = asset("starter.toml")
    if directory is not None:
        text = text.replace(f"workspaces.{NAME}", f"workspaces.{name_of(directory)}")
        path = tomlkit.item(tilde(directory, home)).as_string()
        text = text.replace("\npaths = []\n", f"\npaths = [{path}]\n")
    return f"#:schema ./{SCHEMA_FILE}\n{text}"


def name_of(directory: str) -> str:
    """Return the name of a workspace for a directory, made of what names may consist of.

    >>> name_of("/srv/My Project_2")
    'my-project-2'
    """
    name = re.sub(r"[^a-z0-9]+", "-", directory.rpartition("/")[2].lower()).strip("-")
    return name[:LONGEST_NAME].rstrip("-") or NAME
