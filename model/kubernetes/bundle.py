"""All that a workspace is on a cluster, as one value; and what a set of them is written as."""

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.firewall import Firewall
from jailoc.model.kubernetes.admission import AdmissionBinding, AdmissionPolicy
from jailoc.model.kubernetes.objects import (
    ClusterService,
    ConfigMap,
    KubeNamespace,
    NetworkPolicy,
    PersistentVolumeClaim,
)
from jailoc.model.kubernetes.pod import StatefulSet
from jailoc.model.kubernetes.words import AGENT, WALL
from jailoc.model.sandbox import SIDECAR

ClusterObject = (
    KubeNamespace
    | ConfigMap
    | PersistentVolumeClaim
    | ClusterService
    | NetworkPolicy
    | StatefulSet
    | AdmissionPolicy
    | AdmissionBinding
)


class ClusterBundle(Model):
    """The compiler's output for one workspace on a cluster. Deterministic; holds no secret."""

    workspace: str
    namespace: str
    context: str
    maps: tuple[ConfigMap, ...]
    """Of the wall and of the agent, and of its Docker if it has one."""
    claims: tuple[PersistentVolumeClaim, ...]
    service: ClusterService
    policy: NetworkPolicy
    sandbox: StatefulSet
    firewall: Firewall
    """The first wall, whose rules the wall's ConfigMap has as text."""

    @property
    def objects(self) -> tuple[ClusterObject, ...]:
        """Return them in the order in which they are made: the policy before what it holds in."""
        return (*self.maps, *self.claims, self.policy, self.service, self.sandbox)

    @property
    def wall(self) -> str:
        """Return the image of the wall."""
        return self.sandbox.spec.template.spec.init_containers[0].image

    @property
    def sidecar(self) -> str | None:
        """Return the image of the agent's own Docker, if it has one."""
        every = self.sandbox.spec.template.spec.init_containers
        return next((each.image for each in every if each.name == SIDECAR), None)

    @property
    def images(self) -> dict[str, str]:
        """Return the images by what they are for."""
        found = {WALL: self.wall, AGENT: self.sandbox.spec.template.spec.containers[0].image}
        return found | ({SIDECAR: self.sidecar} if self.sidecar else {})


class Manifests(Model):
    """The schema's root: a list of objects, in one document each."""

    objects: tuple[ClusterObject, ...] = Field(description="As they are written, one a document.")
