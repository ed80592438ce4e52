"""Write a service beside the agent as a container: nothing of the machine's, no way out."""

from jailoc.generators.artefacts import seccomp
from jailoc.model.beside import Beside
from jailoc.model.compose import (
    Health,
    Limits,
    Literally,
    Service,
    Tmpfs,
    Volume,
)
from jailoc.model.host import Host
from jailoc.model.sandbox import DIGEST_LABEL, service_volume

LIMITS = Limits(cpus=1, memory="1g", reservation="64m", pids=512)
MEMORY = 64 << 20
"""Bytes of each directory in memory."""


def volumes(each: Beside) -> tuple[Volume, ...]:
    """Return the volumes that a service keeps its data in."""
    return tuple(
        Volume(name=service_volume(each.name, name), target=place, origin=f"{each.origin}.volumes")
        for name, place in each.volumes
    )


def service(each: Beside, host: Host, digest: str) -> Service:
    """Decide the container of a service.

    Names that it looks up are its siblings' alone: whoever is asked for others is nobody.
    """
    return Service(
        image=Literally(text=each.image, origin=f"{each.origin}.image"),
        labels={DIGEST_LABEL: digest},
        user=each.user,
        entrypoint=(),
        given=False,
        init=True,
        namespace="services",
        dns=("127.0.0.1",),
        environment={one.key: Literally(text=one.value, origin=one.origin) for one in each.env},
        mounts=(
            *(
                Tmpfs(target=place, size=MEMORY, mode=0o1777, owner=each.user)
                for place in each.tmpfs
            ),
            *volumes(each),
        ),
        cap_add=each.capabilities,
        security=seccomp.options(host),
        read_only=True,
        limits=LIMITS,
        health=Health(
            test=("CMD", *each.healthcheck), interval=2, timeout=5, retries=10, start_period=60
        ),
    )
