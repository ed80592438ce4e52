"""The powers that a bundle does not tell by itself: sources, guards, what is trusted.

A new key of the configuration that is no rule, mount or service adds its power here, and its name
to `jailoc.generators.powers.coverage`.
"""

import hashlib
import shlex
from collections.abc import Iterable, Iterator

from jailoc.generators.config.cluster_powers import stated_of_cluster
from jailoc.generators.config.resolve import protected
from jailoc.model.address import AddressSet, Family, written
from jailoc.model.allow_entry import AskedTarget
from jailoc.model.config import Config
from jailoc.model.credential import Credential, Scheme
from jailoc.model.host import Host
from jailoc.model.image_reference import canonical
from jailoc.model.path import tilde
from jailoc.model.power import Power
from jailoc.model.secret import Destination
from jailoc.model.variable_names import steers
from jailoc.model.workspace import Workspace

EVERY = "every one"
"""Of methods, or of paths, where a credential names none."""
ABSENT, MISSING = "\0", "missing"
"""What stands for the text of a file that is not where it could be, and for its digest."""
DIGEST = 12
"""Characters of a digest that a text, or what lies in a build context, has as its value."""
UNREAD = "not read"
"""What a build context has as its value that is too large, or cannot be read."""
BUILT_IN_IMAGE = "jailoc's own"
_PASSWORD = {"auto": ("keyring", "file"), "": ("keyring", "file")}


def stated(config: Config, workspace: Workspace, host: Host) -> tuple[Power, ...]:
    """Return the powers of a workspace that neither its containers nor its rules tell.

    Each that is the same twice is there once.
    """
    found = (
        *_held(config, workspace, host),
        *_run(workspace, host),
        *_trusted(config, workspace, host),
        *_guards(config, workspace),
        *stated_of_cluster(config, workspace.name, host),
    )
    kept: dict[tuple[str, str], Power] = {}
    for each in found:
        kept.setdefault(each.key, each)
    return tuple(sorted(kept.values(), key=lambda each: each.key))


def _held(config: Config, workspace: Workspace, host: Host) -> Iterator[Power]:
    for secret in workspace.secrets:
        source = (
            f"variable {secret.from_env}"
            if secret.from_env
            else f"file {tilde(secret.from_file, host.home)}"
        )
        yield Power(
            rule="hold.secret",
            subject=source,
            value=f"{secret.destination.value} {secret.name}",
            origin=secret.origin,
        )
        if secret.destination is Destination.ENVIRONMENT and steers(secret.name):
            yield Power(
                rule="run.variable", subject=secret.name, value=source, origin=secret.origin
            )
    for each in workspace.credentials:
        for server in each.hosts:
            yield Power(
                rule="hold.credential",
                subject=f"{_source(each, host)} at {server.name}:{server.port}",
                value=f"{' '.join(each.methods) or EVERY}, {' '.join(each.paths) or EVERY}, "
                f"{_way(each)}",
                origin=each.origin,
            )
            if not each.scrub:
                yield Power(
                    rule="hold.unscrubbed",
                    subject=f"{each.name} at {server.name}:{server.port}",
                    origin=each.origin,
                )
        if each.from_command:
            yield Power(
                rule="run.command", subject=shlex.join(each.from_command), origin=each.origin
            )
    mine = config.workspaces[workspace.name]
    scope = config.scope(workspace.name)
    if mine.acp_mcp:
        yield Power(
            rule="hold.editor", subject="MCP servers of the editor", origin=f"{scope}.acp_mcp"
        )
    for at, files in (("defaults", config.defaults.env_file), (scope, mine.env_file)):
        for index, file in enumerate(files):
            yield Power(
                rule="hold.env-file",
                subject=tilde(file.path, host.home),
                origin=f"{at}.env_file[{index}]",
            )


def _source(credential: Credential, host: Host) -> str:
    if credential.from_file:
        return f"file {tilde(credential.from_file, host.home)}"
    return credential.source


