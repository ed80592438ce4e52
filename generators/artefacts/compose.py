"""Build the compose model of a workspace: who runs, as whom, with what, behind which wall."""

import hashlib

from jailoc.generators.artefacts import (
    agent_start,
    git,
    machine_rules,
    named_volumes,
    proxy_service,
    seccomp,
    wall_volumes,
)
from jailoc.generators.artefacts.beside import service, volumes
from jailoc.generators.artefacts.container_fields import digest, expected
from jailoc.generators.artefacts.generated import folder, generated
from jailoc.generators.artefacts.health import WATCH_TIMEOUT, health_check, watched
from jailoc.model.compose import (
    Bind,
    Capability,
    Compose,
    Condition,
    Device,
    Health,
    Limits,
    Literally,
    MemoryVolume,
    Network,
    Port,
    SecurityOption,
    Service,
    Sidecar,
    Sysctl,
    Tmpfs,
    Volume,
)
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.path import outermost
from jailoc.model.sandbox import (
    AGENT,
    AGENT_HOME,
    AGENT_LABEL,
    ASK_RESOLVER,
    DIGEST_LABEL,
    DNS_PORT,
    EMPTY,
    FIREWALL,
    FIRST_PORT,
    GENERATED,
    MACHINE,
    PROXY,
    SECRETS,
    SECRETS_PLACE,
    SERVICE_LABEL,
    SIDECAR,
    SIDECAR_SOCKET,
    SSH_SOCKET,
    TRUST,
    TRUST_PLACE,
    WALL,
    WALL_STATE,
)
from jailoc.model.secret import SECRETS_LIMIT
from jailoc.model.size import size
from jailoc.model.workspace import Workspace

RESERVATION = "512m"


def compose(
    workspace: Workspace, host: Host, images: dict[str, str], digests: dict[str, str]
) -> Compose:
    """Decide the services of a workspace.

    Args:
        workspace: The resolved workspace.
        host: The machine, for the places of generated files.
        images: The image of each service.
        digests: What the generated files of a service are, for those that mount some. Compose
            looks at paths alone, so without it new rules would not reach a running wall.
    """
    services = {WALL: _wall(workspace, host, images[WALL], digests[WALL])}
    services[AGENT] = _agent(workspace, host, images[AGENT], digests[AGENT])
    if workspace.credentials:
        services[PROXY] = proxy_service.service(workspace, host, images[PROXY], digests[PROXY])
    if workspace.enable_docker:
        services[SIDECAR] = _sidecar(workspace, host, images[SIDECAR], digests[SIDECAR])
    services |= {each.name: service(each, host, digests[each.name]) for each in workspace.services}
    return Compose(
        name=workspace.project,
        services={
            name: each.model_copy(
                update={
                    "labels": each.labels
                    | {SERVICE_LABEL: digest(expected(each, workspace.project))}
                }
            )
            for name, each in services.items()
        },
        network=Network(
            ipv6_subnet=_subnet(workspace.project) if host.ipv6 else None,
            ipv4_subnet=workspace.subnet,
            mtu=workspace.mtu,
        ),
        volumes=tuple(
            each.name
            for each in (*named_volumes.every(workspace), *wall_volumes.kept(workspace))
            if not each.shared
        )
        + tuple(each.name for one in workspace.services for each in volumes(one)),
        shared=tuple(each.name for each in named_volumes.every(workspace) if each.shared),
        memory=(
            MemoryVolume(name=SECRETS, size=SECRETS_LIMIT + (1 << 20)),
            *(proxy_service.MEMORY if workspace.credentials else ()),
        ),
    )


def _subnet(project: str) -> str:
    """Derive a unique local /64 (RFC 4193) that stays the same for a project."""
    digits = hashlib.sha256(project.encode()).hexdigest()
    return f"fd{digits[:2]}:{digits[2:6]}:{digits[6:10]}:{digits[10:14]}::/64"


def _resolv_conf(workspace: Workspace, host: Host, name: str) -> Bind:
    """Let what runs behind the wall ask the wall's resolver, not the engine's."""
    return Bind(
        source=Literally(text=f"{generated(workspace, host)}/{name}/resolv.conf"),
        target=Literally(text="/etc/resolv.conf"),
        mode=Mode.READ_ONLY,
    )


