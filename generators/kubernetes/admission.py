"""What the namespace must admit, and nothing more: the wall's capability, and restricted pods.

Pod Security judges a pod as a whole, and NET_ADMIN is more than its Baseline; so the namespace
enforces `privileged`, and this is what holds it in (Pod Security Standards, "Restricted").
"""

from collections.abc import Iterable

from jailoc.generators.kubernetes import sidecar
from jailoc.model.kubernetes.admission import (
    AdmissionBinding,
    AdmissionBindingSpec,
    AdmissionPolicy,
    AdmissionSpec,
    MatchConstraints,
    MatchResources,
    ResourceRule,
    Validation,
)
from jailoc.model.kubernetes.objects import KubeNamespace, LabelSelector, Metadata
from jailoc.model.kubernetes.pod import SidecarCapabilities, TunnelDevice
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.kubernetes.words import (
    AGENT,
    CLONE,
    ENFORCE,
    HOME,
    MANAGED_BY,
    MANAGER,
    NAMES,
    NAMESPACE_LABEL,
    PORTS_SYSCTL,
    SHELL,
    WALL,
)
from jailoc.model.sandbox import GENERATED, SIDECAR

_LABELS = {MANAGED_BY: MANAGER}
_EVERY = (
    "has(c.securityContext) && has(c.securityContext.capabilities) && "
    "has(c.securityContext.capabilities.drop) && "
    "c.securityContext.capabilities.drop.exists(d, d == 'ALL') && "
    "has(c.securityContext.readOnlyRootFilesystem) && "
    "c.securityContext.readOnlyRootFilesystem == true && "
    "(!has(c.securityContext.privileged) || c.securityContext.privileged == false) && "
    "(!has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0))"
)
"""Of every container, also of an agent's own Docker."""
_OURS = (
    f"{_EVERY} && "
    "has(c.securityContext.allowPrivilegeEscalation) && "
    "c.securityContext.allowPrivilegeEscalation == false && "
    "(!has(c.securityContext.procMount) || c.securityContext.procMount == 'Default') && "
    "(!has(c.securityContext.seccompProfile) || "
    "c.securityContext.seccompProfile.type == 'RuntimeDefault') && "
    "(!has(c.securityContext.appArmorProfile) || "
    "c.securityContext.appArmorProfile.type != 'Unconfined')"
)
"""Of every other container, the wall's too."""
_RESTRICTED = (
    f"{_OURS} && "
    "(!has(c.securityContext.capabilities.add) || "
    "size(c.securityContext.capabilities.add) == 0) && "
    "has(c.securityContext.runAsNonRoot) && c.securityContext.runAsNonRoot == true && "
    "has(c.securityContext.runAsUser) && c.securityContext.runAsUser > 0"
)
_LABELLED = (
    "(!has({0}.seLinuxOptions) || (!has({0}.seLinuxOptions.user) && !has({0}.seLinuxOptions.role) "
    "&& (!has({0}.seLinuxOptions.type) || "
    "{0}.seLinuxOptions.type in ['', 'container_t', 'container_init_t'])))"
)
"""Of a security context: a level may be a cluster's own, and no type is more than a container's."""
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")


def namespace(settings: KubernetesSettings) -> KubeNamespace:
    """Return the namespace, labelled for what its pods need, and to be told of all beyond."""
    level = {"enforce": "privileged", "warn": "restricted", "audit": "restricted"}
    return KubeNamespace(
        metadata=Metadata(
            name=settings.namespace,
            labels=_LABELS
            | {f"{ENFORCE.rpartition('/')[0]}/{key}": value for key, value in level.items()},
        )
    )


