"""Named volumes of one workspace or of several: their notation, and where they may be."""

import re
from typing import Annotated

from pydantic import BeforeValidator

from jailoc.model.base import Model
from jailoc.model.config_values import text_of
from jailoc.model.field_error import problem
from jailoc.model.path import CONTAINER_SYSTEM, clean, expand, first_within, within
from jailoc.model.sandbox import AGENT_HOME
from jailoc.model.schema_patterns import string, words

FORMS = (
    "NAME:PLACE, or shared:NAME:PLACE, such as npm:~/.npm; names have a-z, 0-9 and -, and ~ is "
    f"{AGENT_HOME}"
)
SHARED = "shared"
LONGEST = 64
_NAME = rf"[a-z0-9][a-z0-9-]{{0,{LONGEST - 1}}}"
_PLACE = r"[A-Za-z0-9._@+/~-]+"
"""Characters of a place: none has a meaning to Compose."""

MADE = (".local", ".local/bin", ".local/share", ".local/state", ".cache", ".config", ".claude")
"""Directories of the agent's home that are in the image that jailoc builds (agent.Dockerfile)."""
GUARDED = (".ssh", ".gitconfig")
"""Places of the agent's home that are mounted where the host has them."""


class VolumeSpec(Model):
    """One entry of a `volumes` list."""

    name: str
    place: str
    """In the container, absolute and clean."""
    shared: bool = False
    """Whether all workspaces that name it have the same one."""

    @property
    def text(self) -> str:
        """Return it as it may stand in a configuration."""
        return f"{SHARED + ':' if self.shared else ''}{self.name}:{self.place}"


def parse_volume(value: object) -> VolumeSpec:
    """Read one entry of a `volumes` list.

    Raises:
        PydanticCustomError: it is malformed, or its place is the system's or the home itself.
    """
    text = text_of(value)
    parts = text.split(":")
    shared = parts[0] == SHARED
    if shared:
        parts = parts[1:]
    if len(parts) != 2:
        raise problem("volume", f"`{text}` is no volume", FORMS, _advice(text))
    name, place = parts
    if not re.fullmatch(_NAME, name):
        raise problem("volume", f"`{name}` is no name of a volume", FORMS, _advice(text))
    if not re.fullmatch(_PLACE, place):
        raise problem(
            "volume",
            f"place `{place}` of volume `{name}` has other characters than it may have",
            "letters, digits and . _ @ + - / ~",
        )
    path = expand(place, AGENT_HOME) if place == "~" or place.startswith("~/") else place
    if not path.startswith("/"):
        raise problem("volume", f"place `{place}` of volume `{name}` is not absolute", FORMS)
    path = clean(path)
    system = "/" if path == "/" else first_within(path, CONTAINER_SYSTEM)
    if system:
        raise problem(
            "volume-place",
            f"volume `{name}` cannot be at `{path}`: it lies in `{system}`, the container's own",
            "a place below ~, or a directory of its own, such as /caches/npm",
        )
    if within(AGENT_HOME, path) or any(within(path, f"{AGENT_HOME}/{each}") for each in GUARDED):
        raise problem(
            "volume-place",
            f"volume `{name}` cannot be at `{path}`, which holds or is what jailoc mounts there",
            "a directory of its own below ~",
        )
    return VolumeSpec(name=name, place=path, shared=shared)


def _advice(text: str) -> str | None:
    if re.search(r":(ro|rw)$", text):
        return "a volume is always writable, so leave `:ro` or `:rw` out"
    if text.startswith(("/", "~", ".")):
        return "a directory of this machine is mounted by `mounts`"
    return None


Volume = Annotated[
    VolumeSpec,
    BeforeValidator(parse_volume),
    string(
        rf"^({SHARED}:)?{_NAME}:[/~][A-Za-z0-9._@+/~-]*$",
        rf"^{SHARED}:[^:]*$",
        rf"^[^/~]*:/+(({words(*CONTAINER_SYSTEM)}|home|home/agent)(/+|$)$)?$",
        rf"^[^/~]*:/+({words(*CONTAINER_SYSTEM)})(/|$)",
        r"^[^/~]*:~[^/]",
        rf"^[^/~]*:~/*(({words(*GUARDED)})(/.*)?)?$",
    ),
]