def _wall(workspace: Workspace, host: Host, image: str, digest: str) -> Service:
    return Service(
        image=Literally(text=image),
        labels={DIGEST_LABEL: digest},
        user="0:0",
        entrypoint=FIREWALL,
        namespace="both" if workspace.services else "own",
        ports=_ports(workspace),
        mounts=(
            folder(workspace, host, "wall"),
            *machine_rules.tables(host),
            Tmpfs(target=WALL_STATE, size=4 << 20, mode=0o755),
            Volume(name=SECRETS, target=SECRETS_PLACE),
            *wall_volumes.kept(workspace),
            # Held, so that a new proxy goes on with the authority that the agent trusts; the wall
            # cannot read the first.
            *(
                Volume(name=each.name, target=f"/held/{each.name}", mode=Mode.READ_ONLY)
                for each in (proxy_service.MEMORY if workspace.credentials else ())
            ),
            # Mounted only so that their owner can be set before the agent, which may not, needs it.
            *(
                Volume(
                    name=volume.name, target=f"/volumes/{volume.name}", shared=volume.shared
                )
                for volume in named_volumes.every(workspace)
            ),
        ),
        cap_add=(
            Capability.CHOWN,
            Capability.NET_ADMIN,
            Capability.NET_BIND_SERVICE,
            Capability.SETGID,
            Capability.SETPCAP,
            Capability.SETUID,
        ),
        security=(SecurityOption.NO_NEW_PRIVILEGES,),
        # Engines differ, so both are said. The resolver's port is root's; those above are free,
        # because agents serve on 80 and publish it. Whoever is in here may ping; an engine without
        # root can name 65536 groups alone, and there the agent's is one of them.
        sysctls={
            Sysctl.FIRST_FREE_PORT: str(DNS_PORT + 1),
            Sysctl.PING_GROUPS: f"0 {max(65535, workspace.user.gid)}",
        },
        # Always there, so that a port of the machine opens without a new container.
        extra_hosts={MACHINE: "host-gateway"}
        | ({SIDECAR: "127.0.0.1"} if workspace.enable_docker else {}),
        read_only=True,
        limits=Limits(cpus=1, memory="128m", reservation="32m", pids=64),
        health=Health(
            # The rules are verified, and the resolver has looked every allowed name up once.
            test=("CMD", *ASK_RESOLVER, "watch"),
            interval=2,
            timeout=WATCH_TIMEOUT,
            retries=3,
            start_period=60,
        ),
    )  # fmt: skip


def _ports(workspace: Workspace) -> tuple[Port, ...]:
    server = (Port(published=workspace.port, target=FIRST_PORT),) if workspace.expose_port else ()
    more = (
        Port(published=each.published, target=each.target, origin=each.origin)
        for each in workspace.ports
    )
    return (*server, *more)


def _agent(workspace: Workspace, host: Host, image: str, digest: str) -> Service:
    environment = {
        **{key: Literally(text=value) for key, value in workspace.agent.environment.items()},
        "JAILOC": Literally(text="1"),
        "JAILOC_WORKSPACE": Literally(text=workspace.name),
    }
    if workspace.enable_docker:
        environment["DOCKER_HOST"] = Literally(text=SIDECAR_SOCKET)
    socket = host.ssh_agent if workspace.ssh_auth_sock else None
    if socket:
        environment["SSH_AUTH_SOCK"] = Literally(text=SSH_SOCKET)
    for key, value in git.environment(workspace, host).items():
        environment[key] = Literally(text=value)
    environment |= proxy_service.environment(workspace)
    for variable in workspace.env:
        environment[variable.key] = Literally(text=variable.value, origin=variable.origin)
    return Service(
        image=Literally(text=image, origin=_image_origin(workspace)),
        user=workspace.user.text,
        init=True,
        entrypoint=("/bin/sh", f"{GENERATED}/agent.sh"),
        command=agent_start.command(workspace),
        namespace="firewall",
        working_dir=Literally(text=workspace.paths[0].path, origin=workspace.paths[0].origin)
        if workspace.paths
        else None,
        environment=environment,
        labels={
            DIGEST_LABEL: digest,
            AGENT_LABEL: workspace.agent.whole,
        },
        mounts=(
            *_agent_binds(workspace, host, socket),
            *named_volumes.agent(workspace),
            Volume(name=SECRETS, target=SECRETS_PLACE, mode=Mode.READ_ONLY),
            *wall_volumes.shown(workspace),
            *(
                (Volume(name=TRUST, target=TRUST_PLACE, mode=Mode.READ_ONLY),)
                if workspace.credentials
                else ()
            ),
        ),
        security=seccomp.options(host),
        limits=_limits(workspace),
        health=Health(
            test=("CMD-SHELL", watched(health_check(workspace.agent))),
            interval=2, timeout=WATCH_TIMEOUT, retries=10, start_period=60,
        ),
        # A sidecar that is replaced or dies takes the agent's Docker with it, never the agent; so
        # does the proxy with its credentials.
        after=(Condition(service=WALL),)
        + ((Condition(service=PROXY, restart=False),) if workspace.credentials else ())
        + ((Condition(service=SIDECAR, restart=False),) if workspace.enable_docker else ())
        + tuple(Condition(service=each.name, restart=False) for each in workspace.services),
    )  # fmt: skip


