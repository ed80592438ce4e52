"""What an organisation's policy says of a configuration: refusals, and what a person must agree to.

A policy only tightens: it can refuse and ask, and has no word that allows. More power never means
fewer refusals of `forbid` and `ask`.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.resolve import resolve
from jailoc.generators.powers import globs, named_places
from jailoc.generators.powers.covers import covered
from jailoc.generators.powers.entries import entry, is_entry, path_of
from jailoc.generators.powers.held import held, machine
from jailoc.generators.powers.paths import Mounts
from jailoc.generators.powers.reach import FOREVER
from jailoc.generators.powers.words import words
from jailoc.generators.runtime.explain import PROTOCOLS, mentioned
from jailoc.model.address import AddressSet, Family, Network, loopback, written
from jailoc.model.base import Model
from jailoc.model.config import Config
from jailoc.model.config_values import describe
from jailoc.model.diagnostic import Diagnostic, Position, Refused, Severity
from jailoc.model.document import Document
from jailoc.model.egress import Egress
from jailoc.model.field_error import WANTED
from jailoc.model.host import Host
from jailoc.model.image_reference import canonical
from jailoc.model.policy import Ask, Forbid, OrganisationPolicy, PolicyRule, Require
from jailoc.model.power import Direction, Power, PowerChange, Rank, Sides
from jailoc.model.rule_walk import accepted
from jailoc.model.sandbox import AGENT
from jailoc.model.special_ranges import embedding
from jailoc.model.text import meant
from jailoc.model.workspace import AllowedName, AllowedNetwork


class PolicyFile(Model):
    """A policy with the lines of its rules."""

    file: str
    policy: OrganisationPolicy
    lines: Mapping[str, int]
    """The line of each rule, by `forbid[0]` and so on."""


def read(text: str, file: str) -> PolicyFile:
    """Read a policy.

    Raises:
        Refused: it is no TOML, or no policy.
    """
    document = Document(text, file)
    try:
        policy = OrganisationPolicy.model_validate(document.data)
    except ValidationError as error:
        raise Refused(tuple(_wrong(document, each) for each in error.errors())) from None
    lines = {}
    for kind in ("forbid", "require", "ask"):
        for index in range(len(getattr(policy, kind))):
            place = document.key((kind, index)) or Position(line=1, column=1)
            lines[f"{kind}[{index}]"] = place.line
    return PolicyFile(file=file, policy=policy, lines=lines)


def _wrong(document: Document, error: ErrorDetails) -> Diagnostic:
    place, kind = error["loc"], error["type"]
    above, key = str(next(iter(place), "")), str(next(reversed(place), ""))
    context = error.get("ctx", {}) if kind == "jailoc" else {}
    allowed, hint = context.get("allowed"), context.get("hint")
    if kind == "extra_forbidden":
        table = OrganisationPolicy if above == key else _KEYS.get(above, OrganisationPolicy)
        known = sorted(table.model_fields)
        message, allowed, hint = f"unknown key `{key}`", ", ".join(known), meant(key, known)
    elif kind == "missing":
        message = f"`{key}` is missing"
    elif kind == "jailoc":
        message = context["message"]
    else:
        allowed, shown = WANTED.get(kind), describe(error["input"])
        message = f"expected {allowed}, found {shown}" if allowed else f"{shown} cannot stand here"
    told = f"the policy is wrong: {message}"
    return found(document, place, "policy", told, allowed, hint, at_key=True)


_KEYS: dict[str, type[Model]] = {"forbid": Forbid, "require": Require, "ask": Ask}


@dataclass(frozen=True)
class Facts:
    """What a workspace's places are judged by."""

    host: Host
    mounts: Mounts


def asked(files: Iterable[PolicyFile], sides: Iterable[Sides], home: str) -> tuple[str, ...]:
    """Return the places of the host whose real places policies depend on, absolute.

    Args:
        files: The policies.
        sides: The workspaces that they judge.
        home: The home directory.
    """
    patterns: list[str] = []
    for file in files:
        for rule in (*file.policy.forbid, *file.policy.ask):
            patterns += rule.about
        for required in file.policy.require:
            patterns += (*required.about, *required.only)
    # Of a credential the host follows, but a directory may be called so as well.
    patterns += [each.rpartition(" at ")[0] for each in patterns]
    found = [named_places.fixed(each, home) for each in patterns]
    found += [named_places.path_of(power, home) for side in sides for power in held(side, home)]
    return tuple(dict.fromkeys(filter(None, found)))


