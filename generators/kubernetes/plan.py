"""Compare what a workspace should be on a cluster with what is there; say what follows.

The API adds much to what it is given: defaults, and what changes by itself. Fields that are given
are compared with what is there; a field that nobody gave is drift unless the API adds it by itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jailoc.generators.kubernetes.manifests import data
from jailoc.model.diagnostic import refuse
from jailoc.model.egress import Egress
from jailoc.model.kubernetes.bundle import ClusterBundle
from jailoc.model.kubernetes.plan import ClusterPlan, ObjectChange
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.kubernetes.words import DOCKER_PRICE, ENFORCE, labels
from jailoc.model.plan import Action, FieldChange
from jailoc.model.sandbox import SIDECAR

Found = Mapping[str, Any]
_COMPARED = ("immutable", "data", "spec")
_ADDED = frozenset(
    {
        # Of a StatefulSet and its pods
        "podManagementPolicy", "revisionHistoryLimit", "updateStrategy", "restartPolicy",
        "persistentVolumeClaimRetentionPolicy", "schedulerName", "terminationMessagePath",
        "terminationMessagePolicy", "successThreshold", "initialDelaySeconds", "minReadySeconds",
        "ordinals", "creationTimestamp", "dnsPolicy", "apiGroup",
        # Of a service
        "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy",
        "sessionAffinity",
        # Of a claim
        "volumeName", "volumeMode", "storageClassName",
    }
)  # fmt: skip
"""Fields that the API fills in by itself where nobody says them (its reference, "Defaults to")."""
_CLAIM = "persistentvolumeclaim"
_GOING = ("statefulset", "service", "networkpolicy", "configmap", _CLAIM)
"""Kinds in the order in which they are removed."""
_LONGEST = 60
"""Characters of a value that are shown."""


def plan(bundle: ClusterBundle, found: Iterable[Found]) -> ClusterPlan:
    """Return what has to be done so that a cluster has a workspace as it should be.

    Args:
        bundle: The workspace.
        found: The objects with its labels that are there.
    """
    there = {address(each): each for each in found}
    wanted = {address(each): each for each in map(data, bundle.objects)}
    changes = tuple(_changes(wanted, there))
    rest = sorted(there.keys() - wanted.keys())
    claims = tuple(each for each in rest if each.startswith(f"{_CLAIM}/"))
    replaced = any(
        each.address.startswith("statefulset/") and each.action is not Action.CREATE
        for each in changes
    )
    return ClusterPlan(
        workspace=bundle.workspace,
        namespace=bundle.namespace,
        context=bundle.context,
        changes=changes,
        leftovers=tuple(each for each in rest if each not in claims),
        kept=claims,
        effects=tuple(_effects(bundle, replaced)),
    )


def removal(
    settings: KubernetesSettings, workspace: str, found: Iterable[Found], *, volumes: bool
) -> ClusterPlan:
    """Return what has to go so that a cluster has nothing of a workspace but its claims.

    In order: who runs goes first, what holds it in when it is gone, claims last.

    Args:
        settings: The cluster.
        workspace: Its name; no configuration needs to have it any more.
        found: The objects with its labels that are there.
        volumes: Whether its claims go, too.
    """
    own = labels(workspace)
    there = [
        (str(each.get("kind", "")).lower(), address(each))
        for each in found
        # What is to be deleted is looked at once more than by who was asked for it.
        if own.items() <= (each.get("metadata", {}).get("labels") or {}).items()
    ]
    there = sorted((kind, name) for kind, name in there if kind in _GOING)
    there.sort(key=lambda each: _GOING.index(each[0]))
    claims = tuple(name for kind, name in there if kind == _CLAIM)
    going = tuple(name for kind, name in there if volumes or kind != _CLAIM)
    effects = []
    if any(kind == "statefulset" for kind, _ in there):
        effects.append("~ the sandbox ends: its agent, and what is not on a claim")
    if claims and not volumes:
        effects.append("~ claims stay: --volumes removes them")
    if volumes and claims:
        effects.append("! what is on the claims is lost, unless their storage class keeps it")
    return ClusterPlan(
        workspace=workspace,
        namespace=settings.namespace,
        context=settings.context,
        changes=(),
        leftovers=going,
        kept=() if volumes else claims,
        effects=tuple(effects),
    )


def address(each: Found) -> str:
    """Return `KIND/NAME`."""
    return f"{str(each.get('kind', '')).lower()}/{each.get('metadata', {}).get('name', '')}"


def admits(namespace: Found | None, name: str) -> None:
    """Make sure that a namespace is there and lets the wall have its one capability.

    Raises:
        Refused: it is not there, or Pod Security refuses the wall in it.
    """
    if namespace is None:
        raise refuse(
            "kubernetes-namespace",
            f"there is no namespace `{name}`",
            hint="an administrator applies namespace.yaml and cluster/ of `jailoc render --target "
            "kubernetes --out DIR`",
        )
    level = (namespace.get("metadata", {}).get("labels") or {}).get(ENFORCE, "privileged")
    if level != "privileged":
        raise refuse(
            "kubernetes-namespace",
            f"namespace `{name}` enforces `{level}`, and the wall's NET_ADMIN is more than that",
            allowed=f"{ENFORCE}: privileged, held in by the admission policy in cluster/",
            hint="an administrator applies namespace.yaml and cluster/",
        )


def _changes(wanted: Mapping[str, Found], there: Mapping[str, Found]) -> Iterator[ObjectChange]:
    for place, ours in wanted.items():
        if place not in there:
            yield ObjectChange(address=place, action=Action.CREATE)
            continue
        fields = [
            difference
            for key in _COMPARED
            if key in ours or key in there[place]
            for difference in _differences(ours.get(key), there[place].get(key), key)
        ]
        wanted_labels = ours["metadata"].get("labels", {})
        theirs = there[place].get("metadata", {}).get("labels") or {}
        fields += [
            _field(f"metadata.labels.{key}", theirs.get(key), value)
            for key, value in wanted_labels.items()
            if theirs.get(key) != value
        ]
        if fields:
            yield ObjectChange(address=place, action=Action.UPDATE, fields=tuple(fields))


def _differences(ours: Any, theirs: Any, at: str) -> Iterator[FieldChange]:
    """Yield what is there and differs from what is wanted, or was added by somebody."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in (*ours, *(each for each in theirs if each not in ours)):
            if key in ours or key not in _ADDED:
                yield from _differences(ours.get(key), theirs.get(key), f"{at}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            name = mine.get("name", index) if isinstance(mine, dict) else index
            yield from _differences(mine, other, f"{at}[{name}]")
    # An empty list or table may have been left out by the API.
    elif ours != theirs and (ours or theirs):
        yield _field(at, theirs, ours)


def _field(name: str, before: Any, after: Any) -> FieldChange:
    return FieldChange(name=name, before=_shown(before), after=_shown(after))


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _effects(bundle: ClusterBundle, replaced: bool) -> Iterator[str]:
    """Yield what follows from a plan, and what a cluster cannot hold as exactly."""
    if replaced:
        yield "~ the sandbox is replaced: its agent ends, claims stay"
    names = bundle.firewall.names
    if names and bundle.firewall.egress is Egress.ALLOWLIST:
        yield (
            "! the network policy is wider than the wall: allowed names may be anywhere, so it "
            "opens the public internet for them"
        )
    elif names:
        yield "! the network policy opens a private address behind a name only in names_within"
    if any(rule.until for rule in bundle.firewall.ipv4.rules + bundle.firewall.ipv6.rules):
        yield "! the network policy knows no last day: what ends is closed there by the next apply"
    yield "! the namespace must admit NET_ADMIN in `wall`"
    if bundle.sidecar:
        yield f"! the namespace must admit {DOCKER_PRICE}, in `{SIDECAR}`"
