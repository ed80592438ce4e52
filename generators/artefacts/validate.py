"""Check what the compiler emits against the JSON Schemas that are shipped with it.

The verdict is that of jsonschema, the reference in Python. Since it takes longer than all the rest
of a compile, a validator in Rust is asked first, which lets nothing through that the other refuses.
"""

from functools import cache
from typing import Any

import jsonschema_rs

from jailoc.model.firewall import Firewall
from jailoc.schemas import schema


class InvalidOutputError(RuntimeError):
    """The compiler emitted what its own schema forbids: a defect of jailoc, never of the input."""


def validate_compose(data: dict[str, Any]) -> None:
    """Check a compose document against `compose.schema.json`.

    Raises:
        InvalidOutputError: with the path of the first offending value.
    """
    _validate(data, "compose")


def validate_firewall(model: Firewall) -> None:
    """Check a firewall against `firewall.schema.json`.

    Raises:
        InvalidOutputError: with the path of the first offending value.
    """
    _validate(model.model_dump(mode="json"), "firewall")


def _validate(data: dict[str, Any], name: str) -> None:
    if quick(name).is_valid(data):
        return
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema(name))
    error = next(iter(validator.iter_errors(data)), None)
    if error is not None:
        raise InvalidOutputError(f"{name}: {error.json_path}: {error.message}")


@cache
def quick(name: str) -> jsonschema_rs.Draft202012Validator:
    """Return the validator that is asked first."""
    return jsonschema_rs.Draft202012Validator(schema(name))