def verdict(
    files: Iterable[PolicyFile],
    document: Document,
    config: Config,
    host: Host,
    sides: Mapping[str, Sides],
    today: date,
) -> tuple[Diagnostic, ...]:
    """Return what policies refuse (errors) and want a person to agree to (warnings).

    Args:
        files: The policies; all of them hold.
        document: The configuration.
        config: What was loaded from it.
        host: The machine that it is for.
        sides: Its workspaces.
        today: The day, for allows that have to end.
    """
    every: list[Diagnostic] = []
    for name, side in sorted(sides.items()):
        mine = (*held(side, host.home), *machine(side, host))
        facts = Facts(host, Mounts(side.compose.services[AGENT]))
        for file in files:
            for kind, rules in (
                ("forbid", file.policy.forbid),
                ("ask", file.policy.ask),
                ("require", file.policy.require),
            ):
                for index, rule in enumerate(rules):
                    if not _any(name, rule.workspaces):
                        continue
                    said = _said(file, f"{kind}[{index}]", rule)
                    if isinstance(rule, Require):
                        every += _required(rule, said, name, mine, document, facts)
                        every += _allows(rule, said, name, document, config, host, today)
                    elif isinstance(rule, Forbid):
                        every += _forbidden(rule, said, name, side, mine, document, facts)
    return tuple(dict.fromkeys(every))


def _any(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, each) for each in patterns)


def _said(file: PolicyFile, place: str, rule: PolicyRule) -> str:
    why = f" ({rule.why})" if rule.why else ""
    return f"{file.file}:{file.lines[place]}{why}"


def _forbidden(
    rule: Forbid,
    said: str,
    name: str,
    side: Sides,
    mine: Iterable[Power],
    document: Document,
    facts: Facts,
) -> Iterator[Diagnostic]:
    word = "a person has to agree" if isinstance(rule, Ask) else "forbidden"
    severity = Severity.WARNING if isinstance(rule, Ask) else Severity.ERROR
    if rule.to:
        for what, origin in _reached(side, rule.to):
            yield _told(document, name, "reach.network", origin, f"{word} by {said}: {what}",
                        severity)  # fmt: skip
        return
    for power in mine:
        alike = fnmatchcase(power.rule, rule.power) and not power.rule.startswith("note.")
        if alike and any(_about(power, each, facts) for each in rule.about):
            by = f" by {power.value}" if power.rule == "reach.machine" and power.value else ""
            what = words(power)[1] if power.rule.split(".")[0] not in _PLAIN else (
                f"{power.rule}: {power.subject}{by}"
            )  # fmt: skip
            yield _told(document, name, power.rule, power.origin, f"{word} by {said}: {what}",
                        severity)  # fmt: skip


def _about(power: Power, pattern: str, facts: Facts) -> bool:
    if power.rule in _WIDE and _through(power.subject, pattern.lower()):
        return True
    # A service is its name and its image.
    texts = [power.subject]
    if power.rule == "run.service":
        texts.append(canonical(power.value))
    return any(fnmatchcase(each, pattern) for each in texts) or named_places.about(
        power, pattern, facts.host, facts.mounts
    )


_PLAIN = ("reach", "write", "read", "guard")
_WIDE = ("reach.name", "reach.machine", "reach.network")
"""Powers whose subject may stand for many: names below a wildcard, every port."""


def _through(subject: str, pattern: str) -> bool:
    """Tell whether a pattern is about some of what a place and a door of it stand for."""
    place, door = _door(subject)
    named, through = _door(pattern)
    if not through:
        # `*.example*` is about a word: a name with it is below every wildcard there is.
        if not named.endswith("*") or named.startswith("*"):
            return False
    elif door != through and not globs.meet(door.replace("every port", "port *"), through):
        return False
    return globs.meet(place, named)


def _door(text: str) -> tuple[str, str]:
    """Return a place, and `port N` or `every port` of it; nothing of what is not there."""
    for word in ("every port", "port "):
        place, found_one, rest = text.rpartition(word)
        if found_one:
            return place.rstrip(" "), f"{word}{rest}"
    return text, ""


def _reached(side: Sides, networks: Iterable[Network]) -> Iterator[tuple[str, str | None]]:
    """Yield in words those of the networks of which something is open through any door.

    An IPv4 network is open, too, where one of IPv6 is that leads there.
    """
    for network in networks:
        for form, way in ((network, ""), *embedding(network)):
            if _open(side, form):
                rules = side.firewall.of(Family(form.version)).outgoing
                origin = next(
                    (each.comment for each in rules
                     if each.destination is not None and each.destination.overlaps(form)
                     and is_entry(each.comment)), None,
                )  # fmt: skip
                by = f" by {written(form)}, {way}" if way else ""
                yield f"may reach {written(network)}{by}", origin


def _open(side: Sides, network: Network) -> bool:
    family = Family(network.version)
    rules = side.firewall.of(family)
    # A sandbox always reaches itself.
    whole = AddressSet.networks(family, (network,)) - loopback(family)
    return any(
        accepted(rules, protocol, port, whole)
        for port in (None, *sorted(mentioned(rules.outgoing)))
        for protocol in PROTOCOLS
    )