def admission(
    settings: KubernetesSettings, walls: Iterable[str], sidecars: Iterable[str] = ()
) -> tuple[AdmissionPolicy, AdmissionBinding]:
    """Return what an administrator applies once.

    Args:
        settings: The cluster.
        walls: Images of the wall, with digests.
        sidecars: Images of an agent's own Docker, with digests; none where no agent has one.
    """
    name = f"jailoc-{settings.namespace}"
    return (
        AdmissionPolicy(
            metadata=Metadata(name=name, labels=_LABELS),
            spec=AdmissionSpec(
                match_constraints=MatchConstraints(
                    resource_rules=(
                        ResourceRule(
                            api_groups=("",),
                            api_versions=("v1",),
                            operations=("CREATE", "UPDATE"),
                            resources=("pods", "pods/ephemeralcontainers"),
                        ),
                    )
                ),
                validations=tuple(
                    _validations(sorted(set(walls)), sorted(set(sidecars)), settings.tunnel_device)
                ),
            ),
        ),
        AdmissionBinding(
            metadata=Metadata(name=name, labels=_LABELS),
            spec=AdmissionBindingSpec(
                policy_name=name,
                match_resources=MatchResources(
                    namespace_selector=LabelSelector(
                        match_labels={NAMESPACE_LABEL: settings.namespace}
                    )
                ),
            ),
        ),
    )


def _list(words: Iterable[str]) -> str:
    quoted = ", ".join(f"'{each}'" for each in words)
    return f"[{quoted}]"


def _one(name: str, images: list[str], command: tuple[str, ...], powers: tuple[str, ...]) -> str:
    """Return that a container is one of ours, by its name, image and command, with its powers."""
    return (
        f"c.name == '{name}' && c.image in {_list(images)} && has(c.command) && "
        f"c.command == {_list(command)} && !has(c.args) && "
        "has(c.securityContext.capabilities.add) && "
        f"c.securityContext.capabilities.add == {_list(powers)}"
    )


def _validations(walls: list[str], sidecars: list[str], device_path: str) -> Iterable[Validation]:
    command = (SHELL, f"{GENERATED}/wall.sh", "init")
    wall = f"!has(c.restartPolicy) && {_OURS} && {_one(WALL, walls, command, ('NET_ADMIN',))}"
    kinds: tuple[str, ...] = (WALL,)
    known = f"({wall})"
    if sidecars:
        # What else it may have is the price of a Docker of the agent's own; it is told by plan.
        docker = _one(SIDECAR, sidecars, sidecar.COMMAND, SidecarCapabilities().add)
        goes_on = "has(c.restartPolicy) && c.restartPolicy == 'Always'"
        known += f" || ({goes_on} && {_EVERY} && {docker})"
        kinds = (WALL, SIDECAR)
    others = " && ".join(f"c.name != '{each}'" for each in kinds)
    yield Validation(
        expression="has(object.spec.initContainers) && size(object.spec.initContainers) > 0 && "
        f"object.spec.initContainers[0].name == '{WALL}'",
        message="the wall is the first that runs",
    )
    yield Validation(
        expression=f"object.spec.initContainers.all(c, {known} || ({others} && {_RESTRICTED}))",
        message="only the wall, of this image, by this command, may be root and have NET_ADMIN"
        + (
            f"; only {SIDECAR}, of its image, by its command, what Docker needs" if sidecars else ""
        ),
    )
    yield Validation(
        expression=f"object.spec.containers.all(c, {_RESTRICTED})",
        message="a container is restricted: no capability, no root, nothing to gain",
    )
    yield Validation(
        expression=f"object.spec.containers.all(c, c.name == '{AGENT}') && "
        "object.spec.initContainers.all(c, "
        f"c.name.matches('^({'|'.join((*kinds, NAMES, HOME))}|{CLONE}-[0-9]+)$'))",
        message="nothing is put into the pod: a proxy in it would be a way past the wall",
    )
    yield Validation(
        expression="!has(object.spec.ephemeralContainers) || "
        "size(object.spec.ephemeralContainers) == 0",
        message="no ephemeral containers",
    )
    yield Validation(
        expression=" && ".join(
            f"(!has(object.spec.{each}) || object.spec.{each} == false)"
            for each in ("hostNetwork", "hostPID", "hostIPC")
        ),
        message="no namespace of the node",
    )
    device = ""
    if sidecars:
        device = (
            f" || (v.name == '{sidecar.TUNNEL}' && has(v.hostPath) && "
            f"v.hostPath.path == '{device_path}' && has(v.hostPath.type) && "
            f"v.hostPath.type == '{TunnelDevice().type}')"
        )
        yield from _docker()
    yield Validation(
        expression="!has(object.spec.volumes) || object.spec.volumes.all(v, has(v.configMap) || "
        f"has(v.secret) || has(v.emptyDir) || has(v.persistentVolumeClaim){device})",
        message="no path of the node, and no token of the API"
        if not device
        else f"no path of the node but {device_path}, and no token of the API",
    )
    yield from _restricted()
    yield Validation(
        expression="has(object.spec.securityContext) && "
        "has(object.spec.securityContext.seccompProfile) && "
        "object.spec.securityContext.seccompProfile.type == 'RuntimeDefault'",
        message="the runtime's own seccomp profile",
    )
    yield Validation(
        expression="!has(object.spec.securityContext) || "
        "!has(object.spec.securityContext.appArmorProfile) || "
        "object.spec.securityContext.appArmorProfile.type != 'Unconfined'",
        message="no pod without AppArmor",
    )


