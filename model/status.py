"""What can be seen of one workspace from outside: whether it runs, what it uses, how it stands."""

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.power import Rank


class Usage(Model):
    """What one container uses now, as the engine measures it."""

    cpu: float
    """Per cent of one CPU, between two samples."""
    memory: int
    """Bytes, without the file cache that the kernel would give back."""
    memory_limit: int
    pids: int
    received: int
    sent: int
    read: int
    written: int


class ContainerLimits(Model):
    """What a container may use; None for no limit."""

    cpus: float | None = None
    memory: int | None = None
    pids: int | None = None


class CredentialStatus(Model):
    """What a workspace's proxy has done with a credential."""

    name: str
    given: bool
    """Whether the proxy holds a value."""
    used: int | None = None
    """Seconds since the last request that had it, as far as the log goes back."""
    refused: int = 0
    """Requests that the proxy did not send, as far as the log goes back."""


class GravePower(Model):
    """Something that a sandbox may do, and a reviewer should know."""

    rank: Rank
    text: str


class Status(Model):
    """One workspace."""

    workspace: str
    configured: bool | None
    """Whether the configuration has it; None if it cannot be used."""
    problem: str | None = None
    """Why the configuration cannot be compiled for it, or that an undo of it is not finished."""
    state: str
    """Of the agent, in the engine's words, with its health; `not running` without a container, and
    `no network: ...` if it runs in a namespace that its wall has left."""
    services: dict[str, str] = Field(default_factory=dict)
    """The state of each service beside the agent, by name."""
    wall: str
    docker: str
    """Of the agent's Docker; `off` where the configuration wants none."""
    port: int | None
    """On the host: of the running container, else of the configuration."""
    exposed: bool
    attach: str | None = None
    """The command that opens a client on it, where it runs."""
    ports: tuple[tuple[int, int], ...] = ()
    """What else is published, of the running container or of the configuration: the port of this
    machine, and the one inside."""
    uptime: int | None = None
    """Seconds."""
    usage: Usage | None = None
    """Of the agent; what goes through the network is the whole workspace's."""
    stats: str | None = None
    """Why there is no usage although it runs."""
    limits: ContainerLimits = ContainerLimits()
    agent: str | None = None
    """Which agent its container was made for, with the version."""
    image: str | None = None
    image_current: bool | None = None
    """Whether it is the image that the configuration gives now."""
    pids_refused: int | None = None
    """How often the agent was refused a process or thread since it started, because of its limit;
    None where that cannot be seen."""
    open: str | None = None
    """What it may reach, in one line, if one workspace was asked about and runs as configured."""
    grave: tuple[GravePower, ...] = ()
    """What it may do, as it was applied last, that no sandbox may by itself and is critical or
    high, if one workspace was asked about."""
    blocked: int | None = None
    """Places that it was refused, of those that the kernel remembers."""
    unresolved: tuple[str, ...] = ()
    """Allowed names that have no address now."""
    credentials: tuple[CredentialStatus, ...] = ()
    """Of a running proxy."""
    proxy: str | None = None
    """Of the proxy, in the words of `state`, where there are credentials and a running agent."""
    uncovered: tuple[str, ...] = ()
    """What the host would execute and the running agent can write: it came after the start."""
    uncoverable: tuple[str, ...] = ()
    """The same where nothing can be covered, each with the reason."""
    committed: tuple[str, ...] = ()
    """What the user's own Git would write over what is covered, since an agent has staged or
    committed it."""
    password: str | None = None
    """Where the server's password is, if one workspace was asked about: `env`, `keyring`, `file`,
    `none` or `unknown`."""
    snapshots: int | None = None
    """How many there are; None where the configuration says nothing of them, or nothing runs."""
    snapshot_age: int | None = None
    """Seconds since the last one was taken; None where there is none."""
    drift: bool | None = None
    """Whether it runs as something else than the configuration says."""
    by_hand: bool = False
    """Whether some of that is no change of the configuration's, but what runs was changed."""

    @property
    def here(self) -> bool:
        """Tell whether there is a container of the agent's."""
        return self.state != NOT_RUNNING

    @property
    def well(self) -> bool:
        """Tell whether there is nothing that its logs would explain."""
        return self.state in {NOT_RUNNING, "running", "running (starting)"}


NOT_RUNNING = "not running"
RULES_DIFFER = "rules differ"
"""Of a running wall that has other rules than those that it was given."""
