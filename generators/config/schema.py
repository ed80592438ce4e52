"""Derive JSON Schemas from models, so that the two never differ."""

import json

from jailoc.model.config import Config
from jailoc.model.golden import Snapshot
from jailoc.model.kubernetes.bundle import Manifests
from jailoc.model.kubernetes.plan import ClusterPlans
from jailoc.model.plan import SavedPlan
from jailoc.model.policy import OrganisationPolicy
from jailoc.model.removal import Listing


def config_schema() -> str:
    """Return the schema of the configuration, which editors use for completion, as text."""
    return _text("config", Config.model_json_schema())


def bundle_schema() -> str:
    """Return the schema of the models that are written beside a workspace's files, as text."""
    data = Snapshot.model_json_schema()
    data["title"] = "bundle.json: a compiled workspace as models"
    return _text("bundle", data)


def plan_schema() -> str:
    """Return the schema of what `plan --json` prints and `plan --out` keeps, as text."""
    return _text("plan", SavedPlan.model_json_schema(mode="serialization"))


def policy_schema() -> str:
    """Return the schema of an organisation's policy, as text."""
    return _text("policy", OrganisationPolicy.model_json_schema())


def destroy_schema() -> str:
    """Return the schema of what `destroy --json` prints, as text."""
    return _text("destroy", Listing.model_json_schema(mode="serialization"))


def kubernetes_schema() -> str:
    """Return the schema of the objects of a cluster that jailoc emits, as text."""
    data = Manifests.model_json_schema(mode="serialization", by_alias=True)
    data["title"] = "the objects of a sandbox on a Kubernetes cluster"
    return _text("kubernetes", data)


def cluster_plan_schema() -> str:
    """Return the schema of what `plan --target kubernetes --json` prints, as text."""
    return _text("cluster-plan", ClusterPlans.model_json_schema(mode="serialization"))


def _text(name: str, data: dict[str, object]) -> str:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://jailoc.dev/schemas/{name}.schema.json",
    }
    return json.dumps(head | data, indent=2) + "\n"