def _required(
    rule: Require,
    said: str,
    name: str,
    mine: Iterable[Power],
    document: Document,
    facts: Facts,
) -> Iterator[Diagnostic]:
    alike = [each for each in mine if fnmatchcase(each.rule, rule.power)]
    for pattern in rule.about:
        if not any(_is(each, pattern, alike) for each in alike):
            what = f"{rule.power} about {pattern}, which is not there"
            yield _told(document, name, rule.power, None, f"required by {said}: {what}")
    plain = not rule.about and not rule.only and rule.until_within_days is None and not rule.reason
    if plain and not alike:
        yield _told(document, name, rule.power, None,
                    f"required by {said}: {rule.power}, which is not there")  # fmt: skip
    if rule.only:
        for power in alike:
            if not _only(power, rule.only, facts):
                yield _told(
                    document, name, power.rule, power.origin,
                    f"required by {said}: {rule.power} only of {', '.join(rule.only)}, and it is "
                    f"{power.subject}",
                )  # fmt: skip


_STARTS = {"guard.denied": "*.", "guard.protect": "**/"}
"""How a guard of many begins: then a `*` stands for itself."""


def _is(power: Power, pattern: str, alike: Iterable[Power]) -> bool:
    """Tell whether a power, of a guard with others of its kind, is what a pattern names."""
    starts = _STARTS.get(power.rule)
    many = starts is not None and pattern.startswith(starts)
    alone = many and "*" not in pattern[len(starts or "") :]
    if not alone and fnmatchcase(power.subject, pattern):
        return True
    return _guarded(power.rule, pattern, alike)


def _guarded(rule: str, wanted: str, mine: Iterable[Power]) -> bool:
    """Tell whether guards of a kind hold all that one would, though none has its text."""
    if rule == "guard.egress":
        return wanted == Egress.ALLOWLIST and any(
            (each.rule, each.subject) == (rule, Egress.NONE) for each in mine
        )
    if rule not in {"guard.block", "guard.denied", "guard.protect"}:
        return False
    place, port, number = wanted.partition(" port ")
    try:
        wanted = f"{written(ipaddress.ip_network(place))}{port}{number}"
    except ValueError:
        if rule == "guard.block":
            return False
    return covered(Power(rule=rule, subject=wanted), mine)


def _only(power: Power, patterns: Iterable[str], facts: Facts) -> bool:
    if named_places.path_of(power, facts.host.home) is not None:
        return named_places.only(power, patterns, facts.host)
    return _any(power.subject, patterns)


def _allows(
    rule: Require,
    said: str,
    name: str,
    document: Document,
    config: Config,
    host: Host,
    today: date,
) -> Iterator[Diagnostic]:
    """Yield what allows lack: an end that is near, and a reason."""
    if rule.until_within_days is None and not rule.reason:
        return
    workspace = resolve(config, name, host)
    allows: list[AllowedName | AllowedNetwork] = [
        *workspace.allowed_names, *workspace.allowed_networks,
    ]  # fmt: skip
    for each in allows:
        lacks = []
        if rule.reason and not (each.why or "").strip():
            lacks.append("has no `why`")
        if rule.until_within_days is not None:
            last = today + timedelta(days=rule.until_within_days)
            if (each.until or FOREVER) > last:
                lacks.append(f"does not end by {last}")
        if lacks:
            yield _told(document, name, "reach.name", each.origin,
                        f"required by {said}: `{each.text}` {' and '.join(lacks)}")  # fmt: skip
    if fnmatchcase("reach.machine", rule.power):
        for port in workspace.host_ports:
            yield _told(
                document, name, "reach.machine", port.origin,
                f"required by {said}: port {port.port} of this machine has neither a `why` nor an "
                "end, and `host_ports` has no place for them",
                hint="write it as allowed_hosts = [{ to = \"host.docker.internal\", "
                f"ports = [{port.port}], why = ..., until = ... }}]",
            )  # fmt: skip


def _told(
    document: Document,
    name: str,
    rule: str,
    origin: str | None,
    text: str,
    severity: Severity = Severity.ERROR,
    hint: str = "the policy is not this file's to change",
) -> Diagnostic:
    change = PowerChange(
        rule=rule if "*" not in rule else "note.other", way=Direction.NARROWS, rank=Rank.NOTE,
        subject="", text="", origin=origin,
    )  # fmt: skip
    where = entry(document, name, change) or f"workspaces.{name}"
    made = found(document, path_of(where), "policy", f"workspace `{name}`: {text}")
    return made.model_copy(update={"severity": severity, "hint": hint})
