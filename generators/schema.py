"""Derive the JSON Schema of the configuration file from its model, so that the two never differ."""

import json

from jailoc.model.config import Config


def config_schema() -> str:
    """Return the schema that editors use for completion, as text."""
    data = Config.model_json_schema()
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://jailoc.dev/schemas/config.schema.json",
    }
    return json.dumps(head | data, indent=2) + "\n"
