"""Turn a `Config` into one `Workspace`: merge the layers, decide the port, fill in defaults."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from jailoc.generators.config import git_access, host_sets
from jailoc.generators.config.credentials import credentials
from jailoc.generators.config.environment import entries
from jailoc.generators.config.select import unknown_workspace
from jailoc.generators.config.snapshots import snapshots
from jailoc.model import protect, protect_entry, task_limit
from jailoc.model.address import Network
from jailoc.model.agents.agent import Agent
from jailoc.model.agents.choice import named
from jailoc.model.allow_entry import HostEntry, NetworkEntry
from jailoc.model.beside import beside
from jailoc.model.config import Config, Scope, TaskConfig, WorkspaceConfig
from jailoc.model.egress import Egress
from jailoc.model.environment import merge_env
from jailoc.model.hidden_files import Seen, seen
from jailoc.model.host import Host
from jailoc.model.mount import Mode, Mount, MountSpec, merge
from jailoc.model.path import clean
from jailoc.model.sandbox import AGENT_HOME, FIRST_PORT
from jailoc.model.secret import Destination, Secret
from jailoc.model.seen_root import Root
from jailoc.model.text import without_mark
from jailoc.model.user import agent_user
from jailoc.model.workspace import (
    AllowedName,
    AllowedNetwork,
    Certificate,
    ConfiguredPort,
    DeniedName,
    Dockerfile,
    NamedNetwork,
    NamedVolume,
    PublishedPort,
    WorkPath,
    Workspace,
)

T = TypeVar("T")

DEFAULT_CPU = 2.0
DEFAULT_MEMORY = "4g"


def names(config: Config) -> tuple[str, ...]:
    """Return all workspace names in byte order, the order that ports are given out in."""
    return tuple(config.order)


def chosen(config: Config, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the wanted workspaces, or all there are.

    Raises:
        Refused: there is no workspace of one of the names.
    """
    every = names(config)
    for name in wanted:
        if name not in config.workspaces:
            raise unknown_workspace(name, every)
    return wanted or every


def port_of(config: Config, name: str) -> int:
    """Return the port of a workspace: its own, else one by its place in the order of all names.

    A pinned workspace keeps its place, so that pinning one moves no other.
    """
    return config.workspaces[name].port or FIRST_PORT + config.order[name]


def agent_of(config: Config, name: str) -> Agent:
    """Return the agent of a workspace; of one that left the configuration, what others have."""
    mine = config.workspaces.get(name)
    return named((mine.agent if mine else None) or config.defaults.agent)


