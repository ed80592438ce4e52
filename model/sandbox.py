"""The words of a sandbox: how its services, users, labels, places, sockets and ports are called."""

import re
from collections.abc import Iterable

# Services of the Compose project.
WALL, AGENT, SIDECAR, PROXY = "firewall", "opencode", "dind", "proxy"

# Users, as docker(1) takes them.
AGENT_USER = "1000:1000"
"""Of the agent, where a workspace has no other (`AgentUser`)."""
WITNESS_USER = "65534:65534"
"""Who looks at the agent's processes: none of them can end or trace it (ptrace(2))."""
AGENT_HOME = "/home/agent"
RESOLVER_USER = "65533:65533"
"""Who answers names in the wall, and keeps what it has seen."""
SIDECAR_USER = "65532:65532"
"""Nobody's on the host: UIDs are the kernel's, whatever runs under them."""
RELAY_ID = 65530
"""Of the relay between the agent and its Docker (`dind.sh`)."""
PROXY_ID = 65531
"""Of the proxy that holds credentials; nothing else in a sandbox ever has it."""

# Places inside the containers.
GENERATED = "/etc/jailoc"
"""Where a service finds the generated files that are its own."""
WALL_STATE = "/run/jailoc"
"""The wall's memory: what it has verified, and the names that it has looked up."""
NAMES_STATE = f"{WALL_STATE}/names/state.json"
EVIDENCE, EVIDENCE_PLACE = "evidence", "/evidence"
"""The wall's own volume: what it has seen of connections."""
REFUSED, REFUSED_PLACE = "refused", "/run/jailoc-refused"
"""The volume in which the wall tells the agent what it was refused, where it may know."""
EVIDENCE_FILE = f"{EVIDENCE_PLACE}/evidence.json"
PROBES_NOTE = f"{WALL_STATE}/probes"
"""What `verify` has tried itself."""
SECRETS_PLACE = "/run/secrets"
PASSWORD_FILE = ".server-password"  # noqa: S105 -- a name, not a value
"""Below `SECRETS_PLACE`; no secret of a user can have a dot in its name."""
SSH_SOCKET = "/run/ssh-agent.sock"
PROXY_RUN = "/run/proxy"
"""The proxy's memory: its authority, its certificates, the values."""
TRUST_PLACE = "/run/trust"
"""Where the agent finds the authority that vouches for the proxy."""
PROXY_ADDRESS = "127.0.0.54"
"""What a name with a credential resolves to in the sandbox."""
SIDECAR_RUN = "/run/dind"
SIDECAR_SOCKET = f"unix://{SIDECAR_RUN}/docker.sock"
SECCOMP = "seccomp.json"
SIDECAR_SECCOMP = "dind/seccomp.json"
"""On the host, below the workspace's generated files."""

# Programs of the wall, run by root in it.
FIREWALL = ("/bin/sh", f"{GENERATED}/firewall.sh")
ASK_RESOLVER = ("/usr/bin/python3", "-I", "-S", "-B", f"{GENERATED}/health.py")
"""Ends well if the wall is ready and its own resolver answers."""
HAND_SECRETS = ("/bin/sh", f"{GENERATED}/secrets.sh")
FEED_PROXY = ("/bin/sh", f"{GENERATED}/feed.sh")
"""A program of the proxy's: takes the values of credentials."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where only root can write, in any image."""

TOOLS_GIT_CONFIG = "/etc/jailoc/gitconfig"
"""In the tools image: whose a repository is makes no difference to its Git."""

# Names.
COMPOSE_FILE = "docker-compose.yml"
EMPTY = "agent/empty"
"""Among the generated files; what the agent sees in the place of a file that it is not to have."""
MACHINE_FILE = "wall/machine"
"""What the wall is told of the machine's addresses; it lies beside the generated files."""
MACHINE = "host.docker.internal"
"""How the host is called inside (hosts(5), by Compose's `host-gateway`)."""
ENGINE_NAMES = (
    "gateway.docker.internal", "vm.docker.internal", "kubernetes.docker.internal",
    "docker.for.mac.localhost", "docker.for.mac.host.internal", "docker.for.mac.gateway.internal",
    "docker.for.win.localhost", "docker.for.win.host.internal", "docker.for.win.gateway.internal",
    "host.containers.internal", "host.orb.internal", "host.lima.internal", "host.minikube.internal",
    "host.rancher-desktop.internal", "host.k3d.internal",
)  # fmt: skip
"""What engines call the machine, or the virtual one that they run in, beside that."""
SECRETS = "secrets"
"""The volume, in memory, that secrets are handed over in."""
CREDENTIALS, TRUST = "credentials", "trust"
"""The volumes, in memory, of the proxy alone, and of what the agent is to trust."""
DNS_PORT = 53
FIRST_PORT = 4096
"""Where the server listens; also the first port that is published for a workspace."""

