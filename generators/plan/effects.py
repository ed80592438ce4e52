"""What a change of a workspace does to it: two states in, effects in words out.

Effects are mirrored: what goes one way from A to B goes the other way from B to A.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from jailoc.generators.plan.host_access import access
from jailoc.generators.plan.reachability import reachable
from jailoc.model.compose import Bind, Compose, Limits, SecurityOption, Service, Tmpfs, Volume
from jailoc.model.effect import Effect, Kind, Sides, Sign
from jailoc.model.egress import Egress
from jailoc.model.environment import RESERVED
from jailoc.model.path import tilde
from jailoc.model.sandbox import AGENT, DIGEST_LABEL, FIRST_PORT, SHARED_PREFIX, VOLUME_PREFIX

EGRESS = {
    Egress.PUBLIC: "public (the internet, and what is named)",
    Egress.ALLOWLIST: "allowlist (only what is named)",
    Egress.NONE: "none (nothing)",
}
_NETWORK = {
    "ipv6_subnet": ("IPv6 network", "none"),
    "ipv4_subnet": ("IPv4 network", "the engine's choice"),
    "mtu": ("bytes of a packet (mtu)", "the engine's choice"),
}
"""Fields of the network: what they are called, and what none is."""
_TOLD = {
    "image", "user", "environment", "ports", "mounts", "cap_add", "security", "devices",
    "read_only", "limits", "labels",
}  # fmt: skip
"""Fields of a service that have an effect of their own."""


def effects(before: Sides | None, after: Sides | None, home: str = "") -> tuple[Effect, ...]:
    """Say what changes between two states of a workspace, most important first.

    Args:
        before: The state that is left; None if the workspace is not there yet.
        after: The state that is reached; None if it is removed.
        home: The home directory, which paths are then told from as `~`.
    """
    found = [
        *_egress(before, after),
        *reachable(before.firewall if before else None, after.firewall if after else None),
        *_given(before, after),
        *_project(before.compose if before else None, after.compose if after else None),
    ]
    for name in dict.fromkeys((*_services(before), *_services(after))):
        old, new = _services(before).get(name), _services(after).get(name)
        found += access(name, old, new, lambda path: tilde(path, home))
        found += _service(name, old, new)
    # Sorted by kind alone: within one, the order is that of the addresses, paths and services.
    order = list(Kind)
    return tuple(sorted(found, key=lambda each: order.index(each.kind)))


def _services(side: Sides | None) -> Mapping[str, Service]:
    return side.compose.services if side else {}


def _egress(before: Sides | None, after: Sides | None) -> Iterator[Effect]:
    yield from _value(
        Kind.EGRESS,
        "",
        EGRESS[before.firewall.egress] if before else None,
        EGRESS[after.firewall.egress] if after else None,
    )


def _given(before: Sides | None, after: Sides | None) -> Iterator[Effect]:
    yield from _sets(Kind.SECRET, before.secrets if before else (), after.secrets if after else ())
    yield from _sets(Kind.INPUT, before.inputs if before else (), after.inputs if after else ())


def _project(before: Compose | None, after: Compose | None) -> Iterator[Effect]:
    """Yield what belongs to no single service."""
    yield from _sets(
        Kind.MOUNT,
        _named(before),
        _named(after),
    )
    if before and after:
        yield from _value(Kind.OTHER, "project", before.name, after.name)
        for field, (what, unset) in _NETWORK.items():
            old, new = (getattr(each.network, field) for each in (before, after))
            yield from _value(Kind.OTHER, what, str(old or unset), str(new or unset))
        if before.memory != after.memory:
            yield Effect(kind=Kind.OTHER, sign=Sign.CHANGED, subject="volumes in memory")


def _named(compose: Compose | None) -> Iterator[str]:
    """Yield the named volumes; those of the configuration by the names that they have there."""
    if compose is not None:
        yield from (f"volume {each.removeprefix(VOLUME_PREFIX)}" for each in compose.volumes)
        yield from (
            f"volume {each.removeprefix(SHARED_PREFIX)}, shared with other workspaces"
            for each in compose.shared
        )


def _service(name: str, before: Service | None, after: Service | None) -> Iterator[Effect]:
    yield from _sets(Kind.SERVICE, [name] if before else (), [name] if after else ())
    yield from _privileges(name, before, after)
    yield from _ports(before, after)
    yield from _value(
        Kind.IMAGE,
        name,
        before.image.text if before else None,
        after.image.text if after else None,
        told=True,
    )
    yield from _environment(name, before, after)
    yield from _limits(name, before, after)
    if before and after:
        yield from _volumes(name, before, after)
        if before.labels.get(DIGEST_LABEL) != after.labels.get(DIGEST_LABEL):
            yield Effect(kind=Kind.OTHER, sign=Sign.CHANGED, subject=f"{name}, mounted files")
        for field in Service.model_fields:
            if field not in _TOLD and getattr(before, field) != getattr(after, field):
                # Comments of values are no effect.
                old, new = (_plain(getattr(each, field)) for each in (before, after))
                if old != new:
                    yield Effect(
                        kind=Kind.OTHER,
                        sign=Sign.CHANGED,
                        subject=f"{name}, {field.replace('_', ' ')}",
                    )


def _plain(value: object) -> object:
    return getattr(value, "text", value)


def _privileges(name: str, before: Service | None, after: Service | None) -> Iterator[Effect]:
    old, new = _granted(before), _granted(after)
    for sign, found in ((Sign.LESS, old - new), (Sign.MORE, new - old)):
        if found:
            yield Effect(
                kind=Kind.PRIVILEGES, sign=sign, subject=f"{name}: {', '.join(sorted(found))}"
            )
    if before and after:
        yield from _value(Kind.PRIVILEGES, f"{name}, user", before.user, after.user)


def _granted(service: Service | None) -> set[str]:
    """Return all that a service may do and one without privileges may not."""
    if service is None:
        return set()
    found = {*map(str, service.cap_add), *map(str, service.devices)}
    found |= {
        str(each) for each in service.security if each is not SecurityOption.NO_NEW_PRIVILEGES
    }
    if SecurityOption.NO_NEW_PRIVILEGES not in service.security:
        found.add("may gain privileges")
    if service.user.startswith("0:"):
        found.add("root")
    return found if service.read_only else {*found, "writable root file system"}


def _ports(before: Service | None, after: Service | None) -> Iterator[Effect]:
    """Yield what of this machine's loopback leads inside: to the server, or elsewhere there."""
    old, new = (
        {each.target: str(each.published) for each in (side.ports if side else ())}
        for side in (before, after)
    )
    yield from _value(Kind.PORT, "", old.pop(FIRST_PORT, None), new.pop(FIRST_PORT, None))
    for target in sorted(old.keys() | new.keys()):
        was, now = old.get(target), new.get(target)
        subject = f"of 127.0.0.1 to {target} inside"
        if was is not None and now is not None:
            yield from _value(Kind.PORT, subject, was, now)
            continue
        for sign, port in ((Sign.LESS, was), (Sign.MORE, now)):
            if port is not None:
                yield Effect(kind=Kind.PORT, sign=sign, subject=f"{port} {subject}")


