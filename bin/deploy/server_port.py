"""Whether somebody else than the agent listens where its server should, inside the sandbox.

The rules let nobody else answer there; but who has the port keeps the server from starting.
"""

from jailoc.bin.deploy import execute
from jailoc.bin.engine import docker
from jailoc.bin.engine.listeners import listeners
from jailoc.model.bundle import Bundle
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import FIRST_PORT, SIDECAR_USER
from jailoc.model.user import AgentUser


def squatter(bundle: Bundle) -> Refused | None:
    """Say who listens where the agent's server should; None if nobody else does."""
    project = bundle.compose.name
    try:
        uids = listeners(execute.wall_of(project), FIRST_PORT)
    except docker.DockerError:
        return None
    others = uids - {AgentUser.read(bundle.user).uid}
    if not others:
        return None
    if others == {int(SIDECAR_USER.partition(":")[0])}:
        return refuse(
            "port-inside",
            f"port {FIRST_PORT} inside the sandbox is held by the agent's own Docker: a container "
            "there publishes it, so the agent's server cannot start",
            hint="set enable_docker = false, or lose all that is in that Docker: "
            f"`jailoc down {bundle.workspace}`, `docker volume rm {project}_dind-data`",
        )
    return refuse(
        "port-inside",
        f"port {FIRST_PORT} inside the sandbox is held by UID "
        f"{', '.join(map(str, sorted(others)))}, so the agent's server cannot start",
    )
