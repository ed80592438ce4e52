"""Check what the compiler emits against the JSON Schemas that are shipped with it."""

from typing import Any

import jsonschema

from jailoc.generators.artefacts.compose_yaml import document
from jailoc.model.compose import Compose
from jailoc.model.firewall import Firewall
from jailoc.schemas import schema


class InvalidOutputError(RuntimeError):
    """The compiler emitted what its own schema forbids: a defect of jailoc, never of the input."""


def validate_compose(model: Compose) -> None:
    """Check a compose document against `compose.schema.json`.

    Raises:
        InvalidOutputError: with the path of the first offending value.
    """
    _validate(document(model), "compose")


def validate_firewall(model: Firewall) -> None:
    """Check a firewall against `firewall.schema.json`.

    Raises:
        InvalidOutputError: with the path of the first offending value.
    """
    _validate(model.model_dump(mode="json"), "firewall")


def _validate(data: dict[str, Any], name: str) -> None:
    validator = jsonschema.Draft202012Validator(schema(name))
    error = next(iter(validator.iter_errors(data)), None)
    if error is not None:
        raise InvalidOutputError(f"{name}: {error.json_path}: {error.message}")
