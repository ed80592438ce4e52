"""Networks and volumes of an engine, by name and by what their labels say."""

from collections.abc import Collection
from typing import NamedTuple

from jailoc.bin.engine.docker import LABEL_NAME, LARGE, label, rows, run, table
from jailoc.model.sandbox import COMPOSE_PROJECT, MADE_LABEL, SHARED_USER_LABEL


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
    """How a volume was made, in what is short."""

    driver: str
    type: str
    device: str
    """Of the options of its driver: they say where it lies."""
    project: str
    made: str
    user: str
    """Of its labels: its project, the proof that it was made here, and whose a shared one is."""


def made(volumes: Collection[str]) -> dict[str, MadeVolume]:
    """Return how volumes were made, by name.

    Raises:
        DockerError: the engine did not answer, or lacks one.
    """
    if not volumes:
        return {}
    options = (_part("Options", each) for each in ("type", "device"))
    labels = (_part("Labels", each) for each in (COMPOSE_PROJECT, MADE_LABEL, SHARED_USER_LABEL))
    form = table(".Name", ".Driver", *options, *labels)
    text = run(["volume", "inspect", "--format", form, *sorted(volumes)],
               what="inspect volumes", timeout=60)  # fmt: skip
    return {name: MadeVolume(*rest) for name, *rest in rows(text)}


def _part(of: str, key: str) -> str:
    """Return the field that is one of a volume's options or labels, whatever its maker wrote."""
    return f'(printf "%.{LABEL_NAME}s" (index .{of} "{key}"))'
