"""What each volume of a workspace is for, in plain words: their names alone say little."""

from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from jailoc.model.sandbox import (
    CREDENTIALS,
    DOCKER_DATA,
    DOCKER_SOCKET,
    EVIDENCE,
    PROJECT_VOLUME,
    REFUSED,
    SECRETS,
    SERVICE_PREFIX,
    TRUST,
    VOLUME_PREFIX,
    data_volume,
)

_PURPOSES = {
    EVIDENCE: "what the wall sees of connections, for `blocked` and `learn`",
    REFUSED: "by which the wall tells the agent what it was refused",
    SECRETS: "in memory: by which secrets get to the agent",
    CREDENTIALS: "in memory: what the proxy alone has",
    TRUST: "in memory: the proxy's certificate, which the agent is to trust",
    DOCKER_SOCKET: "by which the agent reaches a Docker of its own",
    DOCKER_DATA: "images and containers of the agent's own Docker",
    PROJECT_VOLUME: "the task's clone of the project",
}


def inherited(bundle: Bundle, deployed: Deployed) -> tuple[str, ...]:
    """Return the volumes that are there before the first start, with what an agent wrote there.

    A task's clone is made before, and a shared volume is meant to be another's, too.
    """
    others = {PROJECT_VOLUME, EVIDENCE, REFUSED, DOCKER_SOCKET}
    wanted = {*bundle.compose.volumes} - others
    return tuple(name for name in deployed.volumes if name in wanted)


def purpose(name: str, bundle: Bundle) -> str:
    """Say what a volume is for; nothing of one that no wing of the compiler makes by a name.

    Args:
        name: Its name in the project.
        bundle: Whose it is.
    """
    for each in bundle.agent.volumes:
        if name == data_volume(each.name, bundle.workspace):
            what = "what can be fetched again" if each.path == ".cache" else "sessions and logins"
            return f"{what}, of {bundle.agent.name}"
    if name.startswith(VOLUME_PREFIX):
        return "named by `volumes`"
    if name.startswith(SERVICE_PREFIX):
        return f"of service {name.removeprefix(SERVICE_PREFIX).partition('--')[0]}"
    return _PURPOSES.get(name, "")
