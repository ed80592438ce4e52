"""The containers of Compose projects, as far as a list tells of them.

A container has the labels of its image, too, so who writes an image says there what it likes. The
name is what no image gives: Compose makes it of the project's and the service's.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from jailoc.bin.engine.docker import LABEL_NAME, LARGE, label, rows, run, table
from jailoc.model.diagnostic import refuse
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
    name: str
    service: str
    project: str
    directory: str
    """Of the compose file."""

    @property
    def feigned(self) -> bool:
        """Whether it only says that it is one of a workspace's."""
        ours = workspace_of(self.project) is not None
        return ours and not composed(self.name, self.project, self.service)


def composed(name: str, project: str, service: str) -> bool:
    """Tell whether a container has the name that Compose gives one of a service.

    One that is about to replace another has the beginning of that one's id before it.
    """
    return bool(re.fullmatch(rf"([0-9a-f]{{12}}_)?{re.escape(f'{project}-{service}')}-\d+", name))


def listed(
    project: str | None = None, filters: Iterable[str] = (), *, every: bool = False
) -> tuple[Listed, ...]:
    """Return the containers of a project, or of all projects, as Compose has labelled them.

    What only says that it is one of a workspace's is none of all, and nothing is done where it says
    so of the project that is asked for: Compose would take it for one.

    Args:
        project: The project.
        filters: More conditions, in the words of `docker ps --filter`.
        every: Whether those count that do not run.

    Raises:
        DockerError: the engine did not answer.
        Refused: a container says that it is one of the project, and is none.
    """
    return own(told(project, filters, every=every), project)


def own(found: Iterable[Listed], project: str | None = None) -> tuple[Listed, ...]:
    """Return those that do not only say that they are a workspace's.

    Args:
        found: What containers say.
        project: Of which none may only say so; those of others are left out.

    Raises:
        Refused: one of the project's does.
    """
    found = tuple(each for each in found if project is None or each.project == project)
    feigned = [each.name for each in found if each.feigned]
    if project and feigned:
        names = ", ".join(f"`{each}`" for each in feigned)
        raise refuse(
            "feigned",
            f"{names} says that it is a container of the workspace `{workspace_of(project)}`, and "
            "jailoc has not made it: whoever writes an image writes labels into it",
            hint=f"`docker rm --force {' '.join(feigned)}`; with `--label "
            f"{COMPOSE_PROJECT}=` docker run(1) takes it off. It may be one of jailoc's that "
            "somebody has renamed, or made by `docker compose run`",
        )
    return tuple(each for each in found if not each.feigned)


def told(
    project: str | None = None, filters: Iterable[str] = (), *, every: bool = False
) -> tuple[Listed, ...]:
    """Return what containers say of themselves, as `listed`, true or not.

    Raises:
        DockerError: the engine did not answer.
    """
    words = [*call(project, filters, every=every)]
    return read(run(words, what="list containers", timeout=30, limit=LARGE))


def call(project: str | None, filters: Iterable[str] = (), *, every: bool = False) -> list[str]:
    """Return docker's arguments for a list of containers."""
    of = f"{COMPOSE_PROJECT}={project}" if project else COMPOSE_PROJECT
    names = (label(each, LABEL_NAME) for each in (COMPOSE_SERVICE, COMPOSE_PROJECT))
    return [
        "ps", *(["--all"] if every else []), "--no-trunc", "--format",
        table(".ID", ".Names", *names, label(COMPOSE_DIRECTORY)),
        *(word for each in (f"label={of}", *filters) for word in ("--filter", each)),
    ]  # fmt: skip


def read(text: str) -> tuple[Listed, ...]:
    """Return what such a list says, whoever they are."""
    fields = (each for each in rows(text) if len(each) == len(Listed._fields))
    # A link of somebody else's gives it one more, with a slash (docker-ps(1), `--no-trunc`).
    return tuple(
        Listed(each[0], next((one for one in each[1].split(",") if "/" not in one), ""), *each[2:])
        for each in fields
    )


def working() -> frozenset[str]:
    """Return the sandboxes, those of tasks too, whose agent runs.

    Raises:
        DockerError: the engine did not answer.
    """
    found = (workspace_of(each.project) for each in listed() if each.service == AGENT)
    return frozenset(each for each in found if each is not None)
