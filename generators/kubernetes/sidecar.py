"""The agent's own Docker in a pod: the daemon without root, behind the gate, and its price."""

from collections.abc import Iterator

from jailoc.model.kubernetes import words
from jailoc.model.kubernetes.pod import (
    ConfigMapSource,
    ContainerProbe,
    EmptyDir,
    Exec,
    PodContainer,
    PodVolume,
    Resources,
    SidecarSecurity,
    TunnelDevice,
    VolumeMount,
)
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.kubernetes.words import GATE_SEEN, SHELL, SUBORDINATE
from jailoc.model.sandbox import (
    DOCKER_DATA,
    DOCKER_SOCKET,
    GENERATED,
    SIDECAR,
    SIDECAR_RUN,
    SIDECAR_SOCKET,
)
from jailoc.model.user import DEFAULT_ID

RUN, DATA, TEMPORARY, TUNNEL = DOCKER_SOCKET, DOCKER_DATA, "dind-tmp", "tun"
"""Volumes of the pod that are its alone, but for the first, which the agent reads."""
USERS = "rootless:2000:63000\n"
"""subuid(5): users of the pod that nobody else in it is. Its namespace has 65536; what is above
63000 in an inner container, as `nobody` is, has none."""
COMMAND = (SHELL, f"{GENERATED}/gate.sh", SHELL, f"{GENERATED}/dind_pod.sh")


def container(image: str, resources: Resources) -> PodContainer:
    """Return the daemon's container, which the agent waits for, and which goes on beside it."""
    user = ("--reuid", str(DEFAULT_ID), "--regid", str(DEFAULT_ID), "--clear-groups")
    ask = ("/usr/bin/timeout", "10", "/usr/bin/docker", "--host", SIDECAR_SOCKET, "version")
    return PodContainer(
        name=SIDECAR,
        image=image,
        command=COMMAND,
        restart_policy="Always",
        security_context=SidecarSecurity(),
        resources=resources,
        # As the agent, so that it is ready when the agent can use it.
        startup_probe=ContainerProbe(
            exec=Exec(command=("/usr/bin/setpriv", *user, *ask)),
            period_seconds=2,
            timeout_seconds=15,
            failure_threshold=60,
        ),
        volume_mounts=(
            VolumeMount(name=SIDECAR, mount_path=GENERATED, read_only=True),
            *(
                VolumeMount(
                    name=SIDECAR, mount_path=place, sub_path=SUBORDINATE, read_only=True
                )
                for place in ("/etc/subuid", "/etc/subgid")
            ),
            VolumeMount(name="gate", mount_path=GATE_SEEN, read_only=True),
            VolumeMount(name=RUN, mount_path=SIDECAR_RUN),
            VolumeMount(name=DATA, mount_path="/home/rootless/.local/share"),
            VolumeMount(name=TEMPORARY, mount_path="/tmp"),  # noqa: S108 -- the container's own
            VolumeMount(name=TUNNEL, mount_path=words.TUNNEL),
        ),
    )  # fmt: skip


def volumes(files: str, settings: KubernetesSettings) -> Iterator[PodVolume]:
    """Yield what the pod has for it; its images and containers go with the pod.

    Args:
        files: The ConfigMap with its programs.
        settings: The cluster, for how much they may be, and where the device is.
    """
    yield PodVolume(name=SIDECAR, config_map=ConfigMapSource(name=files))
    yield PodVolume(name=RUN, empty_dir=EmptyDir(size_limit="4Mi"))
    yield PodVolume(name=DATA, empty_dir=EmptyDir(size_limit=settings.storage))
    yield PodVolume(name=TEMPORARY, empty_dir=EmptyDir(size_limit="64Mi"))
    yield PodVolume(name=TUNNEL, host_path=TunnelDevice(path=settings.tunnel_device))
