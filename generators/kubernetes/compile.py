"""Compile a workspace for a cluster: the objects that it is there."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from jailoc.generators.artefacts import agent_start, iptables
from jailoc.generators.artefacts.compile import wall_names
from jailoc.generators.artefacts.health import health_check
from jailoc.generators.artefacts.images import agent, embedded
from jailoc.generators.artefacts.validate import validate_firewall
from jailoc.generators.assets import asset, asset_as, asset_for
from jailoc.generators.config.resolve import resolve
from jailoc.generators.kubernetes import manifests, refusals, rules, sidecar
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
from jailoc.model.kubernetes.words import (
    AGENT,
    SUBORDINATE,
    UPSTREAM,
    WALL,
    labels,
    project,
    selector,
)
from jailoc.model.sandbox import FIRST_PORT, SIDECAR
from jailoc.model.user import DEFAULT_USER
from jailoc.model.workspace import Workspace

MOST = 1_000_000
"""Bytes of the files of one ConfigMap; the API takes 1 MiB with all that belongs to it."""


def cluster_host(host: Host) -> Host:
    """Return a machine as far as it matters on a cluster: not at all, but for texts of files.

    What the engine here has under the names of images does not count either: the lock says what
    runs, by tags that are the same on every machine.
    """
    nothing = {
        "networks": (),
        "neighbours": (),
        "bases": {},
        "ids": Ids.SHIFTED,
        "git": GitFacts(),
        "trees": {},
    }
    return host.model_copy(update=nothing)


class Settled(NamedTuple):
    """A workspace as it is on a cluster, and the machine as far as it matters there."""

    workspace: Workspace
    host: Host


def settled(config: Config, name: str, host: Host) -> Settled:
    """Return a workspace as it is on a cluster: without a Docker unless the cluster may have one.

    Raises:
        Refused: there is no such workspace.
    """
    there = cluster_host(host)
    workspace = resolve(config, name, there)
    docker = config.kubernetes is not None and config.kubernetes.docker and workspace.enable_docker
    return Settled(workspace.model_copy(update={"enable_docker": docker}), there)


def builds(config: Config, name: str, host: Host) -> tuple[Build, ...]:
    """Return the images of a workspace on a cluster that jailoc builds, in order."""
    own, others = _builds(*settled(config, name, host))
    return (own[WALL], *others, *(each for name, each in own.items() if name != WALL))


def _builds(workspace: Workspace, host: Host) -> tuple[dict[str, Build], tuple[Build, ...]]:
    """Return the images that are jailoc's own, by what they are for, and those of the agent."""
    own = {WALL: embedded("wall", workspace, host)}
    if workspace.enable_docker:
        own[SIDECAR] = embedded("dind", workspace, host)
    return own, agent(workspace, host)[0]


def compile_cluster(
    document: Document, config: Config, name: str, host: Host, lock: ImageLock
) -> ClusterBundle:
    """Compile one workspace of a configuration for its cluster.

    Raises:
        Refused: something of it cannot be had there, or an image has no digest.
        InvalidOutputError: the compiler broke its own schema, which is a defect of jailoc.
    """
    (workspace, host), settings = settled(config, name, host), config.kubernetes
    refusals.check(document, config, workspace, host.home)
    if settings is None:  # refused above
        raise Refused(())
    policy = rules.policy(workspace, settings, host)
    wall = rules.lower(policy)
    validate_firewall(wall)
    if unmet := tuple(unmet_by(document, name, wall, config)):
        raise Refused(unmet)
    images = _images(workspace, settings, host, lock)
    maps = (
        _map(workspace, settings, WALL, _wall_files(wall, settings)),
        _map(workspace, settings, AGENT, _agent_files(workspace)),
        *(
            (_map(workspace, settings, SIDECAR, _sidecar_files()),)
            if workspace.enable_docker
            else ()
        ),
    )
    names: dict[str, str] = dict(
        zip((WALL, AGENT, SIDECAR), (each.metadata.name for each in maps), strict=False)
    )
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
    both = admission(
        settings,
        (each.wall for each in every),
        (each.sidecar for each in every if each.sidecar is not None),
    )
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
    wanted = {name: each.tag for name, each in _builds(workspace, host)[0].items()}
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
    return {
        "agent.sh": asset_for(workspace.agent, "agent.sh"),
        "clone.sh": asset("clone_source.sh"),
        "gate.sh": asset("gate.sh"),
        "health.sh": f"{health_check(workspace.agent)}\n",
        "secret-env": agent_start.secret_variables(workspace),
    }


def _sidecar_files() -> dict[str, str]:
    return {
        "dind.sh": asset("dind.sh"),
        "dind_pod.sh": asset("dind_pod.sh"),
        "gate.sh": asset("gate.sh"),
        SUBORDINATE: sidecar.USERS,
    }
