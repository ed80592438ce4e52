"""A workspace with everything decided: defaults merged, paths absolute, the port known."""

from datetime import date

from jailoc.model.address import Network
from jailoc.model.agents.agent import Agent
from jailoc.model.base import Model
from jailoc.model.egress import Egress
from jailoc.model.environment import Variable
from jailoc.model.mount import Mount
from jailoc.model.protect import Cover, Exposed
from jailoc.model.repository import Placeholder
from jailoc.model.sandbox import project
from jailoc.model.secret import Secret


class WorkPath(Model):
    """A directory the agent works in; it has the same path on both sides."""

    path: str
    origin: str


class AllowedName(Model):
    """A host name whose addresses are let through; they are looked up when the wall starts."""

    name: str
    port: int | None
    until: date | None = None
    why: str | None = None
    origin: str

    @property
    def text(self) -> str:
        """Return it as it may stand in a configuration."""
        return self.name if self.port is None else f"{self.name}:{self.port}"


class AllowedNetwork(Model):
    """A network that is let through. A single address is a network of one."""

    network: Network
    port: int | None
    until: date | None = None
    why: str | None = None
    origin: str

    @property
    def text(self) -> str:
        """Return it as it may stand in a configuration."""
        if self.port is None:
            return str(self.network)
        address = str(self.network.network_address)
        host = f"[{address}]" if self.network.version == 6 else address
        return f"{host}/{self.network.prefixlen}:{self.port}"


class ConfiguredPort(Model):
    """A port of the machine itself that is let through."""

    port: int
    origin: str


class Certificate(Model):
    """PEM text added to the trust store of every image."""

    text: str
    origin: str


class Dockerfile(Model):
    """A Dockerfile by its place: an absolute path or a URL."""

    source: str
    context: str | None = None
    """Directory that is sent to the engine with it, absolute; None for an empty one."""
    origin: str


class Workspace(Model):
    """One sandbox, resolved. Every value knows the configuration entry it came from."""

    name: str
    agent: Agent
    port: int
    """Port on the host's loopback; reserved even when it is not published."""
    paths: tuple[WorkPath, ...]
    mounts: tuple[Mount, ...]
    env: tuple[Variable, ...]
    egress: Egress
    egress_origin: str
    allowed_names: tuple[AllowedName, ...]
    allowed_networks: tuple[AllowedNetwork, ...]
    host_ports: tuple[ConfiguredPort, ...]
    secrets: tuple[Secret, ...]
    """In byte order of their names."""
    covers: tuple[Cover, ...]
    """What is mounted over the workspace paths and mounts, so that the agent cannot change it."""
    exposed: tuple[Exposed, ...]
    """What the host executes and cannot be covered."""
    hidden: tuple[str, ...]
    """Where in the container an empty file is in the place of one that is none of the agent's
    business."""
    placeholders: tuple[Placeholder, ...]
    """What is made on the host where it is missing, so that it can be covered."""
    image: str | None
    """An image that is used as it is, or as the base of `overlay`."""
    image_origin: str
    base: Dockerfile | None
    """What the agent's image is built from, instead of the embedded Dockerfile."""
    overlay: Dockerfile | None
    ssh_auth_sock: bool
    git_config: bool
    expose_port: bool
    enable_docker: bool
    dind_privileged: bool
    cpu: float
    memory: str
    certificates: tuple[Certificate, ...]

    @property
    def project(self) -> str:
        """Return the name of the Compose project."""
        return project(self.name)
