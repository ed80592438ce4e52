"""Everything a workspace puts on disk or asks of the engine, as one value."""

import hashlib
from collections.abc import Iterable

from pydantic import Field

from jailoc.model.agents.agent import Agent
from jailoc.model.base import Model
from jailoc.model.compose import Compose
from jailoc.model.firewall import Firewall
from jailoc.model.host import GitProgram
from jailoc.model.image import Build, Choice
from jailoc.model.repository import Placeholder
from jailoc.model.sandbox import AGENT

DIRECTORY_MODE = 0o755
"""Of generated folders that are mounted: the wall's root may not override permissions."""


class File(Model):
    """A generated file; `path` is relative to the workspace's directory, `mode` is exact."""

    path: str = Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")
    mode: int
    text: str

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def digest(files: Iterable[File]) -> str:
    """Return the SHA-256 over files with path and mode, in hexadecimal."""
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.path}\0{file.mode:o}\0{len(file.text.encode())}\0".encode())
        state.update(file.text.encode())
    return state.hexdigest()


RELOADABLE = (
    "wall/credential-names",
    "wall/egress",
    "wall/host-ports",
    "wall/names",
    "wall/rules.v4",
    "wall/rules.v6",
)
"""Files that a running wall takes over without any container being replaced."""


class Seed(Model):
    """A file on the host that is written only where none is; `path` is absolute."""

    path: str
    text: str


class Bundle(Model):
    """The compiler's output for one workspace. Deterministic to the byte; holds no secret."""

    workspace: str
    agent: Agent
    directory: str
    """Where the files belong on the host, absolute."""
    files: tuple[File, ...]
    builds: tuple[Build, ...]
    choice: Choice
    """The agent's image, and how it was decided."""
    compose: Compose
    firewall: Firewall
    seeds: tuple[Seed, ...]
    programs: tuple[GitProgram, ...] = ()
    """What the Git configuration that the agent sees names, and its image may lack."""
    placeholders: tuple[Placeholder, ...] = ()
    """What is made in repositories on the host where it is missing."""

    @property
    def user(self) -> str:
        """Return as whom the agent works, as docker(1) takes it."""
        return self.compose.services[AGENT].user

    @property
    def references(self) -> frozenset[str]:
        """Return the images that services run, and those that others are built on."""
        services = (each.image.text for each in self.compose.services.values())
        return frozenset({*services, *(each.tag for each in self.builds)})

    @property
    def rules(self) -> tuple[File, ...]:
        """Return the files that a running wall can reload."""
        return tuple(file for file in self.files if file.path in RELOADABLE)

    @property
    def fixed(self) -> tuple[File, ...]:
        """Return the files that containers are made from."""
        return tuple(file for file in self.files if file.path not in RELOADABLE)

    @property
    def digest(self) -> str:
        """Return the digest of all its files."""
        return digest(self.files)
