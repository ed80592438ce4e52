"""The configuration file as types: what may be written, and where."""

from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict

from jailoc.model import config_values
from jailoc.model.agents.choice import AgentChoice
from jailoc.model.base import Model
from jailoc.model.beside import LONGEST, RESERVED, ServiceConfig, ServiceName
from jailoc.model.beside import NAME as SERVICE_NAME
from jailoc.model.credential import NAME, CredentialConfig
from jailoc.model.credential import Name as CredentialName
from jailoc.model.denied_entry import DeniedHost, DeniedNetwork
from jailoc.model.document import dotted
from jailoc.model.host_set import HostSet, SetName, SetReference
from jailoc.model.kubernetes.settings import ClusterWorkspace, KubernetesSettings
from jailoc.model.network_settings import NetworkSettings
from jailoc.model.published_port import Ports
from jailoc.model.secret import (
    FILE_NAME,
    NOT_FOR_SECRETS,
    VARIABLE,
    Destination,
    Source,
    check_name,
    check_source,
)
from jailoc.model.snapshots import SnapshotSettings
from jailoc.model.task_limit import Pids
from jailoc.model.task_settings import TaskSettings
from jailoc.model.volume import Volume


def _named(destination: Destination) -> Any:
    return AfterValidator(lambda name: check_name(name, destination))


def _names(pattern: str, *never: str) -> dict[str, Any]:
    names: dict[str, Any] = {"pattern": f"^{pattern}$"}
    return {"propertyNames": names | ({"not": {"enum": list(never)}} if never else {})}


OneSource = Annotated[Source, AfterValidator(check_source)]


class Base(Model):
    """What every image is built with."""

    dockerfile: config_values.Dockerfile = Field(
        default="",
        description="Dockerfile of the agent's image, instead of the embedded one: an absolute "
        "path, ~/..., or an http(s) URL.",
    )
    ca_certificates: Annotated[tuple[config_values.Certificate, ...], config_values.Array] = Field(
        default=(),
        description="PEM files added to the trust store of every image that jailoc builds, for "
        "networks whose proxy inspects TLS.",
    )


class Secrets(Model):
    """Values that only the agent gets, by name; a name stands in one of the two tables."""

    env: dict[Annotated[str, _named(Destination.ENVIRONMENT)], OneSource] = Field(
        default_factory=dict,
        description="Secrets that become variables of the agent.",
        json_schema_extra=_names(VARIABLE.pattern, *NOT_FOR_SECRETS),
    )
    file: dict[Annotated[str, _named(Destination.FILE)], OneSource] = Field(
        default_factory=dict,
        description="Secrets that become files /run/secrets/NAME.",
        json_schema_extra=_names(FILE_NAME.pattern),
    )


