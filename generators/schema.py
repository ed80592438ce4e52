"""Derive JSON Schemas from models, so that the two never differ."""

import json

from pydantic import BaseModel

from jailoc.model.config import Config
from jailoc.model.plan import SavedPlan


def config_schema() -> str:
    """Return the schema that editors use for completion, as text."""
    return _schema(Config, "config")


def plan_schema() -> str:
    """Return the schema of what `plan --json` prints and `plan --out` keeps, as text."""
    return _schema(SavedPlan, "plan")


def _schema(model: type[BaseModel], name: str) -> str:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://jailoc.dev/schemas/{name}.schema.json",
    }
    data = (
        model.model_json_schema()
        if model is Config
        else model.model_json_schema(mode="serialization")
    )
    return json.dumps(head | data, indent=2) + "\n"
