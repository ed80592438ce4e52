"""What is there now: the files of a workspace, and what the engine reports about its project.

It is gathered outside; here it is a value that a plan is computed from.
"""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind, Compose
from jailoc.model.firewall import Firewall
from jailoc.model.image import Recipe
from jailoc.model.mount import Mode
from jailoc.model.power import Power
from jailoc.model.sandbox import AGENT

Facets = dict[str, str]
"""The configuration of a container, one plain text a name, such as `memory` or `mounts./data`."""


class DeployedFile(Model):
    """A file below the workspace's directory."""

    mode: int
    digest: str
    """SHA-256 of its content, in hexadecimal."""


class Found(Model):
    """A container of the project, with its real configuration."""

    id: str
    state: str
    """`running`, `exited`, `created`, `paused`, `restarting`, `dead` or `removing`."""
    health: str = ""
    """`healthy`, `unhealthy`, `starting`, or empty where there is no health check."""
    image: str = ""
    """Id of the image that it runs."""
    files: str = ""
    """Digest of the generated files that it was made with."""
    service: str = ""
    """Digest of the service that it was made from."""
    wall: str | None = None
    """Id of the container whose network namespace it shares."""
    severed: str = ""
    """Why it has no network any more, though it runs; empty if it has its wall's."""
    facets: Facets = Field(default_factory=dict)
    inherited: dict[str, str] = Field(default_factory=dict)
    """Variables of its image."""
    lapsed: tuple[str, ...] = ()
    """Where something should be mounted and is not any more."""


class Rules(StrEnum):
    """How the rules in the kernel compare with the files that the wall has mounted."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """No wall runs that could be asked."""


class Applied(Model):
    """What an apply has brought about, written down when it was done. It holds no secret value."""

    version: Literal[1] = 1
    config: str
    """Path of the configuration file."""
    names: tuple[str, ...]
    """Every workspace that the configuration had, in the order that ports follow."""
    bundle: str
    """Digest of the generated files."""
    files: dict[str, DeployedFile]
    compose: Compose
    firewall: Firewall
    builds: tuple[Recipe, ...]
    former: tuple[str, ...] = ()
    """Images that were built for what was applied before, and that it does not need any more."""
    images: dict[str, str]
    """Ids of the images, by reference."""
    secrets: dict[str, str]
    """Keyed digests of the secrets, by name."""
    credentials: dict[str, str] = Field(default_factory=dict)
    """Keyed digests of what the proxy was fed, by name."""
    executes: dict[str, tuple[str, ...]] | None = None
    """What the host would have executed by what was covered, by place in the agent's container;
    None in the record of an earlier version."""
    committed: dict[str, dict[str, tuple[str, ...]]] | None = None
    """What Git may write over what was covered, by Git directory and path: modes and names of
    objects. None in the record of an earlier version."""
    stated: tuple[Power, ...] = ()
    """Powers that neither containers nor rules tell."""
    engine: dict[str, str] = Field(default_factory=dict)
    """Variables that make docker(1) use the engine that it was done on."""
    unproven: tuple[str, ...] | None = None
    """Volumes, by whole name, that were taken though nothing proves who has made them: an earlier
    version did. None in the record of one."""
    observed: dict[str, Facets]
    """The facets of each container as the engine spelt them just after it was made."""

    @property
    def writable(self) -> tuple[str, ...]:
        """Return the places of this machine that its agent could write."""
        agent = self.compose.services.get(AGENT)
        return tuple(
            each.source.text
            for each in (agent.mounts if agent else ())
            if isinstance(each, Bind) and each.mode is Mode.READ_WRITE
        )


class Deployed(Model):
    """All that is there of one workspace."""

    workspace: str
    applied: Applied | None = None
    files: dict[str, DeployedFile] = Field(default_factory=dict)
    engine: bool = True
    """Whether an engine was asked; without one only the files are known."""
    containers: dict[str, Found] = Field(default_factory=dict)
    """By service; what is no service of ours is there, too."""
    images: dict[str, str] = Field(default_factory=dict)
    """Ids of the images that are wanted and there, by reference."""
    foreign: tuple[str, ...] = ()
    """Those of them that have a tag of a build and were not built here."""
    network: bool = False
    volumes: tuple[str, ...] = ()
    """Names of the project's volumes, without the project."""
    rules: Rules = Rules.UNKNOWN
    rules_told: tuple[str, ...] = ()
    """How they differ, in the words of the wall."""
    missing: tuple[str, ...] = ()
    """Places in repositories where something is made before the start."""
    held: tuple[str, ...] = ()
    """Names of the secrets that the wall holds in memory."""
    fed: tuple[str, ...] | None = None
    """Names of the credentials that the proxy holds; None where none could be asked."""
    unseen: tuple[str, ...] = ()
    """What the engine did not answer about, in words: nothing is known of that."""

    @property
    def anything(self) -> bool:
        """Tell whether anything runs, or could."""
        return bool(self.containers) or self.network


class Belongings(Model):
    """What a workspace has beside containers, network and generated files; all of it lasts."""

    volumes: dict[str, int | None] = Field(default_factory=dict)
    """Bytes of each volume, by its name without the project; None where the engine did not say."""
    images: dict[str, int | None] = Field(default_factory=dict)
    """Bytes of each image that was built for it and that nothing else uses, by reference."""
    password: str = ""
    """Where its server's password is kept: `keyring`, `file`, or nowhere."""
    places: tuple[str, ...] = ()
    """Directories of jailoc's own on this machine."""
    record: bool = False
    """Whether there is a note of what was applied last, readable or not."""


def file_states(bundle: Bundle) -> dict[str, DeployedFile]:
    """Return the files of a bundle as they should be found."""
    return {file.path: DeployedFile(mode=file.mode, digest=file.digest) for file in bundle.files}
