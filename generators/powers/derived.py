"""The powers that the containers of a workspace have, beyond those that jailoc gives everybody."""

import hashlib
import ipaddress
import re
from collections.abc import Iterator

from jailoc.model.address import AddressSet, Family, written
from jailoc.model.compose import (
    Bind,
    Capability,
    Device,
    SecurityOption,
    Service,
    Sidecar,
    Volume,
)
from jailoc.model.environment import RESERVED
from jailoc.model.firewall import Protocol
from jailoc.model.power import Power, Sides
from jailoc.model.rule_walk import walk
from jailoc.model.sandbox import AGENT, AGENT_HOME, PROXY, SHARED_PREFIX, SIDECAR, SSH_SOCKET, WALL
from jailoc.model.variable_names import CREDENTIAL, NAMES_A_KEY, STEERING

_USUAL: dict[str, tuple[object, ...]] = {
    WALL: (
        Capability.CHOWN, Capability.NET_ADMIN, Capability.NET_BIND_SERVICE, Capability.SETGID,
        Capability.SETPCAP, Capability.SETUID, "root",
    ),
    SIDECAR: (
        Capability.SETGID, Capability.SETUID, SecurityOption.SECCOMP_SIDECAR,
        SecurityOption.APPARMOR_UNCONFINED, SecurityOption.PATHS_UNMASKED, Device.TUN, "root",
        "may gain privileges",
    ),
    AGENT: ("writable",),
    PROXY: (),
}  # fmt: skip
"""What jailoc gives each of its services: it goes without saying."""

_PROOF = re.compile(
    r"\b(gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-[A-Za-z0-9_-]{16}|[sr]k_live_|AKIA[0-9A-Z]{12}"
    r"|AIza[0-9A-Za-z_-]{30}|npm_[A-Za-z0-9]{30}|pypi-[A-Za-z0-9_-]{16}|hf_[A-Za-z]{30}"
    r"|dop_v1_|eyJ[A-Za-z0-9_-]{10,}\.eyJ)|-----BEGIN [A-Z ]*PRIVATE|\w://[^/@:\s]*:[^/@\s]+@"
)
"""Values that prove something, whatever their variable is called: tokens by what the services that
hand them out begin them with, keys, and addresses with a password."""
_PLACEHOLDER = re.compile(r"(defaults|workspaces\.[^.]+)\.credentials\.[a-z0-9-]+")
"""Entries behind variables that hold a credential's placeholder, which proves nothing."""
_EVERYWHERE = {
    Family.IPV4: ipaddress.ip_network("0.0.0.0/0"),
    Family.IPV6: ipaddress.ip_network("::/0"),
}


def derived(side: Sides) -> Iterator[Power]:
    """Yield the powers that the containers of a workspace have, and what its rules deny."""
    for closed in side.firewall.denied_names:
        yield Power(rule="guard.denied", subject=closed.key, origin=closed.origin)
    yield from _denied(side)
    for volume in side.compose.shared:
        seen = [
            mount
            for service in side.compose.services.values()
            for mount in service.mounts
            if isinstance(mount, Volume) and mount.name == volume
        ]
        yield Power(
            rule="write.shared",
            subject=volume.removeprefix(SHARED_PREFIX),
            value=", ".join(dict.fromkeys(mount.target for mount in seen)),
            origin=next((mount.origin for mount in seen), None),
        )
    if (subnet := side.compose.network.ipv4_subnet) is not None:
        yield Power(rule="be-reached.subnet", subject=subnet)
    for name, service in side.compose.services.items():
        yield from _privileges(name, service)
        if name == SIDECAR:
            yield Power(rule="be.docker", subject="a Docker of its own", origin=None)
        elif service.namespace == "services":
            image = service.image
            yield Power(rule="run.service", subject=name, value=image.text, origin=image.origin)
        elif name not in {WALL, AGENT, PROXY}:
            yield Power(rule="be.service", subject=name)
        for port in service.ports:
            yield Power(
                rule="be-reached.port",
                subject=str(port.target),
                value=str(port.published),
                origin=port.origin,
            )
        yield from _environment(name, service)
        yield from _identities(service)
        yield from _limits(name, service)


