"""A workspace with everything decided: defaults merged, paths absolute, the port known."""

from datetime import date

from jailoc.model.address import Network, written
from jailoc.model.agents.agent import Agent
from jailoc.model.base import Model
from jailoc.model.beside import Beside
from jailoc.model.credential import Credential
from jailoc.model.egress import Egress
from jailoc.model.environment import Variable
from jailoc.model.exposed import Exposed
from jailoc.model.mount import Mount
from jailoc.model.protect import Cover
from jailoc.model.repository import Placeholder
from jailoc.model.sandbox import project
from jailoc.model.secret import Secret
from jailoc.model.snapshots import Snapshots
from jailoc.model.user import AgentUser
from jailoc.model.worktree import Worktree


class WorkPath(Model):
    """A directory the agent works in; it has the same path on both sides."""

    path: str
    origin: str
    cloned: bool = False
    """Whether it is on a volume of its own, a clone of what the host has there."""


class NamedVolume(Model):
    """A volume for the agent; what is in it outlasts the container."""

    name: str
    place: str
    """In the container."""
    shared: bool
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


class NamedNetwork(Model):
    """A network that the configuration names. A single address is a network of one."""

    network: Network
    port: int | None
    why: str | None = None
    origin: str

    @property
    def text(self) -> str:
        """Return it as it may stand in a configuration."""
        if self.port is None:
            return written(self.network)
        address = written(self.network.network_address)
        host = f"[{address}]" if self.network.version == 6 else address
        return f"{host}/{self.network.prefixlen}:{self.port}"


class AllowedNetwork(NamedNetwork):
    """A network that is let through."""

    until: date | None = None


class DeniedName(Model):
    """A host name, or all below one, that does not resolve, whatever is allowed."""

    name: str
    why: str | None = None
    origin: str

    @property
    def text(self) -> str:
        """Return it as it may stand in a configuration."""
        return self.name


class ConfiguredPort(Model):
    """A port of the machine itself that is let through."""

    port: int
    origin: str


class PublishedPort(Model):
    """A port of the sandbox that is published on the machine's loopback address."""

    published: int
    target: int
    """Inside the sandbox."""
    origin: str

    @property
    def text(self) -> str:
        """Return it as it may stand in a configuration."""
        return (
            f"{self.published}"
            if self.published == self.target
            else (f"{self.published}:{self.target}")
        )


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
    user: AgentUser
    """As whom the agent works."""
    port: int
    """Port on the host's loopback; reserved even when it is not published."""
    ports: tuple[PublishedPort, ...] = ()
    """What is published beside the server's port."""
    paths: tuple[WorkPath, ...]
    mounts: tuple[Mount, ...]
    volumes: tuple[NamedVolume, ...] = ()
    env: tuple[Variable, ...]
    egress: Egress
    observe: bool = False
    """Whether what passes is told of, too."""
    services: tuple[Beside, ...] = ()
    """Containers beside the agent, in byte order of their names."""
    acp_mcp: bool = False
    """Whether an editor's MCP servers are handed to the agent."""
    show_refused: bool = True
    """Whether the agent is shown what it was refused."""
    egress_origin: str
    allowed_names: tuple[AllowedName, ...]
    allowed_networks: tuple[AllowedNetwork, ...]
    denied_names: tuple[DeniedName, ...] = ()
    denied_networks: tuple[NamedNetwork, ...] = ()
    """Networks that are closed before anything can open them; never with a last day."""
    host_ports: tuple[ConfiguredPort, ...]
    secrets: tuple[Secret, ...]
    """In byte order of their names."""
    credentials: tuple[Credential, ...] = ()
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
    git_write: bool = True
    git_files: tuple[Mount, ...] = ()
    """The user's Git configuration, where Git looks for it inside."""
    worktrees: tuple[Worktree, ...] = ()
    """Linked working trees in the paths that are given what they need of their repositories."""
    expose_port: bool
    enable_docker: bool
    dind_privileged: bool
    cpu: float
    memory: str
    pids: int
    """Processes and threads, of the agent and of the sidecar each."""
    mtu: int | None = None
    """Bytes of a packet of the sandbox's network; None for what the engine takes."""
    subnet: str | None = None
    """Its IPv4 network; None for one that the engine chooses."""
    certificates: tuple[Certificate, ...]
    snapshots: Snapshots = Snapshots()

    @property
    def project(self) -> str:
        """Return the name of the Compose project."""
        return project(self.name)
