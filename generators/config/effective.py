"""What is in effect after merging: every value of a configuration with the entry it came from."""

from collections.abc import Iterator

from jailoc.generators.config.resolve import protected, resolve
from jailoc.generators.config.snapshots import stated
from jailoc.model.agents.choice import KEY
from jailoc.model.base import Model
from jailoc.model.config import Config
from jailoc.model.credential import limits
from jailoc.model.egress import Egress
from jailoc.model.host import Host
from jailoc.model.host_set import set_of
from jailoc.model.mount import Mode
from jailoc.model.network_settings import NetworkSettings
from jailoc.model.secret import Destination
from jailoc.model.workspace import AllowedName, DeniedName, NamedNetwork, Workspace

Value = str | bool | int | float


class Setting(Model):
    """One value; a list has one setting for each of its items."""

    key: str
    value: Value
    origin: str
    """Dotted path of the configuration entry, or `built-in`."""


def shared(config: Config) -> tuple[Setting, ...]:
    """Return what is in effect for all workspaces."""
    return (
        _given("mode", config.mode, "mode", ""),
        _given("password_mode", config.password_mode, "password_mode", "auto"),
        *(
            Setting(key="trust", value=each, origin=f"trust[{index}]")
            for index, each in enumerate(config.trust)
        ),
        *(
            Setting(key="ignore_drift", value=each, origin=f"ignore_drift[{index}]")
            for index, each in enumerate(config.ignore_drift)
        ),
        *(
            Setting(key="ca_certificates", value=each, origin=f"base.ca_certificates[{index}]")
            for index, each in enumerate(config.base.ca_certificates)
        ),
    )


def of_workspace(config: Config, name: str, host: Host) -> tuple[Setting, ...]:
    """Return what is in effect in one workspace, in the order of the reference.

    Values of secrets are unknown here; only where they come from is told.

    Raises:
        Refused: there is no such workspace.
    """
    return tuple(_workspace(config, name, host))


def _workspace(config: Config, name: str, host: Host) -> Iterator[Setting]:
    workspace = resolve(config, name, host)
    mine, defaults = config.workspaces[name], config.defaults
    scope = config.scope(name)
    pinned = f"{scope}.port" if mine.port is not None else "built-in"
    yield Setting(key="port", value=workspace.port, origin=pinned)
    for index, each in enumerate(mine.ports):
        yield Setting(key="ports", value=each.text, origin=f"{scope}.ports[{index}]")
    if mine.mode is not None:
        yield Setting(key="mode", value=mine.mode, origin=f"{scope}.mode")
    yield from _beside(workspace, scope)
    for path in workspace.paths:
        yield Setting(key="paths", value=path.path, origin=path.origin)
    for entry, origin in protected(config, name):
        yield Setting(key="protect", value=entry, origin=origin)
    for cover in workspace.covers:
        if cover.mode is Mode.READ_ONLY:
            yield Setting(key="protected", value=cover.path, origin=cover.origin)
    for mount in workspace.mounts:
        text = f"{mount.host}:{mount.container}:{mount.mode.value}"
        yield Setting(key="mounts", value=text, origin=mount.origin)
    for volume in workspace.volumes:
        text = f"{'shared:' if volume.shared else ''}{volume.name}:{volume.place}"
        yield Setting(key="volumes", value=text, origin=volume.origin)
    for variable in workspace.env:
        yield Setting(key="env", value=f"{variable.key}={variable.value}", origin=variable.origin)
    yield from _values(workspace)
    yield from _reach(workspace)
    chosen = _origin(KEY, scope, mine.agent, defaults.agent)
    yield Setting(key=KEY, value=workspace.agent.whole, origin=chosen)
    yield from _images(workspace, f"{scope}.build_context" if mine.build_context else None)
    for key in (
        "observe", "show_refused", "ssh_auth_sock", "git_config", "git_write", "expose_port",
        "enable_docker", "dind_privileged", "cpu", "memory", "pids",
    ):  # fmt: skip
        yield Setting(
            key=key,
            value=getattr(workspace, key),
            origin=_origin(key, scope, getattr(mine, key), getattr(defaults, key)),
        )
    yield from _network(workspace, mine.network, defaults.network, scope)
    for key, given, at in stated(mine.snapshots, defaults.snapshots):
        origin = at if at.startswith("defaults.") else f"{scope}.{at}"
        yield Setting(key=f"snapshots.{key}", value=given, origin=origin)