def _way(credential: Credential) -> str:
    """Return how a value is put into a request."""
    if credential.scheme is Scheme.BASIC:
        return f"as the password of {credential.username}"
    if credential.scheme is Scheme.BEARER:
        return "as a bearer token"
    before = f" after {credential.prefix!r}" if credential.prefix else ""
    return f"in the header {credential.header}{before}"


def _run(workspace: Workspace, host: Host) -> Iterator[Power]:
    yield Power(rule="run.agent", subject=f"{workspace.agent.name} {workspace.agent.version}")
    for each in (workspace.base, workspace.overlay):
        if each is None:
            continue
        text = _text(host, each.source)
        yield Power(
            rule="run.dockerfile",
            subject=tilde(each.source, host.home),
            value=_digest(text),
            origin=each.origin,
        )
        if each.context is not None:
            yield Power(
                rule="run.context",
                subject=tilde(each.context, host.home),
                value=_content(host, each.context),
                origin=each.origin,
            )
    yield Power(
        rule="run.image",
        subject=canonical(workspace.image) if workspace.image else BUILT_IN_IMAGE,
        value=workspace.image or "",
        origin=workspace.image_origin,
    )


def _text(host: Host, place: str) -> str:
    """Return the text of a file; empty where that is not known for every machine."""
    return (host.beside if host.portable else host.files).get(place, "")


def _digest(text: str) -> str:
    if text == ABSENT:
        return MISSING
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST] if text else ""


def _content(host: Host, context: str) -> str:
    """Return what lies in a build context; empty where that is not known for every machine."""
    return "" if host.portable else host.contexts.get(context, UNREAD)[:DIGEST]


def _trusted(config: Config, workspace: Workspace, host: Host) -> Iterator[Power]:
    for index, path in enumerate(config.base.ca_certificates):
        yield Power(
            rule="trust.certificate",
            subject=tilde(path, host.home),
            value=_digest(_text(host, path)),
            origin=f"base.ca_certificates[{index}]",
        )
    for index, path in enumerate(config.trust):
        yield Power(rule="trust.path", subject=tilde(path, host.home), origin=f"trust[{index}]")
    for index, pattern in enumerate(config.ignore_drift):
        yield Power(rule="trust.drift", subject=pattern, origin=f"ignore_drift[{index}]")
    mine = config.workspaces[workspace.name].mode
    origin = "mode" if mine is None else f"{config.scope(workspace.name)}.mode"
    way = (config.mode if mine is None else mine) or "exec"
    yield Power(rule="trust.attach", subject=way, origin=origin)
    for place in _PASSWORD.get(config.password_mode, (config.password_mode,)):
        yield Power(rule="trust.password", subject=place, origin="password_mode")


def _guards(config: Config, workspace: Workspace) -> Iterator[Power]:
    for entry, origin in protected(config, workspace.name):
        yield Power(rule="guard.protect", subject=entry, origin=origin)
    expect = config.workspaces[workspace.name].expect
    scope = f"{config.scope(workspace.name)}.expect"
    for subject in _union(expect.block):
        yield Power(rule="guard.block", subject=subject, origin=f"{scope}.block")
    for index, target in enumerate(expect.reach):
        yield Power(rule="guard.reach", subject=_target(target), origin=f"{scope}.reach[{index}]")


def _target(target: AskedTarget) -> str:
    name = target.name.rstrip(".").lower() if target.network is None else written(target.network)
    return name if target.port is None else f"{name} port {target.port}"


def _union(targets: Iterable[AskedTarget]) -> Iterator[str]:
    """Yield the networks of targets, those of one port put together."""
    ports = dict.fromkeys(each.port for each in targets)
    for port in ports:
        networks = [each.network for each in targets if each.port == port and each.network]
        for family in Family:
            for network in AddressSet.networks(family, networks).collapse():
                yield written(network) if port is None else f"{written(network)} port {port}"
