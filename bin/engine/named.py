"""Networks and volumes of an engine, by name and by what their labels say."""

import json
from collections.abc import Collection
from typing import NamedTuple

from jailoc.bin.engine.docker import LARGE, label, rows, run, table
from jailoc.model.sandbox import COMPOSE_PROJECT


def told(kind: str, condition: str, name: str, timeout: float) -> tuple[tuple[str, str], ...]:
    """Return what meets a condition, each by name with what one of its labels says.

    Two networks can have one name.

    Args:
        kind: `network` or `volume`.
        condition: As `docker ls --filter` takes it.
        name: The label's; without it nothing is said.
        timeout: Seconds for the answer.

    Raises:
        DockerError: the engine did not answer.
    """
    listing = [kind, "ls", "--filter", condition, "--format", table(".Name", label(name))]
    text = run(listing, what=f"list {kind}s", timeout=timeout, limit=LARGE)
    return tuple((each, value) for each, value in rows(text))


def named(kind: str, part: str) -> tuple[tuple[str, str], ...]:
    """Return what has a text in its name, with the project that its labels say; empty for none.

    Raises:
        DockerError: the engine did not answer.
    """
    return told(kind, f"name={part}", COMPOSE_PROJECT, timeout=60)


class MadeVolume(NamedTuple):
    """How a volume was made."""

    labels: dict[str, str]
    options: dict[str, str]
    """Of its driver: they say where it lies."""


def made(volumes: Collection[str]) -> dict[str, MadeVolume]:
    """Return how volumes were made, by name.

    Raises:
        DockerError: the engine did not answer, or lacks one.
    """
    if not volumes:
        return {}
    text = run(
        ["volume", "inspect", *sorted(volumes)], what="inspect volumes", timeout=60, limit=LARGE
    )
    return {
        each["Name"]: MadeVolume(each.get("Labels") or {}, each.get("Options") or {})
        for each in json.loads(text)
    }