class Scope(Model):
    """What may stand both in `[defaults]` and in a workspace."""

    mounts: Annotated[tuple[config_values.Mount, ...], config_values.Array] = Field(
        default=(),
        description="Bind mounts HOST:CONTAINER[:ro|rw], laid over the built-in ones by container "
        "path; :CONTAINER removes one.",
    )
    env: Annotated[tuple[config_values.Env, ...], config_values.Array] = Field(
        default=(), description="Environment of the agent as KEY=VALUE, taken literally."
    )
    env_file: Annotated[tuple[config_values.EnvFilePath, ...], config_values.Array] = Field(
        default=(), description="Files of KEY=VALUE lines for the agent's environment."
    )
    secrets: Secrets = Field(
        default=Secrets(), description="Secrets of the agent; values are never written here."
    )
    credentials: dict[CredentialName, CredentialConfig] = Field(
        default_factory=dict,
        description="Credentials that a proxy puts into requests to their hosts, by name; the "
        "agent never holds their values.",
        json_schema_extra=_names(NAME.pattern),
    )
    egress: config_values.EgressMode | None = Field(
        default=None,
        description="What is open without being named: public (default), the internet; allowlist, "
        "nothing, and other names do not resolve; none, nothing at all.",
    )
    allow: Annotated[tuple[SetReference, ...], config_values.Array] = Field(
        default=(),
        description="Sets of hosts the sandbox may reach, as @NAME: shipped ones, such as @github, "
        "or one's own in [sets.NAME].",
    )
    allowed_hosts: Annotated[tuple[config_values.AllowedHost, ...], config_values.Array] = Field(
        default=(),
        description="Host names or addresses the sandbox may reach, in private networks too; "
        "NAME:PORT opens one port.",
    )
    allowed_networks: Annotated[tuple[config_values.AllowedNetwork, ...], config_values.Array] = (
        Field(
            default=(),
            description="Networks the sandbox may reach, as ADDRESS/LENGTH or ADDRESS/LENGTH:PORT.",
        )
    )
    denied_hosts: Annotated[tuple[DeniedHost, ...], config_values.Array] = Field(
        default=(),
        description="Host names that do not resolve in the sandbox, and addresses that it may "
        "not reach, whatever is allowed; ADDRESS:PORT closes one port.",
    )
    denied_networks: Annotated[tuple[DeniedNetwork, ...], config_values.Array] = Field(
        default=(),
        description="Networks the sandbox may not reach, whatever is allowed, as ADDRESS/LENGTH "
        "or ADDRESS/LENGTH:PORT.",
    )
    host_ports: Annotated[tuple[config_values.Port, ...], config_values.Array] = Field(
        default=(),
        description="Ports of this machine the sandbox may reach, at host.docker.internal: a local "
        "model, a database. Nothing else of the machine is open.",
    )
    opencode: AgentChoice | None = Field(
        default=None,
        description='OpenCode to run: "1" (default) or "2", at the version that this jailoc was '
        "tried with, or an exact one. With an image of one's own, what it must have.",
    )
    protect: Annotated[tuple[config_values.Protected, ...], config_values.Array] | None = Field(
        default=None,
        description="Paths inside each workspace path that the agent cannot change, because the "
        "host executes them; replaces the built-in list, [] protects nothing.",
    )
    volumes: Annotated[tuple[Volume, ...], config_values.Array] = Field(
        default=(),
        description="Volumes NAME:PLACE that outlast the container, for caches; ~ is the agent's "
        "home. shared:NAME:PLACE is one and the same for all workspaces that name it.",
    )
    image: config_values.Image | None = Field(
        default=None, description="Image of the agent, instead of the one jailoc builds."
    )
    ssh_auth_sock: bool | None = Field(
        default=None,
        description="Hand the SSH agent's socket and known_hosts to the sandbox (default false).",
    )
    git_config: bool | None = Field(
        default=None, description="Mount the user's Git configuration read-only (default true)."
    )
    git_write: bool | None = Field(
        default=None,
        description="Let the agent write the Git directories of its projects (default true): "
        "commit, stage, change branch. Without, they are read-only as a whole.",
    )
    observe: bool | None = Field(
        default=None,
        description="Write down in the wall where connections go that are let through, for "
        "`jailoc learn` (default false); never what is sent.",
    )
    show_refused: bool | None = Field(
        default=None,
        description="Show the agent what it was refused lately, read-only, in "
        "/run/jailoc-refused/refused.json (default true).",
    )
    expose_port: bool | None = Field(
        default=None,
        description="Publish the server's port on 127.0.0.1 of the host (default true).",
    )
    enable_docker: bool | None = Field(
        default=None, description="Give the agent a rootless Docker of its own (default true)."
    )
    dind_privileged: bool | None = Field(
        default=None,
        description="Run that Docker in a privileged container, so that --privileged works inside "
        "(default false). Whoever becomes root in it is root on this machine.",
    )
    cpu: config_values.Cpu | None = Field(
        default=None, description="Number of CPUs, a float (default 2.0)."
    )
    memory: config_values.Memory | None = Field(
        default=None, description="Limit of memory: digits with k, m or g (default 4g)."
    )
    pids: Pids | None = Field(
        default=None,
        description="Limit of processes and threads, of the agent and of its Docker each "
        "(default 2048).",
    )
    network: NetworkSettings = Field(
        default=NetworkSettings(), description="The sandbox's own network: mtu and subnet."
    )
    snapshots: SnapshotSettings = Field(
        default=SnapshotSettings(),
        description="Snapshots of the workspace paths, which `jailoc undo` returns to.",
    )
    tasks: TaskSettings = Field(
        default=TaskSettings(), description="What bounds the tasks beside it: limit, memory, ports."
    )

    @property
    def agent(self) -> str | None:
        """Return the agent that is named here, if one is."""
        return self.opencode


class Defaults(Scope):
    """What holds for every workspace that does not say otherwise."""


class Expect(Model):
    """What the rules of a workspace must and must not open; checked before anything runs."""

    reach: Annotated[tuple[config_values.Reached, ...], config_values.Array] = Field(
        default=(),
        description="Hosts and networks that must be open: names that are allowed, addresses, "
        "networks, each with :PORT or without.",
    )
    block: Annotated[tuple[config_values.Blocked, ...], config_values.Array] = Field(
        default=(),
        description="Addresses and networks that must be closed, entirely and on every port.",
    )


_EXCLUSIVE: JsonDict = {
    "not": {
        "anyOf": [
            {
                "required": ["image", other],
                "properties": {"image": {"minLength": 1}, other: {"minLength": 1}},
            }
            for other in ("dockerfile", "build_context")
        ]
    }
}


