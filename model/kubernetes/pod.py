"""The pod of a sandbox, and the StatefulSet that keeps one of it running.

The fields that hold it in are not fields but constants: no container can be written that runs with
more than these types allow.
"""

from typing import Literal

from pydantic import Field

from jailoc.model.kubernetes.objects import ClusterModel, LabelSelector, Metadata
from jailoc.model.kubernetes.words import DEVICE, TUNNEL


class Capabilities(ClusterModel):
    """All are dropped; only the wall gets one back."""

    add: tuple[Literal["NET_ADMIN"], ...] | None = None
    drop: tuple[Literal["ALL"]] = ("ALL",)


class Profile(ClusterModel):
    """The seccomp profile of the container runtime."""

    type: Literal["RuntimeDefault"] = "RuntimeDefault"


class ContainerSecurity(ClusterModel):
    """As whom a container runs, and with what."""

    run_as_user: int
    run_as_group: int
    run_as_non_root: bool
    allow_privilege_escalation: Literal[False] = False
    read_only_root_filesystem: Literal[True] = True
    capabilities: Capabilities = Capabilities()


class Unconfined(ClusterModel):
    """No profile: every profile that a cluster has by itself refuses what an inner Docker needs."""

    type: Literal["Unconfined"] = "Unconfined"


class SidecarCapabilities(ClusterModel):
    """What gives users to the daemon's namespace, and nothing else."""

    add: tuple[Literal["SETGID"], Literal["SETUID"]] = ("SETGID", "SETUID")
    drop: tuple[Literal["ALL"]] = ("ALL",)


class SidecarSecurity(ClusterModel):
    """With what a Docker of the agent's own starts: its price, and no field of it can be more."""

    run_as_user: Literal[0] = 0
    run_as_group: Literal[0] = 0
    run_as_non_root: Literal[False] = False
    allow_privilege_escalation: Literal[True] = True
    read_only_root_filesystem: Literal[True] = True
    capabilities: SidecarCapabilities = SidecarCapabilities()
    proc_mount: Literal["Unmasked"] = "Unmasked"
    """Only in a user namespace of the pod's own (Kubernetes 1.33)."""
    seccomp_profile: Unconfined = Unconfined()
    app_armor_profile: Unconfined = Unconfined()


class Amounts(ClusterModel):
    """Processors and memory (https://kubernetes.io/docs/reference/kubernetes-api/ quantities)."""

    cpu: str
    memory: str


class Resources(ClusterModel):
    """What a container is promised, and what it may have."""

    requests: Amounts
    limits: Amounts


class Exec(ClusterModel):
    """A command in the container."""

    command: tuple[str, ...]


class ContainerProbe(ClusterModel):
    """A question to a container; times in seconds. A password would be seen in any other kind."""

    exec: Exec
    period_seconds: int
    timeout_seconds: int
    failure_threshold: int


class VariableValue(ClusterModel):
    """A variable; `$` is doubled, so that none is put in for another."""

    name: str
    value: str


class VolumeMount(ClusterModel):
    """Where a volume is seen."""

    name: str
    mount_path: str
    sub_path: str | None = None
    read_only: bool | None = None


class PodContainer(ClusterModel):
    """One container."""

    name: str
    image: str = Field(pattern=r"@sha256:[0-9a-f]{64}$")
    image_pull_policy: Literal["IfNotPresent"] = "IfNotPresent"
    command: tuple[str, ...]
    restart_policy: Literal["Always"] | None = None
    """Of an init container: it goes on running beside the others (Kubernetes 1.29)."""
    working_dir: str | None = None
    env: tuple[VariableValue, ...] | None = None
    ports: tuple["ContainerPort", ...] | None = None
    security_context: ContainerSecurity | SidecarSecurity
    resources: Resources
    startup_probe: ContainerProbe | None = None
    readiness_probe: ContainerProbe | None = None
    volume_mounts: tuple[VolumeMount, ...]


class ContainerPort(ClusterModel):
    """A port that a container serves on; it opens nothing."""

    name: str
    container_port: int
    protocol: Literal["TCP"] = "TCP"


class KeyPath(ClusterModel):
    """A key of a ConfigMap or Secret, and the file that it becomes."""

    key: str
    path: str


class ConfigMapSource(ClusterModel):
    """Files of a ConfigMap."""

    name: str
    items: tuple[KeyPath, ...] | None = None
    default_mode: int = 0o444


class SecretSource(ClusterModel):
    """Files of a Secret that somebody else has made."""

    secret_name: str
    items: tuple[KeyPath, ...]
    default_mode: int = 0o440
    optional: Literal[False] = False


class EmptyDir(ClusterModel):
    """A directory that lasts as long as the pod."""

    size_limit: str | None = None


class ClaimSource(ClusterModel):
    """A claim."""

    claim_name: str


class TunnelDevice(ClusterModel):
    """The one file of the node: the device through which an inner Docker's packets come out."""

    path: str = Field(default=TUNNEL, pattern=f"^{DEVICE}$")
    type: Literal["CharDevice"] = "CharDevice"


class PodVolume(ClusterModel):
    """A volume of the pod."""

    name: str
    config_map: ConfigMapSource | None = None
    secret: SecretSource | None = None
    empty_dir: EmptyDir | None = None
    persistent_volume_claim: ClaimSource | None = None
    host_path: TunnelDevice | None = None


class PodSysctl(ClusterModel):
    """A setting of the kernel in the pod's network, of those that every cluster allows."""

    name: Literal["net.ipv4.ip_unprivileged_port_start"]
    value: str


class PodSecurity(ClusterModel):
    """What holds for all containers that say nothing else."""

    run_as_non_root: Literal[True] = True
    fs_group: int
    fs_group_change_policy: Literal["OnRootMismatch"] = "OnRootMismatch"
    seccomp_profile: Profile = Profile()
    sysctls: tuple[PodSysctl, ...]


class DnsConfig(ClusterModel):
    """Who is asked for names."""

    nameservers: tuple[Literal["127.0.0.1"]] = ("127.0.0.1",)


class PullSecret(ClusterModel):
    """A Secret that a registry is asked with."""

    name: str


class PodSpec(ClusterModel):
    """The pod. There is no word for the node's network, processes, IPC or users."""

    automount_service_account_token: Literal[False] = False
    enable_service_links: Literal[False] = False
    host_users: Literal[False] | None = False
    """False is a user namespace of its own; None where the cluster has none."""
    dns_policy: Literal["None"] = "None"
    dns_config: DnsConfig = DnsConfig()
    termination_grace_period_seconds: int = 30
    security_context: PodSecurity
    image_pull_secrets: tuple[PullSecret, ...] | None = None
    init_containers: tuple[PodContainer, ...]
    containers: tuple[PodContainer, ...]
    volumes: tuple[PodVolume, ...]


class PodMetadata(ClusterModel):
    """Of the pod that is made from a template."""

    labels: dict[str, str]
    annotations: dict[str, str] | None = None


class PodTemplate(ClusterModel):
    """What pods are made from."""

    metadata: PodMetadata
    spec: PodSpec


class StatefulSetSpec(ClusterModel):
    """One pod: a second one is made only when the first is known to be gone."""

    service_name: str
    replicas: Literal[1] = 1
    selector: LabelSelector
    template: PodTemplate


class StatefulSet(ClusterModel):
    """What keeps the pod running."""

    api_version: Literal["apps/v1"] = "apps/v1"
    kind: Literal["StatefulSet"] = "StatefulSet"
    metadata: Metadata
    spec: StatefulSetSpec
