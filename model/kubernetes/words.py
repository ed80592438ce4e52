"""The words of a sandbox on a cluster: its containers, labels, volumes and places."""

from typing import Literal

from jailoc.model import sandbox

WALL, NAMES, HOME, AGENT = "wall", "names", "home", "agent"
"""Containers of the pod: the first loads the rules and ends, the second answers names."""
CLONE = "clone"
"""Begins the name of what clones one source."""

LONGEST = 52
"""Characters of the name of what runs: a controller's label holds it with 11 more (RFC 1123)."""

MANAGER = "jailoc"
"""Of fields (server-side apply), and the value of the label `managed-by`."""
LABEL = "app.kubernetes.io"
INSTANCE = f"{LABEL}/instance"
MANAGED_BY = f"{LABEL}/managed-by"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""What every namespace is labelled with: its name (Kubernetes 1.21)."""
ENFORCE = "pod-security.kubernetes.io/enforce"

SHELL = "/bin/sh"
TUNNEL = "/dev/net/tun"
"""Where a node has its tunnel device, and a container sees it."""
DEVICE = r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+"
"""How the path of a device may look; it stands in expressions, so it has no quotes."""
GATE_PLACE, GATE_SEEN = "/run/gate", "/run/wall"
"""Where the wall writes in which network it has closed what, and where others read it."""
GATE = "127.0.0.54"
"""An address of the sandbox itself that the rules of a closed network drop; others refuse there."""
SUBORDINATE = "subordinate"
"""Which users of the pod an inner Docker's are: a pod's namespace has 65536, and some are taken."""
UPSTREAM = "resolv.conf"
"""What the wall and its resolver ask names of."""

DOCKER_PRICE = (
    "root's start with SETGID and SETUID, privilege escalation, neither seccomp nor AppArmor, "
    "all of /proc and the node's tunnel device"
)
"""What a Docker of the agent's own needs in a pod."""

LOCK_FILE = "images.lock"
"""Beside the configuration: the digests of images in the registry."""


def project(workspace: str) -> str:
    """Return the name of what runs, and what the names of all else begin with."""
    return sandbox.project(workspace)


def labels(workspace: str) -> dict[str, str]:
    """Return the labels of every object of a workspace.

    See https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/.
    """
    return selector(workspace) | {f"{LABEL}/component": "sandbox", MANAGED_BY: MANAGER}


def selector(workspace: str) -> dict[str, str]:
    """Return the labels by which its pod is found; they never change."""
    return {f"{LABEL}/name": "jailoc", INSTANCE: workspace}


PORTS_SYSCTL: Literal["net.ipv4.ip_unprivileged_port_start"] = "net.ipv4.ip_unprivileged_port_start"
"""Of the pod's network: from which port on nobody has to be root to listen (ip-sysctl)."""
