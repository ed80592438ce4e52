"""The containers of an engine, sorted by the workspace that they are of."""

from collections.abc import Iterable, Mapping
from typing import Any

from jailoc.bin.engine import container_list, docker
from jailoc.bin.engine import containers as engine
from jailoc.bin.host import paths
from jailoc.model.sandbox import COMPOSE_PROJECT, workspace_of

Services = Mapping[str, engine.Container]
"""The containers of a workspace, by service."""


def by_project(every: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Sort what `docker inspect` says of containers by project; only workspaces count."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in every:
        name = (each["Config"]["Labels"] or {}).get(COMPOSE_PROJECT, "")
        if workspace_of(name):
            found.setdefault(name, []).append(each)
    return found


def everything() -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Return what `docker inspect` says of all workspaces' containers, and who else says he is one.

    Of the latter it is the words, by workspace.

    Raises:
        Refused: no engine answers, with what to do.
        DockerError: it answers, but not to this.
    """
    told = docker.reached(lambda: container_list.told(every=True))
    ours = [each for each in told if not each.feigned]
    strangers: dict[str, list[str]] = {}
    for each in told:
        if each.feigned:
            strangers.setdefault(workspace_of(each.project) or "", []).append(each.name)
    words = {
        name: f"{', '.join(map('`{}`'.format, found))} says that it is one of its containers, and "
        f"nothing is done with it until `docker rm --force {' '.join(found)}`"
        for name, found in strangers.items()
    }
    return by_project(docker.reached(lambda: engine.inspected(there=ours))), words


def containers() -> tuple[engine.Container, ...]:
    """Return the containers of all workspaces.

    Raises:
        Refused: no engine answers, with what to do.
        DockerError: it answers, but not to this.
    """
    return docker.reached(engine.containers)


def by_workspace(every: Iterable[engine.Container]) -> dict[str, dict[str, engine.Container]]:
    """Sort containers by workspace and service; a running one counts more than one that is not."""
    found: dict[str, dict[str, engine.Container]] = {}
    for each in every:
        services = found.setdefault(workspace_of(each.project) or "", {})
        if each.service not in services or each.state == "running":
            services[each.service] = each
    return found


def own(name: str, services: Services) -> bool:
    """Tell whether a workspace was started by this user: its generated files are the user's."""
    mine = str(paths.cache_directory() / name)
    return any(each.directory in {"", mine} for each in services.values())


def foreign(name: str, services: Services) -> str | None:
    """Say that a workspace was started by another user, and where; None if it is this user's."""
    if not services or own(name, services):
        return None
    places = sorted({each.directory for each in services.values() if each.directory})
    return f"another user's, who has started it from {', '.join(places)}"