def _image_origin(workspace: Workspace) -> str:
    dockerfile = workspace.overlay or workspace.base
    return dockerfile.origin if dockerfile else workspace.image_origin


def _agent_binds(workspace: Workspace, host: Host, socket: str | None) -> tuple[Bind | Tmpfs, ...]:
    """Return what the agent sees of the host; for one container path the last entry holds.

    A user's mount beats a workspace path and what covers it; what jailoc needs itself beats both.
    """

    def bind(source: str, target: str, mode: Mode, origin: str | None = None) -> Bind:
        return Bind(
            source=Literally(text=source, origin=origin),
            target=Literally(text=target),
            mode=mode,
        )

    # A path in another one is there already; a mount of its own would follow what the agent makes.
    outer = outermost(each.path for each in workspace.paths)
    entries: list[Bind | Tmpfs] = [
        bind(each.path, each.path, Mode.READ_WRITE, each.origin)
        for each in workspace.paths
        if each.path in outer and not each.cloned
    ]
    entries += [mount for each in workspace.worktrees for mount in git.mounts(each)]
    entries += [
        bind(each.path, each.target, each.mode, f"protect: {each.origin}")
        for each in workspace.covers
    ]
    entries += [
        bind(each.host, each.container, each.mode, each.origin) for each in workspace.mounts
    ]
    entries += [
        bind(f"{generated(workspace, host)}/{EMPTY}", place, Mode.READ_ONLY)
        for place in workspace.hidden
    ]
    entries += [bind(each.host, each.container, each.mode) for each in workspace.git_files]
    if workspace.ssh_auth_sock:
        if socket:
            entries.append(bind(socket, SSH_SOCKET, Mode.READ_WRITE))
        if host.known_hosts:
            entries.append(bind(host.known_hosts, f"{AGENT_HOME}/.ssh/known_hosts", Mode.READ_ONLY))
    entries.append(folder(workspace, host, "agent"))
    entries.append(_resolv_conf(workspace, host, "agent"))
    return tuple(
        {each.target if isinstance(each, Tmpfs) else each.target.text: each
         for each in entries}.values()
    )  # fmt: skip


def _sidecar(workspace: Workspace, host: Host, image: str, digest: str) -> Sidecar:
    return Sidecar(
        image=Literally(text=image),
        labels={DIGEST_LABEL: digest},
        user="0:0",
        entrypoint=("/bin/sh", f"{GENERATED}/dind.sh"),
        namespace="firewall",
        mounts=(
            folder(workspace, host, "dind"),
            _resolv_conf(workspace, host, "dind"),
            Tmpfs(target="/tmp", size=64 << 20, mode=0o1777),  # noqa: S108 -- the container's own
            *named_volumes.sidecar(workspace),
        ),
        read_only=True,
        # No NET_ADMIN: it shares the wall's namespace and must not be able to change the rules.
        cap_add=(Capability.SETGID, Capability.SETUID),
        security=(
            SecurityOption.SECCOMP_SIDECAR,
            SecurityOption.APPARMOR_UNCONFINED,
            SecurityOption.PATHS_UNMASKED,
        ),
        privileged=workspace.dind_privileged,
        devices=(Device.TUN,),
        limits=_limits(workspace),
        health=Health(
            # As the agent, so that it is healthy when the agent can use it. `docker version` would
            # each time leave a connection open between dockerd and rootlesskit.
            test=(
                "CMD-SHELL",
                watched(
                    f"/usr/bin/setpriv --reuid={workspace.user.uid} "
                    f"--regid={workspace.user.gid} --clear-groups /usr/bin/timeout 10 "
                    f"/usr/bin/docker --host {SIDECAR_SOCKET} ps --quiet >/dev/null"
                ),
            ),
            interval=2,
            timeout=WATCH_TIMEOUT,
            retries=10,
            start_period=60,
        ),
        after=(Condition(service=WALL),),
    )  # fmt: skip


def _limits(workspace: Workspace) -> Limits:
    smaller = (size(workspace.memory) or 0) < (size(RESERVATION) or 0)
    return Limits(
        cpus=workspace.cpu,
        memory=workspace.memory,
        reservation=workspace.memory if smaller else RESERVATION,
        pids=workspace.pids,
    )
