"""What the namespace must admit, and nothing more: the wall's capability, and restricted pods.

Pod Security judges a pod as a whole, and NET_ADMIN is more than its Baseline; so the namespace
enforces `privileged`, and this is what holds it in (Pod Security Standards, "Restricted").
"""

from collections.abc import Iterable

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
    WALL,
)
from jailoc.model.sandbox import GENERATED

_LABELS = {MANAGED_BY: MANAGER}
_OURS = (
    "has(c.securityContext) && has(c.securityContext.capabilities) && "
    "has(c.securityContext.capabilities.drop) && "
    "c.securityContext.capabilities.drop.exists(d, d == 'ALL') && "
    "has(c.securityContext.allowPrivilegeEscalation) && "
    "c.securityContext.allowPrivilegeEscalation == false && "
    "has(c.securityContext.readOnlyRootFilesystem) && "
    "c.securityContext.readOnlyRootFilesystem == true && "
    "(!has(c.securityContext.privileged) || c.securityContext.privileged == false) && "
    "(!has(c.securityContext.procMount) || c.securityContext.procMount == 'Default') && "
    "(!has(c.securityContext.seccompProfile) || "
    "c.securityContext.seccompProfile.type == 'RuntimeDefault')"
)
"""Of every container, the wall's too."""
_RESTRICTED = (
    f"{_OURS} && "
    "(!has(c.securityContext.capabilities.add) || "
    "size(c.securityContext.capabilities.add) == 0) && "
    "has(c.securityContext.runAsNonRoot) && c.securityContext.runAsNonRoot == true && "
    "has(c.securityContext.runAsUser) && c.securityContext.runAsUser > 0"
)


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
    settings: KubernetesSettings, walls: Iterable[str]
) -> tuple[AdmissionPolicy, AdmissionBinding]:
    """Return what an administrator applies once.

    Args:
        settings: The cluster.
        walls: Images of the wall, with digests.
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
                validations=tuple(_validations(sorted(set(walls)))),
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


def _validations(walls: list[str]) -> Iterable[Validation]:
    images = ", ".join(f"'{each}'" for each in walls)
    command = ", ".join(f"'{each}'" for each in ("/bin/sh", f"{GENERATED}/wall.sh", "init"))
    wall = (
        f"c.name == '{WALL}' && c.image in [{images}] && has(c.command) && "
        f"c.command == [{command}] && !has(c.args) && !has(c.restartPolicy) && {_OURS} && "
        "has(c.securityContext.capabilities.add) && "
        "c.securityContext.capabilities.add == ['NET_ADMIN']"
    )
    yield Validation(
        expression="has(object.spec.initContainers) && size(object.spec.initContainers) > 0 && "
        f"object.spec.initContainers[0].name == '{WALL}'",
        message="the wall is the first that runs",
    )
    yield Validation(
        expression=f"object.spec.initContainers.all(c, ({wall}) || "
        f"(c.name != '{WALL}' && {_RESTRICTED}))",
        message="only the wall, of this image, by this command, may be root and have NET_ADMIN",
    )
    yield Validation(
        expression=f"object.spec.containers.all(c, {_RESTRICTED})",
        message="a container is restricted: no capability, no root, nothing to gain",
    )
    yield Validation(
        expression=f"object.spec.containers.all(c, c.name == '{AGENT}') && "
        "object.spec.initContainers.all(c, "
        f"c.name.matches('^({WALL}|{NAMES}|{HOME}|{CLONE}-[0-9]+)$'))",
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
    yield Validation(
        expression="!has(object.spec.volumes) || object.spec.volumes.all(v, has(v.configMap) || "
        "has(v.secret) || has(v.emptyDir) || has(v.persistentVolumeClaim))",
        message="no path of the node, and no token of the API",
    )
    yield Validation(
        expression="has(object.spec.securityContext) && "
        "has(object.spec.securityContext.seccompProfile) && "
        "object.spec.securityContext.seccompProfile.type == 'RuntimeDefault'",
        message="the runtime's own seccomp profile",
    )
