"""How values of the configuration look to editors: pieces of JSON Schema (2020-12)."""

import re
from typing import Any

from pydantic import WithJsonSchema

from jailoc.model.forbidden_paths import CREDENTIALS


def words(*names: str) -> str:
    """Return a pattern of one of several words; a leading slash is not part of one."""
    return "|".join(re.escape(name.removeprefix("/")).replace("\\-", "-") for name in names)


def string(pattern: str = "", *never: str, **more: Any) -> WithJsonSchema:
    """Return the schema of a string that matches one pattern, and none of others."""
    schema: dict[str, Any] = {"type": "string", **more}
    if pattern:
        schema["pattern"] = pattern
    if never:
        schema["not"] = {"anyOf": [{"pattern": each} for each in never]}
    return WithJsonSchema(schema)


def entry(pattern: str, *never: str, ends: bool = True) -> WithJsonSchema:
    """Return the schema of a string, or of a table whose `to` is such a string.

    Args:
        pattern: What the string has to match.
        never: What it must not match.
        ends: Whether the table may have a last day.
    """
    text = string(pattern, *never).json_schema or {}
    port = {"type": "integer", "minimum": 1, "maximum": 65535}
    properties: dict[str, Any] = {
        "to": text,
        "ports": {"type": "array", "items": port, "minItems": 1},
        "why": {"type": "string", "description": "For those who read the configuration."},
    }
    if ends:
        properties["until"] = {"description": "Last day, in UTC, as 2027-01-31 without quotes."}
    table = {
        "type": "object",
        "additionalProperties": False,
        "required": ["to"],
        "properties": properties,
    }
    return WithJsonSchema({"anyOf": [text, table]})


BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"


PORT = "(:[0-9]{1,5})?"


NETWORK = (
    rf"^({BYTE}\.{BYTE}\.{BYTE}\.{BYTE}/0*(3[0-2]|[12]?[0-9])"
    r"|(\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)/0*(12[0-8]|1[01][0-9]|[1-9]?[0-9]))"
    rf"{PORT}$"
)


HOST = r"^ *(\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}|( *\* *\.)?[0-9A-Za-z_.: -]*)(#.*)?$"
"""A name or an address, each with a port or without."""


HOST_NEVER = (
    r"^ *[0-9. ]+/",
    r"^ *(\* *\. *)?[0-9]+(\.[0-9]+){0,2} *(:[0-9]+)? *(#.*)?$",
    r"^ *\* *\. *([0-9. ]*|[.:-].*)(:[0-9]+)? *(#.*)?$",
)


SIDE = r"([^:$]|\$\{[^}]*\}|\$)*"


CREDENTIAL_WORDS = words(*CREDENTIALS)