def _environment(name: str, before: Service | None, after: Service | None) -> Iterator[Effect]:
    """Yield the names; values may be nobody's business.

    What jailoc sets itself goes without saying where the service comes or goes.
    """
    hidden = () if before and after else RESERVED
    old, new = (
        {
            key: value.text
            for key, value in (side.environment if side else {}).items()
            if key not in hidden
        }
        for side in (before, after)
    )
    prefix = "" if name == AGENT else f"{name}: "
    yield from _sets(
        Kind.ENVIRONMENT, (f"{prefix}{each}" for each in old), (f"{prefix}{each}" for each in new)
    )
    for key in sorted(old.keys() & new.keys()):
        if old[key] != new[key]:
            yield Effect(kind=Kind.ENVIRONMENT, sign=Sign.CHANGED, subject=f"{prefix}{key}")


def _limits(name: str, before: Service | None, after: Service | None) -> Iterator[Effect]:
    fields: tuple[tuple[str, Callable[[Limits], str]], ...] = (
        ("memory", lambda each: each.memory),
        ("cpus", lambda each: f"{each.cpus:g}"),
        ("reserved memory", lambda each: each.reservation),
        ("processes", lambda each: str(each.pids)),
    )
    if before and after:
        for what, of in fields:
            old, new = of(before.limits), of(after.limits)
            yield from _value(Kind.LIMITS, f"{name}, {what}", old, new)
        return
    for service, sign in ((before, Sign.LESS), (after, Sign.MORE)):
        if service:
            values = ", ".join(f"{what} {of(service.limits)}" for what, of in fields)
            yield Effect(kind=Kind.LIMITS, sign=sign, subject=f"{name}: {values}")


def _volumes(name: str, before: Service, after: Service) -> Iterator[Effect]:
    """Yield where named volumes and file systems in memory are, in a service that stays."""
    old, new = (
        {f"{name}: {_inside(each)}" for each in side.mounts if not isinstance(each, Bind)}
        for side in (before, after)
    )
    yield from _sets(Kind.MOUNT, old, new)


def _inside(mount: Volume | Tmpfs) -> str:
    if isinstance(mount, Volume):
        name = mount.name.removeprefix(SHARED_PREFIX if mount.shared else VOLUME_PREFIX)
        return f"volume {name} at {mount.target}, {mount.mode}"
    return f"memory at {mount.target}, {mount.size:,} bytes, mode {mount.mode:04o}"


def _sets(kind: Kind, before: Iterable[str], after: Iterable[str]) -> Iterator[Effect]:
    old, new = set(before), set(after)
    for subject in sorted(old ^ new):
        yield Effect(kind=kind, sign=Sign.LESS if subject in old else Sign.MORE, subject=subject)


def _value(
    kind: Kind, subject: str, before: str | None, after: str | None, *, told: bool = False
) -> Iterator[Effect]:
    """Yield the change of one value; None is none."""
    if before == after:
        return
    if before is not None and after is not None:
        yield Effect(kind=kind, sign=Sign.CHANGED, subject=subject, before=before, after=after)
        return
    value = str(before or after)
    yield Effect(
        kind=kind,
        sign=Sign.LESS if after is None else Sign.MORE,
        subject=f"{subject}: {value}" if told else value,
    )
