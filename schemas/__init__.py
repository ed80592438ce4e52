"""JSON Schemas (draft 2020-12) of what people write and of what jailoc emits."""

import json
from functools import cache
from typing import Any

NAMES = (
    "blocked",
    "bundle",
    "cluster-plan",
    "code",
    "config",
    "compose",
    "destroy",
    "diagnostics",
    "diff",
    "doctor",
    "effective",
    "explain",
    "firewall",
    "golden",
    "kubernetes",
    "learn",
    "outdated",
    "plan",
    "policy",
    "presets",
    "snapshots",
    "status",
    "tasks",
    "verify",
)


@cache
def text(name: str) -> str:
    """Return a schema as it is shipped."""
    from importlib.resources import files  # noqa: PLC0415 -- completion needs the names alone

    return (files("jailoc.schemas") / f"{name}.schema.json").read_text(encoding="utf-8")


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a schema as data."""
    data: dict[str, Any] = json.loads(text(name))
    return data
