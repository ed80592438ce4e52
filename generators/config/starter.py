"""The first configuration of a user: the commented starter, for no directory or for one."""

import re
from collections.abc import Collection
from itertools import chain, count

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


def name_of(directory: str, taken: Collection[str] = ()) -> str:
    """Return a name for the workspace of a directory, made of what names may consist of.

    >>> name_of("/srv/My Project_2"), name_of("/srv/api", {"api", "api-2"})
    ('my-project-2', 'api-3')
    """
    name = re.sub(r"[^a-z0-9]+", "-", directory.rpartition("/")[2].lower()).strip("-")
    endings = chain(("",), (f"-{number}" for number in count(2)))
    every = ((name[: LONGEST_NAME - len(end)].rstrip("-") or NAME) + end for end in endings)
    return next(each for each in every if each not in taken)
