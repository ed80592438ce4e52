"""What `jailoc doctor` looks at: facts of a machine, and what each of them means."""

from collections.abc import Iterable
from enum import StrEnum

from jailoc.model.base import Model


class CheckState(StrEnum):
    """How a check went: a warning may matter later, a failure keeps sandboxes from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Row(Model):
    """One check."""

    check: str
    state: CheckState
    found: str
    """What there is. It holds no value of a variable and no credential."""
    meaning: str = ""
    """What follows from it; empty where all is well."""
    mend: str = ""
    """The command, or the step, that mends it."""


class MachinePlace(Model):
    """A directory that a sandbox or jailoc itself uses."""

    name: str
    """What it is for, such as `generated files` or `workspace api`."""
    path: str
    kind: str
    """The file system's type as the kernel calls it; empty if it does not say."""
    exists: bool = True
    folds: bool = False
    """Whether names that differ only in case are one name there."""
    writable: bool = True
    """Whether this user can write there."""
    owner: int | None = None
    free: int | None = None
    """Bytes that this user can still write."""
    entries: int | None = None
    """Files that can still be made; None where that has no limit."""


class ExposedFile(Model):
    """A file or directory that another user of the machine can change or exchange."""

    name: str
    """What it is for, as that of a place."""
    why: str
    refused: bool
    """Whether nothing is started while it is so."""


class PortUse(Model):
    """A port of a workspace."""

    workspace: str
    port: int
    taken: bool
    """Whether something listens there that is no container of that workspace."""


TAKE_AWAY = "take that right away (`chmod o-w`, `setfacl --remove`)"
"""What mends a file that another user can change."""


def trust(authorities: Iterable[str], config: str = "config.toml") -> str:
    """Return the line that makes builds trust authorities, and where to write it."""
    named = ", ".join(f'"{each}"' for each in authorities)
    return f"write `ca_certificates = [{named}]` below [base] in {config}"


class EngineFacts(Model):
    """What the engine says about itself."""

    address: str = ""
    local: bool = True
    trouble: str = ""
    """Why it cannot be used; empty if it can."""
    mend: str = ""
    client: str = ""
    version: str = ""
    compose: str = ""
    name: str = ""
    """The operating system that it names."""
    security: tuple[str, ...] = ()
    cgroup: str = ""
    driver: str = ""
    """What keeps its images."""
    memory_limits: bool = True
    pids_limits: bool = True
    offset: float | None = None
    """Seconds that its clock is ahead of this machine's."""
    folder: MachinePlace | None = None
    """Where it keeps its data, if that is on this machine."""


class Machine(Model):
    """A machine, its user and its engine, at one moment."""

    jailoc: str
    python: str
    system: str
    year: int
    config: str
    """Of the configuration: `valid`, `none`, or what is wrong first."""
    config_valid: bool = True
    engine: EngineFacts
    uid: int
    gid: int
    subuid: bool
    """Whether the user has as many subordinate ids as an engine without root wants (subuid(5))."""
    namespaces: int | None = None
    """User namespaces that may be made; None where the kernel does not say."""
    unprivileged: bool | None = None
    """Whether users may make them at all, where a distribution's kernel has a switch for that."""
    apparmor: bool = False
    """Whether AppArmor keeps unconfined programs from using them."""
    tunnels: bool = True
    """Whether there is `/dev/net/tun`."""
    reverse_path: bool | None = None
    """Whether packets are dropped whose sender is elsewhere; None where nobody says, or where no
    workspace has a service."""
    places: tuple[MachinePlace, ...] = ()
    exposed: tuple[ExposedFile, ...] = ()
    resolvers: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    """Variables that name one."""
    certificates: bool = False
    """Whether the configuration has certificates of its own."""
    authorities: tuple[str, ...] = ()
    """Files of authorities that somebody has added to those of this machine, where a build that
    does not know them is made here."""
    file: str = "config.toml"
    """Where the configuration is, or would be."""
    keyring: str = ""
    """Why there is none; empty if there is one."""
    password_mode: str = "auto"  # noqa: S105 -- a mode
    ports: tuple[PortUse, ...] = ()