def resolve(config: Config, name: str, host: Host) -> Workspace:
    """Decide everything about one workspace.

    Raises:
        Refused: there is no workspace of that name.
    """
    if name not in config.workspaces:
        raise unknown_workspace(name, names(config))
    mine, defaults = config.workspaces[name], config.defaults
    scope = config.scope(name)
    layers: Sequence[tuple[str, Scope]] = (("defaults", defaults), (scope, mine))
    allowed = _union((f"{at}.allowed_hosts", each.allowed_hosts) for at, each in layers)
    allowed = tuple({**host_sets.expanded(config, layers), **dict(allowed)}.items())
    networks = _union((f"{at}.allowed_networks", each.allowed_networks) for at, each in layers)
    places: list[tuple[Network | None, HostEntry | NetworkEntry, str]] = [
        (entry.address, entry, origin) for entry, origin in allowed
    ]
    places += [(entry.network, entry, origin) for entry, origin in networks]
    image, image_origin = _image(mine, defaults.image, scope)
    base = config.base.dockerfile if image is None else ""
    paths = _paths(mine, scope)
    guard = protection(config, name, host)
    agent = agent_of(config, name)
    mounts = mounts_of(config, name, host)
    git_config = _first(mine.git_config, defaults.git_config, True)
    return Workspace(
        name=name,
        agent=agent,
        user=agent_user(host, (each.path for each in paths)),
        port=port_of(config, name),
        ports=tuple(
            PublishedPort(published=published, target=target, origin=f"{scope}.ports[{index}]")
            for index, each in enumerate(mine.ports)
            for published, target in each.pairs
        ),
        paths=paths,
        mounts=mounts,
        volumes=_volumes(layers),
        worktrees=git_access.worktrees(config, name, mounts, host)[0],
        git_files=git_access.files(config, host) if git_config else (),
        env=merge_env(entries(config, name)),
        egress=_first(mine.egress, defaults.egress, Egress.PUBLIC),
        egress_origin=f"{scope}.egress" if mine.egress else "defaults.egress" if defaults.egress
        else "built-in",
        observe=_first(mine.observe, defaults.observe, False),
        show_refused=_first(mine.show_refused, defaults.show_refused, True),
        allowed_names=tuple(
            AllowedName(
                name=entry.name, port=port, until=entry.until, why=entry.why, origin=origin
            )
            for entry, origin in allowed
            if entry.is_name and holds(entry, host)
            for port in entry.ports or (None,)
        ),
        allowed_networks=tuple(
            AllowedNetwork(
                network=network, port=port, until=entry.until, why=entry.why, origin=origin
            )
            for network, entry, origin in places
            if network is not None and holds(entry, host)
            for port in entry.ports or (None,)
        ),
        denied_names=tuple(
            DeniedName(name=entry.name, why=entry.why, origin=origin)
            for entry, origin in _union(
                (f"{at}.denied_hosts", each.denied_hosts) for at, each in layers
            )
            if entry.is_name
        ),
        denied_networks=denied_networks(layers),
        host_ports=tuple(
            ConfiguredPort(port=port, origin=origin)
            for port, origin in _union((f"{at}.host_ports", each.host_ports) for at, each in layers)
        ),
        secrets=_secrets(layers),
        credentials=credentials(layers),
        services=tuple(
            beside(each, mine.services[each], f"{scope}.services.{each}")
            for each in sorted(mine.services)
        ),
        acp_mcp=mine.acp_mcp,
        covers=guard.covers,
        exposed=guard.exposed,
        hidden=tuple(
            sorted(each.place for each in shown(config, name, host, host.private) if not each.named)
        ),
        placeholders=guard.placeholders,
        image=image,
        image_origin=image_origin,
        base=Dockerfile(source=base, origin="base.dockerfile") if base else None,
        overlay=_overlay(mine, scope),
        ssh_auth_sock=_first(mine.ssh_auth_sock, defaults.ssh_auth_sock, False),
        git_config=git_config,
        git_write=git_access.writes(config, name)[0],
        expose_port=_first(mine.expose_port, defaults.expose_port, agent.exposed),
        enable_docker=_first(mine.enable_docker, defaults.enable_docker, True),
        dind_privileged=_first(mine.dind_privileged, defaults.dind_privileged, False),
        cpu=_first(mine.cpu, defaults.cpu, DEFAULT_CPU),
        memory=_first(mine.memory, defaults.memory, DEFAULT_MEMORY),
        pids=_first(mine.pids, defaults.pids, task_limit.DEFAULT),
        mtu=_first(mine.network.mtu, defaults.network.mtu, None),
        subnet=_first(mine.network.subnet, defaults.network.subnet, None),
        certificates=tuple(
            Certificate(
                text=without_mark(host.files[path]), origin=f"base.ca_certificates[{index}]"
            )
            for index, path in enumerate(config.base.ca_certificates)
        ),
        snapshots=snapshots(mine.snapshots, defaults.snapshots),
    )  # fmt: skip


def _paths(mine: WorkspaceConfig, scope: str) -> tuple[WorkPath, ...]:
    if isinstance(mine, TaskConfig):
        return (WorkPath(path=mine.repository, origin=f"{scope}.paths", cloned=True),)
    return tuple(
        WorkPath(path=path, origin=f"{scope}.paths[{index}]")
        for index, path in enumerate(dict.fromkeys(mine.paths))
    )


def denied_networks(layers: Iterable[tuple[str, Scope]]) -> tuple[NamedNetwork, ...]:
    """Return what some layers of a workspace close by address, a denied host's address too."""
    both = tuple(layers)
    places: list[tuple[Network | None, HostEntry | NetworkEntry, str]] = [
        (entry.address, entry, origin)
        for entry, origin in _union((f"{at}.denied_hosts", each.denied_hosts) for at, each in both)
    ]
    places += [
        (entry.network, entry, origin)
        for entry, origin in _union(
            (f"{at}.denied_networks", each.denied_networks) for at, each in both
        )
    ]
    return tuple(
        NamedNetwork(network=network, port=port, why=entry.why, origin=origin)
        for network, entry, origin in places
        if network is not None
        for port in entry.ports or (None,)
    )


def holds(entry: HostEntry | NetworkEntry, host: Host) -> bool:
    """Tell whether an allow has not ended yet; its last day belongs to it."""
    return entry.until is None or entry.until >= host.today


def built_in_mounts(host: Host, agent: Agent) -> tuple[MountSpec, ...]:
    """Return the weakest layer of mounts: what there is of it on this machine."""
    return tuple(
        MountSpec(
            host=clean(f"{host.home}/{each.path}"),
            container=f"{AGENT_HOME}/{each.path}",
            mode=each.mode,
        )
        for each in agent.mounts
        if f"{host.home}/{each.path}" in host.kinds
    )


def _first(mine: T | None, default: T | None, built_in: T) -> T:
    if mine is not None:
        return mine
    return built_in if default is None else default


