"""The objects of a cluster that jailoc emits: their metadata, data, storage and network.

Fields are those of the API, in its own spelling when they are written; see
https://kubernetes.io/docs/reference/kubernetes-api/. What must not be said has no word here: there
is no Secret and no Role, no path of the node and no namespace of it.
"""

from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from jailoc.model.base import Model
from jailoc.model.kubernetes.settings import LABEL, NAME


class ClusterModel(Model):
    """A value that is written in the API's spelling; None is not written."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Metadata(ClusterModel):
    """What every object has."""

    name: str = Field(pattern=f"^{NAME}$", max_length=253)
    namespace: str | None = Field(default=None, pattern=f"^{LABEL}$", max_length=63)
    labels: dict[str, str]
    annotations: dict[str, str] | None = None


class KubeNamespace(ClusterModel):
    """A namespace of its own, which must admit the wall's one capability."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Namespace"] = "Namespace"
    metadata: Metadata


class ConfigMap(ClusterModel):
    """Generated files. The name ends in a digest of them: other files are another object."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["ConfigMap"] = "ConfigMap"
    metadata: Metadata
    immutable: Literal[True] = True
    data: dict[str, str]


class StorageRequest(ClusterModel):
    """How much is asked for."""

    storage: str


class StorageResources(ClusterModel):
    """What a claim asks for."""

    requests: StorageRequest


class ClaimSpec(ClusterModel):
    """What a claim is like; it cannot be changed but for its size."""

    access_modes: tuple[Literal["ReadWriteOnce"]] = ("ReadWriteOnce",)
    storage_class_name: str | None = None
    resources: StorageResources


class PersistentVolumeClaim(ClusterModel):
    """A volume that outlasts pods."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["PersistentVolumeClaim"] = "PersistentVolumeClaim"
    metadata: Metadata
    spec: ClaimSpec


class ServicePort(ClusterModel):
    """A port of a service, and the pod's behind it."""

    name: str
    port: int
    target_port: int
    protocol: Literal["TCP"] = "TCP"


class ServiceSpec(ClusterModel):
    """Which pods are behind a service."""

    type: Literal["ClusterIP"] = "ClusterIP"
    selector: dict[str, str]
    ports: tuple[ServicePort, ...]


class ClusterService(ClusterModel):
    """A name of the server in the cluster; who may use it says the network policy."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Service"] = "Service"
    metadata: Metadata
    spec: ServiceSpec


class LabelSelector(ClusterModel):
    """Objects by labels; without any, all."""

    match_labels: dict[str, str] | None = None


class IpBlock(ClusterModel):
    """A network without some others in it."""

    cidr: str
    except_: tuple[str, ...] | None = Field(default=None, serialization_alias="except")


class Peer(ClusterModel):
    """The other end: a network, or pods."""

    ip_block: IpBlock | None = None
    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None


class PolicyPort(ClusterModel):
    """A port, or a range with its ends."""

    protocol: Literal["TCP", "UDP"]
    port: int = Field(ge=1, le=65535)
    end_port: int | None = Field(default=None, ge=1, le=65535)


class EgressRule(ClusterModel):
    """Connections that are let out: any of the peers on any of the ports."""

    to: tuple[Peer, ...] = Field(min_length=1)
    ports: tuple[PolicyPort, ...] = Field(min_length=1)


class IngressRule(ClusterModel):
    """Connections that are let in."""

    from_: tuple[Peer, ...] = Field(serialization_alias="from", min_length=1)
    ports: tuple[PolicyPort, ...] = Field(min_length=1)


class NetworkPolicySpec(ClusterModel):
    """A union of allows; what none of them opens is dropped."""

    pod_selector: LabelSelector
    policy_types: tuple[Literal["Ingress"], Literal["Egress"]] = ("Ingress", "Egress")
    ingress: tuple[IngressRule, ...]
    egress: tuple[EgressRule, ...]


class NetworkPolicy(ClusterModel):
    """The second wall, which a network plugin may build, or not."""

    api_version: Literal["networking.k8s.io/v1"] = "networking.k8s.io/v1"
    kind: Literal["NetworkPolicy"] = "NetworkPolicy"
    metadata: Metadata
    spec: NetworkPolicySpec
