"""The keys about a cluster: which tables there are, and what to do where one is missing."""

from jailoc.model.document import Path
from jailoc.model.kubernetes.settings import (
    ClusterDns,
    ClusterWorkspace,
    GitSource,
    KubernetesSettings,
    Visitor,
)

_TABLE, _OWN = "kubernetes", ("workspaces", "*", "kubernetes")
KNOWN: dict[Path, set[str]] = {
    (_TABLE,): set(KubernetesSettings.model_fields),
    (_TABLE, "dns"): set(ClusterDns.model_fields),
    (_TABLE, "ingress_from"): set(Visitor.model_fields),
    _OWN: set(ClusterWorkspace.model_fields),
    (*_OWN, "sources"): set(GitSource.model_fields),
}
"""The keys of each table about a cluster."""

HINTS = {
    "namespace": "a namespace of its own: a quota and an admission policy hold for all of it",
    "context": "kubectl config get-contexts -o name",
    "cluster_networks": "kubectl cluster-info dump | grep -E "
    "'cluster-cidr|service-cluster-ip-range'; kubectl get nodes -o wide; "
    "kubectl get endpointslices kubernetes",
    "dns": 'dns = { addresses = ["10.96.0.10"] }: kubectl -n kube-system get service kube-dns',
    "registry": "a registry that the nodes can pull from, such as registry.example.com/team",
    "addresses": "kubectl -n kube-system get service kube-dns",
}
"""How to find what a required key needs."""


def place(above: Path) -> Path | None:
    """Return which table about a cluster a path leads to; None if it is about none."""
    if above[:1] == (_TABLE,):
        return (_TABLE, *above[1:2]) if (_TABLE, *above[1:2]) in KNOWN else None
    if above[:1] == ("workspaces",) and above[2:3] == (_TABLE,):
        return (*_OWN, *above[3:4])
    return None
