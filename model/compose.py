"""A typed language for exactly the Compose documents that jailoc emits, and no others.

Follows the Compose Specification (https://compose-spec.io), long forms only. What must not be said
has no word here: ports are on loopback, capabilities are an enumeration, there is no field for the
engine's socket, `privileged` is a word of the sidecar alone, and host text is never subject to
interpolation.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from jailoc.model.base import Model
from jailoc.model.mount import Mode
from jailoc.model.sandbox import (
    FIRST_PORT,
    SECCOMP,
    SHARED_PREFIX,
    SIDECAR_SECCOMP,
    WALL,
    shared_volume,
)


class Literally(Model):
    """Text of the user, or from the machine. Emission doubles every `$`, so Compose changes none.

    See https://docs.docker.com/reference/compose-file/interpolation/.
    """

    text: str = Field(pattern=r"^[^\x00]*$")
    origin: str | None = None
    """The configuration entry behind the value; becomes a comment."""


class Capability(StrEnum):
    """Linux capabilities that a service may be given (capabilities(7))."""

    CHOWN = "CHOWN"
    DAC_OVERRIDE = "DAC_OVERRIDE"
    FOWNER = "FOWNER"
    NET_ADMIN = "NET_ADMIN"
    NET_BIND_SERVICE = "NET_BIND_SERVICE"
    SETGID = "SETGID"
    SETPCAP = "SETPCAP"
    SETUID = "SETUID"


class SecurityOption(StrEnum):
    """Entries of `security_opt`."""

    NO_NEW_PRIVILEGES = "no-new-privileges:true"
    SECCOMP = f"seccomp={SECCOMP}"
    SECCOMP_SIDECAR = f"seccomp={SIDECAR_SECCOMP}"
    """Compose reads the file, relative to the project's directory, and hands its text over."""
    APPARMOR_UNCONFINED = "apparmor=unconfined"
    PATHS_UNMASKED = "systempaths=unconfined"


class Sysctl(StrEnum):
    """Settings of the kernel that belong to a network namespace (Documentation/networking)."""

    FIRST_FREE_PORT = "net.ipv4.ip_unprivileged_port_start"
    PING_GROUPS = "net.ipv4.ping_group_range"
    """Whose groups may ping (icmp(7))."""


class Device(StrEnum):
    """Host devices that a service may open."""

    TUN = "/dev/net/tun"


class Port(Model):
    """A port published on the host's loopback address, and nowhere else."""

    published: int = Field(ge=1, le=65535)
    target: int = Field(ge=1, le=65535)
    origin: str | None = None


class Bind(Model):
    """A bind mount. The engine never creates a missing source."""

    source: Literally
    target: Literally
    mode: Mode


class Volume(Model):
    """A named volume of the project, or one that projects share."""

    name: str
    target: str
    mode: Mode = Mode.READ_WRITE
    shared: bool = False
    origin: str | None = None

    def full_name(self, project: str) -> str:
        """Return what the engine calls it."""
        if self.shared:
            return shared_volume(self.name.removeprefix(SHARED_PREFIX))
        return f"{project}_{self.name}"


class MemoryVolume(Model):
    """A named volume that is never on a disk; it lasts as long as a container uses it."""

    name: str
    size: int
    """Bytes."""
    owner: int = 0
    """UID, and GID."""
    mode: int = 0o755


class Tmpfs(Model):
    """A file system in memory."""

    target: str
    size: int
    """Bytes."""
    mode: int
    owner: str = ""
    """UID:GID, where it is not root's."""

    @property
    def options(self) -> str:
        """Return how docker(1) takes it where it has an owner: options of mount(8)."""
        uid, _, gid = self.owner.partition(":")
        return f"size={self.size},mode={self.mode:04o},uid={uid},gid={gid},nosuid,nodev"


Mount = Bind | Volume | Tmpfs


class Health(Model):
    """A health check; times in whole seconds."""

    test: Annotated[tuple[str, ...], Field(min_length=2)]
    interval: int = Field(ge=1)
    timeout: int = Field(ge=1)
    retries: int = Field(ge=1)
    start_period: int = Field(ge=0)


class Limits(Model):
    """Resources of a service. Swap is never added to `memory`."""

    cpus: float = Field(gt=0)
    memory: str
    reservation: str
    pids: int = Field(ge=1)
    origin: str | None = None


class Logs(Model):
    """What the engine keeps of a service's output, in the driver `json-file`; the oldest goes.

    See https://docs.docker.com/engine/logging/drivers/json-file/.
    """

    megabytes: int = Field(default=20, ge=1)
    """Of each file; 2^20 bytes each."""
    files: int = Field(default=3, ge=2)


class Condition(Model):
    """A service that must be healthy first."""

    service: str
    restart: bool = True
    """Whether the one that waits is replaced when this one is."""


class Service(Model):
    """One container. Either it joins a network of the project, or another service's namespace."""

    image: Literally
    labels: dict[str, str] = Field(default_factory=dict)
    user: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...] = ()
    namespace: Literal["own", "firewall", "both", "services"]
    """Of its own, in the project's network, in that of the services, or both; or the wall's."""
    given: bool = True
    """Whether entrypoint and command are said here, or the image's own are used."""
    dns: tuple[str, ...] = ()
    working_dir: Literally | None = None
    environment: dict[str, Literally] = Field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    cap_add: tuple[Capability, ...] = ()
    security: tuple[SecurityOption, ...] = ()
    devices: tuple[Device, ...] = ()
    sysctls: dict[Sysctl, str] = Field(default_factory=dict)
    extra_hosts: dict[str, str] = Field(default_factory=dict)
    read_only: bool = False
    init: bool = False
    """Whether the engine's own init is process 1, as the service's user."""
    limits: Limits
    logs: Logs = Logs()
    health: Health
    after: tuple[Condition, ...] = ()


class Sidecar(Service):
    """The agent's own Docker: the one service that may be privileged."""

    privileged: bool


class Network(Model):
    """The project's bridge network."""

    ipv6_subnet: str | None
    """A unique local prefix (RFC 4193), or None for IPv4 alone."""
    ipv4_subnet: str | None = None
    """None for one that the engine takes from its pools."""
    mtu: int | None = None
    """Bytes of a packet; None for the engine's own."""


class Compose(Model):
    """A whole project."""

    name: str
    services: dict[str, Sidecar | Service]
    network: Network
    volumes: tuple[str, ...]
    shared: tuple[str, ...] = ()
    """Names, in the project, of volumes that other projects may have, too."""
    memory: tuple[MemoryVolume, ...]

    @property
    def beside(self) -> dict[str, Service]:
        """Return the services beside the agent, by name."""
        return {name: each for name, each in self.services.items() if each.namespace == "services"}

    @property
    def server(self) -> Port | None:
        """Return the port on which the agent's server is published; None if it is not."""
        wall = self.services.get(WALL)
        ports = wall.ports if wall else ()
        return next((each for each in ports if each.target == FIRST_PORT), None)

    @field_validator("services")
    @classmethod
    def _one_sidecar(cls, services: dict[str, Service]) -> dict[str, Service]:
        if any(isinstance(each, Sidecar) and name != "dind" for name, each in services.items()):
            raise ValueError("only the sidecar has the word `privileged`")
        return services
