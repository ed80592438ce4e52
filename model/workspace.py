"""A workspace with everything decided: defaults merged, paths absolute, the port known."""

from jailoc.model.address import Network
from jailoc.model.base import Model
from jailoc.model.environment import Variable
from jailoc.model.mount import Mount

FIRST_PORT = 4096
"""Also the port that the server listens on inside."""


class WorkPath(Model):
    """A directory the agent works in; it has the same path on both sides."""

    path: str
    origin: str


class AllowedName(Model):
    """A host name whose addresses are let through; they are looked up when the wall starts."""

    name: str
    origin: str


class AllowedNetwork(Model):
    """A network that is let through. A single address is a network of one."""

    network: Network
    origin: str


class Certificate(Model):
    """PEM text added to the trust store of every image."""

    text: str
    origin: str


class Workspace(Model):
    """One sandbox, resolved. Every value knows the configuration entry it came from."""

    name: str
    port: int
    """Port on the host's loopback; reserved even when it is not published."""
    paths: tuple[WorkPath, ...]
    mounts: tuple[Mount, ...]
    env: tuple[Variable, ...]
    allowed_names: tuple[AllowedName, ...]
    allowed_networks: tuple[AllowedNetwork, ...]
    image: str | None
    image_origin: str
    expose_port: bool
    enable_docker: bool
    cpu: float
    memory: str
    certificates: tuple[Certificate, ...]

    @property
    def project(self) -> str:
        """Return the name of the Compose project."""
        return f"jailoc-{self.name}"
