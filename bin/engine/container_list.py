"""The containers of Compose projects, as far as a list tells of them."""

from collections.abc import Iterable
from typing import NamedTuple

from jailoc.bin.engine.docker import lines_of, run
from jailoc.model.sandbox import (
    AGENT,
    COMPOSE_DIRECTORY,
    COMPOSE_PROJECT,
    COMPOSE_SERVICE,
    workspace_of,
)


class Listed(NamedTuple):
    """A container of a project, as far as a list tells."""

    id: str
    service: str
    project: str
    directory: str
    """Of the compose file."""


def listed(
    project: str | None = None, filters: Iterable[str] = (), *, every: bool = False
) -> tuple[Listed, ...]:
    """Return the containers of a project, or of all projects, as Compose has labelled them.

    Args:
        project: The project.
        filters: More conditions, in the words of `docker ps --filter`.
        every: Whether those count that do not run.

    Raises:
        DockerError: the engine did not answer.
    """
    label = f"{COMPOSE_PROJECT}={project}" if project else COMPOSE_PROJECT
    labels = (f'{{{{.Label "{each}"}}}}'
              for each in (COMPOSE_SERVICE, COMPOSE_PROJECT, COMPOSE_DIRECTORY))  # fmt: skip
    text = run(
        ["ps", *(["--all"] if every else []), "--no-trunc", "--format",
         "\t".join(("{{.ID}}", *labels)),
         *(word for each in (f"label={label}", *filters) for word in ("--filter", each))],
        what="list containers",
        timeout=30,
    )  # fmt: skip
    lines = (line.split("\t", 3) for line in lines_of(text))
    return tuple(Listed(*line) for line in lines if len(line) == len(Listed._fields))


def working() -> frozenset[str]:
    """Return the sandboxes, those of tasks too, whose agent runs.

    Raises:
        DockerError: the engine did not answer.
    """
    found = (workspace_of(each.project) for each in listed() if each.service == AGENT)
    return frozenset(each for each in found if each is not None)