class WorkspaceConfig(Scope):
    """One sandbox."""

    # In the definition itself: editors pass over what stands beside a reference to it.
    model_config = ConfigDict(json_schema_extra=_EXCLUSIVE)

    paths: Annotated[tuple[config_values.Path, ...], config_values.Array] = Field(
        default=(),
        description="Directories of the host that the agent works in, at the same path inside.",
    )
    port: config_values.Port | None = Field(
        default=None,
        description="Port of the server on 127.0.0.1 of the host; by default 4096 and the place of "
        "the workspace in the order of all names.",
    )
    ports: Annotated[tuple[Ports, ...], config_values.Array] = Field(
        default=(),
        description="Ports inside the sandbox that are published on 127.0.0.1 of the host, for "
        "what the agent serves: PORT, HOST:INSIDE, or ranges such as 5173-5180.",
    )
    mode: config_values.AttachMode | None = Field(
        default=None, description="How to attach to this one, instead of what the top level says."
    )
    services: dict[ServiceName, ServiceConfig] = Field(
        default_factory=dict,
        description="Containers beside the agent, by the name that it reaches them at.",
        json_schema_extra={
            "propertyNames": {
                "pattern": f"^{SERVICE_NAME}$",
                "maxLength": LONGEST,
                "not": {"enum": list(RESERVED)},
            }
        },
    )
    acp_mcp: bool = Field(
        default=False,
        description="Hand the MCP servers of an editor, their commands and tokens, to the agent "
        "through `jailoc acp` (default false).",
    )
    expect: Expect = Field(
        default=Expect(), description="What must be open and what must be closed."
    )
    dockerfile: config_values.Dockerfile = Field(
        default="",
        description="Dockerfile laid over the image (FROM ${BASE}): an absolute path, ~/..., or an "
        "http(s) URL.",
    )
    build_context: config_values.BuildContext = Field(
        default="",
        description="Build context of `dockerfile`; by default the directory it lies in.",
    )
    kubernetes: ClusterWorkspace = Field(
        default=ClusterWorkspace(), description="What it has on a cluster, and there alone."
    )


class TaskConfig(WorkspaceConfig):
    """A task: its workspace, with a clone on a volume in the place of what that mounts.

    It stands in no file; `jailoc.generators.config.tasks` makes it.
    """

    workspace: str
    """The workspace that it is a task of."""
    repository: str
    """Where the clone is, in the container: where the repository is on the host."""


class Config(Model):
    """The whole file."""

    mode: config_values.AttachMode = Field(
        default="", description="How to attach: exec, as empty is, or remote."
    )
    password_mode: config_values.PasswordMode = Field(
        default="auto", description="Where the server's password is kept: auto, env, keyring, file."
    )
    trust: Annotated[tuple[config_values.Trusted, ...], config_values.Array] = Field(
        default=(),
        description="Files and directories that steer the host although an agent can change them.",
    )
    ignore_drift: Annotated[tuple[config_values.DriftPattern, ...], config_values.Array] = Field(
        default=(),
        description="Addresses of drift that is noise, as `jailoc plan` names them; `*` stands for "
        "anything.",
    )
    base: Base = Field(default=Base(), description="Images: what every one is built with.")
    sets: dict[SetName, HostSet] = Field(
        default_factory=dict,
        description="Sets of hosts, by the name that `allow` names them by.",
        json_schema_extra={"propertyNames": {"pattern": "^[a-z0-9][a-z0-9-]{0,39}$"}},
    )
    kubernetes: KubernetesSettings | None = Field(
        default=None, description="The cluster that `--target kubernetes` is for."
    )
    defaults: Defaults = Field(default=Defaults(), description="What holds for every workspace.")
    workspaces: dict[
        config_values.WorkspaceName,
        WorkspaceConfig,
    ] = Field(
        default_factory=dict,
        description="The sandboxes, by name.",
        json_schema_extra={
            "propertyNames": {"pattern": "^[a-z0-9-]+$", "maxLength": config_values.LONGEST_NAME}
        },
    )

    @cached_property
    def order(self) -> dict[str, int]:
        """Return the workspaces in byte order of their names, each with its place in it.

        Tasks are none.
        """
        tasks = frozenset(self.tasks)
        every = (name for name in sorted(self.workspaces) if name not in tasks)
        return {name: index for index, name in enumerate(every)}

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return the sandboxes that are tasks, in byte order."""
        every = sorted(self.workspaces.items())
        return tuple(name for name, each in every if isinstance(each, TaskConfig))

    def scope(self, name: str) -> str:
        """Return the table that a sandbox is described in: of a task, that of its workspace."""
        mine = self.workspaces.get(name)
        return dotted(("workspaces", mine.workspace if isinstance(mine, TaskConfig) else name))
