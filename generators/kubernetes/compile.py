"""Compile a workspace for a cluster: the objects that it is there."""

import hashlib
from collections.abc import Iterable

from jailoc.generators.artefacts import iptables
from jailoc.generators.artefacts.compile import wall_names
from jailoc.generators.artefacts.health import health_check
from jailoc.generators.artefacts.images import agent, embedded
from jailoc.generators.artefacts.validate import validate_firewall
from jailoc.generators.assets import asset, asset_as, asset_for
from jailoc.generators.config.resolve import resolve
from jailoc.generators.kubernetes import manifests, refusals, rules
from jailoc.generators.kubernetes.admission import admission, namespace
from jailoc.generators.kubernetes.network_policy import network_policy
from jailoc.generators.kubernetes.pod import claims, pod
from jailoc.generators.runtime.expectations import unmet_by
from jailoc.model.bundle import File
from jailoc.model.config import Config
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.document import Document
from jailoc.model.firewall import Firewall
from jailoc.model.host import GitFacts, Host, Ids
from jailoc.model.image import Build
from jailoc.model.kubernetes.bundle import ClusterBundle
from jailoc.model.kubernetes.image_lock import ImageLock
from jailoc.model.kubernetes.objects import (
    ClaimSpec,
    ClusterService,
    ConfigMap,
    LabelSelector,
    Metadata,
    NetworkPolicy,
    PersistentVolumeClaim,
    ServicePort,
    ServiceSpec,
    StorageRequest,
    StorageResources,
)
from jailoc.model.kubernetes.pod import (
    PodMetadata,
    PodTemplate,
    StatefulSet,
    StatefulSetSpec,
)
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.kubernetes.words import AGENT, UPSTREAM, WALL, labels, project, selector
from jailoc.model.sandbox import FIRST_PORT
from jailoc.model.secret import Destination
from jailoc.model.user import DEFAULT_USER
from jailoc.model.workspace import Workspace

MOST = 1_000_000
"""Bytes of the files of one ConfigMap; the API takes 1 MiB with all that belongs to it."""


def cluster_host(host: Host) -> Host:
    """Return a machine as far as it matters on a cluster: not at all, but for texts of files.

    What the engine here has under the names of images does not count either: the lock says what
    runs, by tags that are the same on every machine.
    """
    nothing = {"networks": (), "bases": {}, "ids": Ids.SHIFTED, "git": GitFacts(), "trees": {}}
    return host.model_copy(update=nothing)


def settled(config: Config, name: str, host: Host) -> tuple[Workspace, KubernetesSettings | None]:
    """Return a workspace as it is on a cluster, and the cluster if one is known.

    Raises:
        Refused: there is no such workspace.
    """
    return resolve(config, name, cluster_host(host)), config.kubernetes


def builds(config: Config, name: str, host: Host) -> tuple[Build, ...]:
    """Return the images of a workspace on a cluster that jailoc builds, in order."""
    workspace, _ = settled(config, name, host)
    host = cluster_host(host)
    return (embedded("wall", workspace, host), *agent(workspace, host)[0])


def compile_cluster(
    document: Document, config: Config, name: str, host: Host, lock: ImageLock
) -> ClusterBundle:
    """Compile one workspace of a configuration for its cluster.

    Raises:
        Refused: something of it cannot be had there, or an image has no digest.
        InvalidOutputError: the compiler broke its own schema, which is a defect of jailoc.
    """
    workspace, settings = settled(config, name, host)
    refusals.check(document, config, workspace, host.home)
    if settings is None:  # refused above
        raise Refused(())
    host = cluster_host(host)
    policy = rules.policy(workspace, settings, host)
    wall = rules.lower(policy)
    validate_firewall(wall)
    if unmet := tuple(unmet_by(document, name, wall, config)):
        raise Refused(unmet)
    images = _images(workspace, settings, host, lock)
    maps = (
        _map(workspace, settings, WALL, _wall_files(wall, settings)),
        _map(workspace, settings, AGENT, _agent_files(workspace)),
    )
    names = {WALL: maps[0].metadata.name, AGENT: maps[1].metadata.name}
    sources = config.workspaces[name].kubernetes.sources
    found = ClusterBundle(
        workspace=name,
        namespace=settings.namespace,
        context=settings.context,
        maps=maps,
        claims=tuple(
            PersistentVolumeClaim(
                metadata=_metadata(workspace, settings, claim),
                spec=ClaimSpec(
                    storage_class_name=settings.storage_class,
                    resources=StorageResources(requests=StorageRequest(storage=settings.storage)),
                ),
            )
            for _, claim, _ in claims(workspace, sources)
        ),
        service=ClusterService(
            metadata=_metadata(workspace, settings),
            spec=ServiceSpec(
                selector=selector(name),
                ports=(ServicePort(name="server", port=FIRST_PORT, target_port=FIRST_PORT),),
            ),
        ),
        policy=NetworkPolicy(
            metadata=_metadata(workspace, settings), spec=network_policy(name, policy, settings)
        ),
        sandbox=StatefulSet(
            metadata=_metadata(workspace, settings),
            spec=StatefulSetSpec(
                service_name=project(name),
                selector=LabelSelector(match_labels=selector(name)),
                template=PodTemplate(
                    metadata=PodMetadata(labels=labels(name)),
                    spec=pod(workspace, config, settings, images, names),
                ),
            ),
        ),
        firewall=wall,
    )
    manifests.validate(found.objects)
    return found


