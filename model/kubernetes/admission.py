"""What an administrator allows in the namespace, as a ValidatingAdmissionPolicy (Kubernetes 1.30).

See https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/.
"""

from typing import Literal

from jailoc.model.kubernetes.objects import ClusterModel, LabelSelector, Metadata


class ResourceRule(ClusterModel):
    """Which requests are looked at."""

    api_groups: tuple[str, ...]
    api_versions: tuple[str, ...]
    operations: tuple[Literal["CREATE", "UPDATE"], ...]
    resources: tuple[str, ...]


class MatchConstraints(ClusterModel):
    """Requests that a policy is about."""

    resource_rules: tuple[ResourceRule, ...]


class Validation(ClusterModel):
    """An expression (CEL) that must be true, and what is said if it is not."""

    expression: str
    message: str


class AdmissionSpec(ClusterModel):
    """What is true of every pod; a policy that fails refuses."""

    failure_policy: Literal["Fail"] = "Fail"
    match_constraints: MatchConstraints
    validations: tuple[Validation, ...]


class AdmissionPolicy(ClusterModel):
    """A policy; it holds where a binding says so."""

    api_version: Literal["admissionregistration.k8s.io/v1"] = "admissionregistration.k8s.io/v1"
    kind: Literal["ValidatingAdmissionPolicy"] = "ValidatingAdmissionPolicy"
    metadata: Metadata
    spec: AdmissionSpec


class MatchResources(ClusterModel):
    """Where a binding holds."""

    namespace_selector: LabelSelector


class AdmissionBindingSpec(ClusterModel):
    """Which policy holds where."""

    policy_name: str
    validation_actions: tuple[Literal["Deny"]] = ("Deny",)
    match_resources: MatchResources


class AdmissionBinding(ClusterModel):
    """What makes a policy hold in a namespace."""

    api_version: Literal["admissionregistration.k8s.io/v1"] = "admissionregistration.k8s.io/v1"
    kind: Literal["ValidatingAdmissionPolicyBinding"] = "ValidatingAdmissionPolicyBinding"
    metadata: Metadata
    spec: AdmissionBindingSpec
