"""Networks and volumes of an engine by name, whoever has made them."""

import json
from collections.abc import Collection

from jailoc.bin.engine.docker import label, rows, run, table
from jailoc.model.sandbox import COMPOSE_PROJECT


def named(kind: str, part: str) -> tuple[tuple[str, str], ...]:
    """Return what has a text in its name, with the project that its labels say; empty for none.

    Two networks can have one name.

    Args:
        kind: `network` or `volume`.
        part: Of the name.

    Raises:
        DockerError: the engine did not answer.
    """
    listing = [kind, "ls", "--filter", f"name={part}"]
    text = run([*listing, "--format", table(".Name", label(COMPOSE_PROJECT))],
               what=f"list {kind}s", timeout=60)  # fmt: skip
    return tuple((name, project) for name, project in rows(text))


def options(volumes: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the options that volumes were made with, by name: they say where a volume lies.

    Raises:
        DockerError: the engine did not answer, or lacks one.
    """
    if not volumes:
        return {}
    text = run(["volume", "inspect", *sorted(volumes)], what="inspect volumes", timeout=60)
    return {each["Name"]: each.get("Options") or {} for each in json.loads(text)}