def _denied(side: Sides) -> Iterator[Power]:
    """Yield the networks that are closed whatever is allowed, those of one port put together."""
    for family in Family:
        rules = side.firewall.of(family)
        denying = [each for each in rules.rules if each.denied]
        ports = sorted({each.destination_port or 0 for each in denying})
        whole = AddressSet.networks(family, (_EVERYWHERE[family],))
        usual = AddressSet(family)
        for port in (None, *(each for each in ports if each)) if denying else ():
            closed: dict[str, AddressSet] = {}
            for verdict in walk(rules, whole, Protocol.TCP, port):
                if verdict.rule is not None and verdict.rule.denied:
                    known = closed.get(verdict.rule.comment, AddressSet(family))
                    closed[verdict.rule.comment] = known | verdict.matched
            for origin, found in closed.items():
                for network in (found - usual).collapse():
                    subject = (
                        written(network) if port is None else f"{written(network)} port {port}"
                    )
                    yield Power(rule="guard.denied", subject=subject, origin=origin)
            if port is None:
                for found in closed.values():
                    usual |= found


def _privileges(name: str, service: Service) -> Iterator[Power]:
    usual = _USUAL.get(name, ())
    if isinstance(service, Sidecar) and service.privileged:
        yield Power(rule="be.privileged", subject=name)
    for capability in service.cap_add:
        if capability not in usual:
            yield Power(rule="be.capability", subject=f"{name} {capability}")
    for option in service.security:
        if option not in {SecurityOption.NO_NEW_PRIVILEGES, SecurityOption.SECCOMP, *usual}:
            yield Power(rule="be.unconfined", subject=f"{name} {option}")
    plain = SecurityOption.NO_NEW_PRIVILEGES in service.security
    if not plain and "may gain privileges" not in usual:
        yield Power(rule="be.unconfined", subject=f"{name} may gain privileges")
    if service.user.split(":")[0] in {"0", "root", ""} and "root" not in usual:
        yield Power(rule="be.root", subject=name)
    for device in service.devices:
        if device not in usual:
            yield Power(rule="be.device", subject=f"{name} {device}")
    yield Power(rule="note.other", subject=f"user of {name}", value=service.user)


def _environment(name: str, service: Service) -> Iterator[Power]:
    prefix = "" if name == AGENT else f"{name}: "
    for key, value in service.environment.items():
        if key in RESERVED or not value.origin:
            continue
        rule = "note.variable"
        placeholder = bool(_PLACEHOLDER.fullmatch(value.origin))
        if CREDENTIAL.fullmatch(key) and not placeholder:
            rule = "hold.variable"
        elif STEERING.fullmatch(key) and not (placeholder and NAMES_A_KEY.fullmatch(key)):
            rule = "run.variable"
        if _PROOF.search(value.text) and not placeholder:
            rule = "hold.variable"
        digest = hashlib.sha256(value.text.encode()).hexdigest()[:12]
        yield Power(rule=rule, subject=f"{prefix}{key}", value=digest, origin=value.origin)


def _identities(service: Service) -> Iterator[Power]:
    for mount in service.mounts:
        if not isinstance(mount, Bind) or mount.source.origin:
            continue
        if mount.target.text == SSH_SOCKET:
            yield Power(rule="hold.ssh-agent", subject="SSH agent")
        elif mount.target.text == f"{AGENT_HOME}/.gitconfig":
            yield Power(rule="hold.git-identity", subject="Git configuration")


def _limits(name: str, service: Service) -> Iterator[Power]:
    limits = service.limits
    for what, value in (
        ("memory", limits.memory), ("cpus", f"{limits.cpus:g}"), ("processes", str(limits.pids)),
    ):  # fmt: skip
        yield Power(rule="note.limits", subject=f"{what} of {name}", value=value)