def rendered(settings: KubernetesSettings, bundles: Iterable[ClusterBundle]) -> tuple[File, ...]:
    """Return what is written beside the workspaces: the namespace, lists, what admits them."""
    every = tuple(bundles)
    both = admission(settings, (each.wall for each in every))
    own = namespace(settings)
    manifests.validate((own, *both))
    top = ["namespace.yaml", *(f"workspaces/{each.workspace}" for each in every)]
    admitted = "---\n".join(manifests.emit(each) for each in both)
    return (
        File(path="namespace.yaml", mode=0o644, text=manifests.emit(own)),
        manifests.kustomization(top),
        File(path="cluster/admission.yaml", mode=0o644, text=admitted),
        manifests.kustomization(["admission.yaml"]).model_copy(
            update={"path": "cluster/kustomization.yaml"}
        ),
    )


def _metadata(workspace: Workspace, settings: KubernetesSettings, name: str = "") -> Metadata:
    return Metadata(
        name=name or project(workspace.name),
        namespace=settings.namespace,
        labels=labels(workspace.name),
    )


def _images(
    workspace: Workspace, settings: KubernetesSettings, host: Host, lock: ImageLock
) -> dict[str, str]:
    """Return the images by what they are for, each with its digest."""
    made, choice = agent(workspace, host)
    wanted = {WALL: embedded("wall", workspace, host).tag}
    found: dict[str, str] = {}
    if made:
        wanted[AGENT] = choice.reference
    elif "@sha256:" in choice.reference:
        found[AGENT] = choice.reference
    else:
        raise refuse(
            "kubernetes-image",
            f"{workspace.image_origin}: image `{choice.reference}` has no digest, so whoever can "
            "move its tag decides what runs on the cluster",
            hint="write it as NAME@sha256:...",
        )
    missing = [name for name, tag in wanted.items() if tag not in lock.images]
    if missing:
        raise refuse(
            "kubernetes-image",
            f"workspace `{workspace.name}`: {' and '.join(missing)} "
            f"{'has' if len(missing) == 1 else 'have'} no digest",
            hint="jailoc images build --push",
        )
    for name, tag in wanted.items():
        found[name] = f"{settings.registry}/{tag.partition(':')[0]}@{lock.images[tag]}"
    return found


def _map(
    workspace: Workspace, settings: KubernetesSettings, name: str, texts: dict[str, str]
) -> ConfigMap:
    """Return files as a ConfigMap; its name says which they are, so that others are another pod."""
    whole = sum(len(key) + len(text.encode()) for key, text in texts.items())
    if whole > MOST:
        raise refuse(
            "kubernetes-size",
            f"workspace `{workspace.name}`: its rules have {whole} bytes, and an object of a "
            f"cluster has room for {MOST}",
            hint="fewer, wider networks and names",
        )
    state = hashlib.sha256()
    for key, text in sorted(texts.items()):
        state.update(f"{key}\0{len(text.encode())}\0{text}".encode())
    return ConfigMap(
        metadata=_metadata(
            workspace, settings, f"{project(workspace.name)}-{name}-{state.hexdigest()[:10]}"
        ),
        data=dict(sorted(texts.items())),
    )


def wall_script() -> str:
    """Return the wall's program of a pod: the functions of the other one, and what it does here."""
    head, found, _ = asset_as(DEFAULT_USER, "firewall.sh").partition("\ncase $mode in start ")
    if not found:
        raise AssertionError("firewall.sh has no place to cut it at")
    return f"{head}\n{asset('init.sh')}"


def _wall_files(wall: Firewall, settings: KubernetesSettings) -> dict[str, str]:
    return {
        UPSTREAM: "".join(f"nameserver {each}\n" for each in settings.dns.addresses),
        "egress": f"{wall.egress}\n",
        "names": wall_names(wall),
        "names.py": asset("names.py"),
        "resolver.py": asset("resolver.py"),
        "rules.v4": iptables.restore(wall.ipv4),
        "rules.v6": iptables.restore(wall.ipv6),
        "sockets.py": asset("sockets.py"),
        "wall.sh": wall_script(),
    }


def _agent_files(workspace: Workspace) -> dict[str, str]:
    names = [each.name for each in workspace.secrets
             if each.destination is Destination.ENVIRONMENT]  # fmt: skip
    return {
        "agent.sh": asset_for(workspace.agent, "agent.sh"),
        "clone.sh": asset("clone_source.sh"),
        "gate.sh": asset("gate.sh"),
        "health.sh": f"{health_check(workspace.agent)}\n",
        "secret-env": "".join(f"{name}\n" for name in names),
    }