def _union(lists: Iterable[tuple[str, Iterable[T]]]) -> tuple[tuple[T, str], ...]:
    """Join lists in order, each item once, with the place of its first mention."""
    found: dict[T, str] = {}
    for at, items in lists:
        for index, item in enumerate(items):
            found.setdefault(item, f"{at}[{index}]")
    return tuple(found.items())


def protected(config: Config, name: str) -> tuple[tuple[str, str], ...]:
    """Return what is protected in a workspace's paths, with the entry each comes from."""
    writes, at = git_access.writes(config, name)
    whole = () if writes else tuple((each, at) for each in protect_entry.READ_ONLY)
    layers = ((config.scope(name), config.workspaces[name]), ("defaults", config.defaults))
    for at, each in layers:
        if each.protect is not None:
            named = ((entry, f"{at}.protect[{index}]") for index, entry in enumerate(each.protect))
            return (*whole, *named)
    return (*whole, *((entry, "built-in") for entry in protect_entry.EVERYWHERE))


def mounts_of(config: Config, name: str, host: Host) -> tuple[Mount, ...]:
    """Return the mounts of a workspace, those of all layers laid over each other."""
    layers = (
        ("defaults", config.defaults),
        (config.scope(name), config.workspaces[name]),
    )
    return merge(
        (("built-in", built_in_mounts(host, agent_of(config, name))),
         *((f"{at}.mounts", each.mounts) for at, each in layers))
    )  # fmt: skip


def protection(config: Config, name: str, host: Host) -> protect.Covers:
    """Return what keeps the agent of a workspace from what the host executes."""
    places = roots(config, name, host)
    hidden = (each.place for each in seen(host.private, places, host) if not each.named)
    found = protect.protection(places, protected(config, name), host, hidden)
    # What is named there is known, and an agent's.
    kept = tuple(
        each for each in found.exposed
        if not (each.stops or each.believed) or each.certain or each.path not in config.trust
    )  # fmt: skip
    return found.model_copy(update={"exposed": kept})


def shown(config: Config, name: str, host: Host, files: Iterable[str]) -> tuple[Seen, ...]:
    """Return where the agent of a workspace would see files of the host."""
    return tuple(seen(files, roots(config, name, host), host))


def roots(config: Config, name: str, host: Host) -> list[Root]:
    """Return all that the agent of a workspace sees of the host; of one place the last counts."""
    mine, mounts = config.workspaces[name], mounts_of(config, name, host)
    roots = [
        Root(path=path, container=path, writable=True, project=True)
        for path in dict.fromkeys(mine.paths)
    ]
    roots += [
        Root(path=each.host, container=each.container, writable=each.mode is Mode.READ_WRITE)
        for each in mounts
    ]
    roots += [
        Root(path=each.directory, container=each.directory, writable=each.writable)
        for each in git_access.worktrees(config, name, mounts, host)[0]
    ]
    return roots


def _volumes(layers: Iterable[tuple[str, Scope]]) -> tuple[NamedVolume, ...]:
    """Lay volumes over each other by place; the last entry of one holds."""
    found: dict[str, NamedVolume] = {}
    for at, scope in layers:
        for index, each in enumerate(scope.volumes):
            found[each.place] = NamedVolume(
                name=each.name, place=each.place, shared=each.shared,
                origin=f"{at}.volumes[{index}]",
            )  # fmt: skip
    return tuple(found.values())


def _secrets(layers: Iterable[tuple[str, Scope]]) -> tuple[Secret, ...]:
    """Merge by name over both destinations: a later scope replaces an entry entirely."""
    found: dict[str, Secret] = {}
    for at, scope in layers:
        for destination, table in (
            (Destination.ENVIRONMENT, scope.secrets.env),
            (Destination.FILE, scope.secrets.file),
        ):
            for name, source in table.items():
                found[name] = Secret(
                    name=name,
                    destination=destination,
                    from_env=source.from_env,
                    from_file=source.from_file,
                    origin=f"{at}.secrets.{destination.value}.{name}",
                )
    return tuple(found[name] for name in sorted(found))


def _overlay(mine: WorkspaceConfig, scope: str) -> Dockerfile | None:
    """Return the Dockerfile that is laid over the image; its directory is the build context."""
    source = mine.dockerfile
    if not source:
        return None
    context = mine.build_context or (None if "://" in source else source.rpartition("/")[0] or "/")
    return Dockerfile(source=source, context=context, origin=f"{scope}.dockerfile")


def _image(mine: WorkspaceConfig, default: str | None, scope: str) -> tuple[str | None, str]:
    if mine.image:
        return mine.image, f"{scope}.image"
    if default:
        return default, "defaults.image"
    return None, "built-in"