def _values(workspace: Workspace) -> Iterator[Setting]:
    """Yield what is handed over, and where it comes from; never a value."""
    for secret in workspace.secrets:
        source = (
            f"from_env {secret.from_env}" if secret.from_env else f"from_file {secret.from_file}"
        )
        kind = "env" if secret.destination is Destination.ENVIRONMENT else "file"
        yield Setting(key="secrets", value=f"{secret.name} ({kind} {source})", origin=secret.origin)
    for credential in workspace.credentials:
        yield Setting(
            key="credentials",
            value=f"{credential.name} ({credential.source} at {limits(credential)})",
            origin=credential.origin,
        )


def _beside(workspace: Workspace, scope: str) -> Iterator[Setting]:
    for each in workspace.services:
        listed = ", ".join(map(str, each.ports))
        text = f"{each.name}: {each.image}, port{'s' * (len(each.ports) > 1)} {listed}"
        yield Setting(key="services", value=text, origin=each.origin)
    if workspace.acp_mcp:
        yield Setting(key="acp_mcp", value=True, origin=f"{scope}.acp_mcp")


def _network(
    workspace: Workspace, mine: NetworkSettings, defaults: NetworkSettings, scope: str
) -> Iterator[Setting]:
    """Yield what is said of the network; what the engine chooses is not known here."""
    values: dict[str, int | str | None] = {"mtu": workspace.mtu, "subnet": workspace.subnet}
    for key, value in values.items():
        if value is not None:
            origin = _origin(f"network.{key}", scope, getattr(mine, key), getattr(defaults, key))
            yield Setting(key=f"network.{key}", value=value, origin=origin)


def _reach(workspace: Workspace) -> Iterator[Setting]:
    yield Setting(key="egress", value=workspace.egress.value, origin=workspace.egress_origin)
    both: tuple[DeniedName | NamedNetwork, ...] = (
        *workspace.denied_names,
        *workspace.denied_networks,
    )
    for denied in both:
        listed = ".denied_hosts[" in denied.origin
        key = "denied_hosts" if listed else "denied_networks"
        yield Setting(key=key, value=_noted(denied), origin=denied.origin)
    if workspace.egress is Egress.NONE:
        return
    for each in workspace.allowed_names:
        yield _allowed(each, "allowed_hosts")
    for network in workspace.allowed_networks:
        listed = ".allowed_hosts[" in network.origin
        yield _allowed(network, "allowed_hosts" if listed else "allowed_networks")
    for port in workspace.host_ports:
        yield Setting(key="host_ports", value=port.port, origin=port.origin)


def _allowed(entry: AllowedName | NamedNetwork, key: str) -> Setting:
    name = set_of(entry.origin)
    if name is None:
        return Setting(key=key, value=_noted(entry), origin=entry.origin)
    return Setting(key="allow", value=f"@{name}: {_noted(entry)}", origin=entry.origin)


def _noted(entry: AllowedName | DeniedName | NamedNetwork) -> str:
    until = getattr(entry, "until", None)
    notes = [entry.why] if entry.why else []
    notes += [f"until {until}"] if until else []
    return f"{entry.text} ({', '.join(notes)})" if notes else entry.text


def _images(workspace: Workspace, context: str | None) -> Iterator[Setting]:
    if workspace.image is not None:
        yield Setting(key="image", value=workspace.image, origin=workspace.image_origin)
    if workspace.base is not None:
        yield Setting(key="base.dockerfile", value=workspace.base.source, origin="base.dockerfile")
    if workspace.overlay is not None:
        overlay = workspace.overlay
        yield Setting(key="dockerfile", value=overlay.source, origin=overlay.origin)
        if overlay.context is not None:
            yield Setting(
                key="build_context", value=overlay.context, origin=context or overlay.origin
            )


def _given(key: str, value: str, origin: str, unset: str) -> Setting:
    given = value and value != unset
    return Setting(key=key, value=value or unset, origin=origin if given else "built-in")


def _origin(key: str, scope: str, mine: object, default: object) -> str:
    if mine is not None:
        return f"{scope}.{key}"
    return "built-in" if default is None else f"defaults.{key}"