def _restricted() -> Iterable[Validation]:
    """Yield what Pod Security asks of every container, and of the pod beside it."""
    pod = "object.spec.securityContext"
    yield Validation(
        expression=f"(!has({pod}) || {_LABELLED.format(pod)}) && "
        + _every(_LABELLED.format("c.securityContext")),
        message="no label of SELinux but that of a container",
    )
    yield Validation(
        expression=f"(!has({pod}) || !has({pod}.windowsOptions)) && "
        + _every("!has(c.securityContext.windowsOptions)"),
        message="nothing of Windows",
    )
    yield Validation(
        expression=f"!has({pod}) || !has({pod}.sysctls) || "
        f"{pod}.sysctls.all(s, s.name == '{PORTS_SYSCTL}')",
        message="no setting of the kernel but the pod's own",
    )
    asked = [f"c.{each}" for each in _PROBES] + [f"c.lifecycle.{each}" for each in _HOOKS]
    here = " && ".join(
        f"(!has({place}) || !has({place}.{kind}) || !has({place}.{kind}.host) || "
        f"{place}.{kind}.host == '')"
        for place in asked
        for kind in ("httpGet", "tcpSocket")
    )
    hooks = here.replace("(!has(c.lifecycle.", "(!has(c.lifecycle) || !has(c.lifecycle.")
    yield Validation(
        expression=_every(hooks), message="the node asks no other host for the health of one"
    )
    yield Validation(
        expression="(!has(object.spec.shareProcessNamespace) || "
        "object.spec.shareProcessNamespace == false) && !has(object.spec.resourceClaims) && "
        + _every("!has(c.volumeDevices)"),
        message="no processes of each other's, and no devices",
    )


def _every(condition: str) -> str:
    """Return that something is true of every container, `c`."""
    lists = ("containers", "initContainers")
    return " && ".join(f"object.spec.{each}.all(c, {condition})" for each in lists)


def _docker() -> Iterable[Validation]:
    """Yield what else is true of a pod whose agent has a Docker of its own."""
    without = f"!has(c.volumeMounts) || c.volumeMounts.all(m, m.name != '{sidecar.TUNNEL}')"
    yield Validation(
        expression=f"object.spec.containers.all(c, {without}) && "
        f"object.spec.initContainers.all(c, c.name == '{SIDECAR}' || {without})",
        message=f"nobody but {SIDECAR} has the device of the node",
    )
    yield Validation(
        expression=f"!object.spec.initContainers.exists(c, c.name == '{SIDECAR}') || "
        "(has(object.spec.hostUsers) && object.spec.hostUsers == false)",
        message=f"{SIDECAR} runs in a user namespace of the pod's own",
    )
