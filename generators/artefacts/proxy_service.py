"""The proxy in the Compose project: its container, its memory, and what the agent is told of it."""

from jailoc.generators.artefacts import seccomp
from jailoc.generators.artefacts.generated import folder
from jailoc.generators.artefacts.health import WATCH_TIMEOUT, watched
from jailoc.model import credential
from jailoc.model.compose import (
    Condition,
    Health,
    Limits,
    Literally,
    MemoryVolume,
    Service,
    Volume,
)
from jailoc.model.host import Host
from jailoc.model.sandbox import (
    CREDENTIALS,
    DIGEST_LABEL,
    GENERATED,
    PROXY,
    PROXY_ID,
    PROXY_RUN,
    TRUST,
    TRUST_PLACE,
    WALL,
)
from jailoc.model.workspace import Workspace

MEMORY = (
    MemoryVolume(name=CREDENTIALS, size=credential.VALUES_LIMIT, owner=PROXY_ID, mode=0o700),
    MemoryVolume(name=TRUST, size=credential.VALUES_LIMIT, owner=PROXY_ID),
)


def service(workspace: Workspace, host: Host, image: str, digest: str) -> Service:
    """Return the service: no power, nothing of the host, and its own memory."""
    return Service(
        image=Literally(text=image),
        labels={DIGEST_LABEL: digest},
        user=f"{PROXY_ID}:{PROXY_ID}",
        entrypoint=("/bin/sh", f"{GENERATED}/proxy.sh"),
        namespace="firewall",
        init=True,
        mounts=(
            folder(workspace, host, PROXY),
            Volume(name=CREDENTIALS, target=PROXY_RUN),
            Volume(name=TRUST, target=TRUST_PLACE),
        ),
        read_only=True,
        security=seccomp.options(host),
        limits=Limits(cpus=workspace.cpu, memory="512m", reservation="64m", pids=64),
        health=Health(
            # It serves; whether it has been fed is another question.
            test=(
                "CMD-SHELL",
                watched(f"[ -s {PROXY_RUN}/pid ] && kill -0 $(cat {PROXY_RUN}/pid)"),
            ),
            interval=2,
            timeout=WATCH_TIMEOUT,
            retries=3,
            start_period=60,
        ),
        after=(Condition(service=WALL),),
    )


def environment(workspace: Workspace) -> dict[str, Literally]:
    """Return the variables that have tools trust the proxy and send what they take for a key."""
    found: dict[str, Literally] = {}
    for each in workspace.credentials:
        found |= {key: Literally(text=each.placeholder, origin=each.origin) for key in each.env}
    if workspace.credentials:
        found |= {key: Literally(text=f"{TRUST_PLACE}/bundle.pem") for key in credential.TRUST}
        found[credential.TRUST_MORE] = Literally(text=f"{TRUST_PLACE}/ca.pem")
    return found