# Labels of a container. Compose's own are told in its specification ("Labels").
DIGEST_LABEL = "dev.jailoc.files"
"""The digest of the generated files that a service mounts."""
SERVICE_LABEL = "dev.jailoc.service"
"""The digest of all else that a container is made from."""
AGENT_LABEL = "dev.jailoc.agent"
"""Which agent a container was made for, and its version."""
TOOLS_LABEL = "dev.jailoc.tools"
"""On a container of the tools image: the workspace that it works for."""
COMPOSE_SERVICE = "com.docker.compose.service"
COMPOSE_PROJECT = "com.docker.compose.project"
COMPOSE_DIRECTORY = "com.docker.compose.project.working_dir"

WORKSPACE = r"[a-z0-9-]+"
"""How the name of a workspace looks."""
TASK = r"[a-z0-9][a-z0-9-]{0,39}"
"""How the name of a task looks."""
_BETWEEN = "_"
"""Between a workspace and its task in the name of the task's sandbox; in the name of neither."""
SANDBOX = rf"{WORKSPACE}({_BETWEEN}{TASK})?"
"""How the name of a sandbox looks: a workspace's own, or a task's."""
DOCKER_SOCKET, DOCKER_DATA = "dind-socket", "dind-data"
"""The volumes of the agent's own Docker: its socket, and what it keeps."""
PROJECT_VOLUME = "project"
"""The volume that a task's clone is on."""
TASK_LABEL = "dev.jailoc.task"
"""On that volume: where it is written down that the task is whole."""
_PROJECT = "jailoc-"


def task_sandbox(workspace: str, task: str) -> str:
    """Return the name of a task's sandbox.

    >>> task_sandbox("api", "fix")
    'api_fix'
    """
    return f"{workspace}{_BETWEEN}{task}"


def task_of(name: str) -> tuple[str, str] | None:
    """Return the workspace and the task that a sandbox is of; None if it is a workspace's own.

    >>> task_of("api_fix")
    ('api', 'fix')
    """
    workspace, between, task = name.partition(_BETWEEN)
    return (workspace, task) if between else None


def typed(name: str) -> str:
    """Return the name of a sandbox as one types it: a task's is WORKSPACE/TASK.

    >>> typed("api_fix")
    'api/fix'
    """
    return name.replace(_BETWEEN, "/", 1)


def untyped(text: str) -> str:
    """Return the name of the sandbox that is meant by what was typed, if it is a task's.

    >>> untyped("api/fix")
    'api_fix'
    """
    return text.replace("/", _BETWEEN, 1) if re.fullmatch(f"{WORKSPACE}/{TASK}", text) else text


def project(workspace: str) -> str:
    """Return the name of the Compose project of a workspace."""
    return f"{_PROJECT}{workspace}"


def data_volume(name: str, workspace: str) -> str:
    """Return the name, in a project, of a volume for what an agent keeps."""
    return f"{name}-{workspace}"


def named_volume(name: str) -> str:
    """Return the name, in a project, of a volume that the configuration names."""
    return f"{VOLUME_PREFIX}{name}"


def service_volume(service: str, name: str) -> str:
    """Return the name, in a project, of a volume of a service beside the agent.

    No name of a service has two hyphens in a row, so none of another one's is the same.
    """
    return f"{SERVICE_PREFIX}{service}--{name}"


def shared_volume(name: str) -> str:
    """Return the engine's name of a volume that workspaces share; it is of no project."""
    return f"jailoc_{SHARED_PREFIX}{name}"


def whole_shared(volume: str) -> str:
    """Return the engine's name of such a volume by that of the compose model."""
    return shared_volume(volume.removeprefix(SHARED_PREFIX))


VOLUME_PREFIX, SERVICE_PREFIX = "volume-", "service-"
SHARED_PREFIX = "shared-"
SHARED_USER_LABEL = "dev.jailoc.shared.user"
"""The number of the user whose workspaces share a volume."""
SHARED_LABEL = "dev.jailoc.shared"
"""On a volume that workspaces share: the name that the configuration gives it."""

ORIGIN_LABEL = "dev.jailoc.directory"
"""On a volume of a workspace: the directory of the generated files that it was made from."""

MADE_LABEL = "dev.jailoc.made"
"""On a volume that jailoc makes: a digest of its name that nobody else can know."""

MOST_NAME = 255
"""Bytes of a volume's name: a directory of the engine's is called so (NAME_MAX, limits.h)."""


def longest_workspace(volumes: Iterable[str]) -> int:
    """Return how long the name of a workspace may be, with volumes of these names.

    A volume's whole name is `PROJECT_VOLUME`, and both hold the workspace's.
    """
    fixed = max(len(f"{project('')}_{data_volume(name, '')}") for name in volumes)
    return (MOST_NAME - fixed) // 2


def workspace_of(name: str) -> str | None:
    """Return the workspace that a Compose project belongs to; None if it is none of jailoc's.

    >>> workspace_of(project("api"))
    'api'
    """
    return name.removeprefix(_PROJECT) if name.startswith(_PROJECT) else None


def engines_name(name: str) -> bool:
    """Tell whether a name, as it is compared, is or holds one that an engine has for a machine.

    >>> [engines_name(each) for each in ("gateway.docker.internal", "*.docker.internal", "a.test")]
    [True, True, False]
    """
    return any(
        name == each or (name.startswith("*.") and each.endswith(name[1:]))
        for each in ENGINE_NAMES
    )  # fmt: skip
