"""Decide the named volumes of a workspace's agent and of its Docker, and where they are."""

from jailoc.generators.artefacts import git
from jailoc.model.compose import Volume
from jailoc.model.path import within
from jailoc.model.sandbox import (
    AGENT_HOME,
    DOCKER_DATA,
    DOCKER_SOCKET,
    SHARED_PREFIX,
    SIDECAR_RUN,
    data_volume,
    named_volume,
)
from jailoc.model.workspace import Workspace


def agent(workspace: Workspace) -> tuple[Volume, ...]:
    """Return the agent's own volumes; a mount on exactly the same place replaces one."""
    taken = {mount.container for mount in workspace.mounts}
    volumes = [
        Volume(name=data_volume(each.name, workspace.name), target=f"{AGENT_HOME}/{each.path}")
        for each in workspace.agent.volumes
    ]
    kept = [volume for volume in volumes if volume.target not in taken]
    kept += [
        Volume(
            name=(SHARED_PREFIX + each.name) if each.shared else named_volume(each.name),
            target=each.place,
            shared=each.shared,
            origin=each.origin,
        )
        for each in workspace.volumes
    ]
    kept += git.clones(workspace)
    if workspace.enable_docker:
        kept.append(Volume(name=DOCKER_SOCKET, target=SIDECAR_RUN))
    return tuple(kept)


def sidecar(workspace: Workspace) -> tuple[Volume, ...]:
    """Return those of the workspace's own Docker."""
    if not workspace.enable_docker:
        return ()
    return (
        Volume(name=DOCKER_DATA, target="/home/rootless/.local/share/docker"),
        Volume(name=DOCKER_SOCKET, target=SIDECAR_RUN),
    )


def every(workspace: Workspace) -> tuple[Volume, ...]:
    """Return each once."""
    both = (*agent(workspace), *sidecar(workspace))
    return tuple({volume.name: volume for volume in both}.values())


def nested(workspace: Workspace) -> tuple[tuple[str, str], ...]:
    """Return the places of volumes that lie in another one: its name, and the path in it.

    What is not there the engine makes as root's, and so would any directory on the way be.
    """
    inside = agent(workspace)
    found = []
    for each in inside:
        around = [one for one in inside if one is not each and within(each.target, one.target)]
        if around:
            outer = max(around, key=lambda one: len(one.target))
            found.append((outer.name, each.target[len(outer.target) + 1 :]))
    return tuple(found)
