"""What the wall has refused: where to, how often, and what opens it."""

import heapq
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping

from jailoc.generators.artefacts.machine_rules import LINKS
from jailoc.generators.runtime import own_probes
from jailoc.generators.runtime.explain import PROTOCOLS, decide
from jailoc.generators.runtime.own_probes import Attempt, Carried, word
from jailoc.generators.runtime.resolver_state import RefusedName
from jailoc.model.address import Address, Network, written
from jailoc.model.base import Model
from jailoc.model.egress import Egress
from jailoc.model.evidence import Evidence, Sighting, read
from jailoc.model.firewall import THIS_MACHINE, Firewall, Protocol, nameless
from jailoc.model.name_pattern import Name
from jailoc.model.rule_match import COUNTED, MOST_COUNTED, MOST_PLACES
from jailoc.model.sandbox import MACHINE
from jailoc.model.special_names import unadvisable
from jailoc.model.special_ranges import LINK_LENGTH, NEVER_BY_NAME, advisable, nobody

_GROUPS = ipaddress.ip_network("ff02::/16")
_LINE = re.compile(
    r"(?P<left>\d+) \S+->(?P<address>[0-9a-f.:]+):(?P<port>\d+) "
    r"(?P<credit>\d+) (?P<most>\d+) (?P<cost>\d+)"
)


NAMES = {33: "dccp", 47: "gre", 50: "esp", 51: "ah", 132: "sctp", 136: "udplite"}
"""Protocols that the rules have no word for; others are told by their number."""
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*")
"""A name that can be allowed; whoever copies it finds nothing in it that a shell reads."""
_PROTOCOLS = {6: Protocol.TCP, 17: Protocol.UDP, 1: Protocol.ICMP, 58: Protocol.ICMP}
_PORTED = (Protocol.TCP, Protocol.UDP)
ALIAS = "an alias of a name that is denied"
DENIED = "it is denied: no allow wins over that, only the denial's end opens it"
NOTHING = 'the workspace has `egress = "none"`: nothing is open to it'
NO_HOST = "no name that a host can have"
ELSEWHERE = "names are asked of the sandbox's own resolver, which is open"


class Blocked(Model):
    """One thing that was refused, as it is shown."""

    target: str
    """An address, or a name that was asked for."""
    name: str | None
    """The name under which the address was asked for."""
    protocol: str
    """tcp, udp, icmp, the name or number of another, or dns for a name that was not resolved."""
    port: int | None
    times: int
    ago: int
    reason: str
    """The configuration entry, or the words of the rule, that closes it now."""
    open_now: bool
    allow: str | None
    """What opens it: arguments of `jailoc allow`, or an entry of the configuration."""
    closed: str | None = None
    """Why nothing is named that opens it; None where something is, or where it is open now."""


def parse(text: str, protocol: Protocol) -> tuple[Attempt, ...]:
    """Read a table of the kernel, /proc/net/ipt_hashlimit/NAME or its IPv6 twin (xt_hashlimit.c).

    A line holds the seconds until it is forgotten, source and destination, then credit left, most
    credit, and what one connection costs. Lines of any other form are passed over.
    """
    found = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if not match:
            continue
        left, port, credit, most, cost = (
            int(match[name]) for name in ("left", "port", "credit", "most", "cost")
        )
        try:
            address = ipaddress.ip_address(match["address"])
        except ValueError:
            continue
        # Credit grows back while nothing happens, so a part of one is one.
        times = -(-(most - credit) // cost) if cost else 1
        found.append(
            Attempt(
                address=address,
                protocol=protocol,
                port=None if protocol is Protocol.ICMP else port,
                times=min(max(times, 1), MOST_COUNTED),
                ago=min(max(COUNTED - left, 0), COUNTED),
            )
        )
    return tuple(found)


def kept(tables: Mapping[str, str]) -> Evidence | None:
    """Return what the wall has kept; None where the kernel does not tell it of connections."""
    found = read(tables.get("evidence", ""))
    return found if found is not None and found.heard else None


def _told(evidence: Evidence, tables: Mapping[str, str], *, own: bool) -> tuple[Attempt, ...]:
    """Return what the kernel has told of, with what `verify` tried itself or without."""
    text = tables.get("now", "").strip()
    now = int(text) if text.isdecimal() else 0
    seen: dict[tuple[str, Carried, int | None], Sighting] = {}
    for address, number, port, each in (*evidence.refused, *(evidence.probed if own else ())):
        protocol = _PROTOCOLS.get(number, number)
        place = address, protocol, port if protocol in _PORTED else None
        seen[place] = seen[place].joined(each) if place in seen else each
    return tuple(
        Attempt(
            address=ipaddress.ip_address(address), protocol=protocol, port=port,
            times=each.count, ago=max(now - each.last, 0),
        )
        for (address, protocol, port), each in seen.items()
    )  # fmt: skip


def attempts(tables: Mapping[str, str]) -> tuple[Attempt, ...]:
    """Return what was refused, of every protocol and family, from the wall's tables by name."""
    evidence = kept(tables)
    if evidence is not None:
        return _told(evidence, tables, own=True)
    return tuple(
        attempt
        for protocol in PROTOCOLS
        for family in ("ipt", "ip6t")
        for attempt in parse(tables.get(f"{family}_hashlimit/jailoc-{protocol}", ""), protocol)
    )


def full(tables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the protocols of the tables that are full: later refusals are in none of them."""
    if kept(tables) is not None:
        return ()
    return tuple(
        protocol.value
        for protocol in PROTOCOLS
        if any(
            tables.get(f"{family}_hashlimit/jailoc-{protocol}", "").count("\n") >= MOST_PLACES
            for family in ("ipt", "ip6t")
        )
    )


def news(tables: Mapping[str, str]) -> tuple[Attempt, ...]:
    """Return what the kernel counted, but for what `verify` tried itself, and what the kernel did.

    With IPv6 it asks its neighbours by itself, for routers and for addresses, and it does so by
    ICMPv6 to groups of them (RFC 4861, RFC 3810).
    """
    evidence = kept(tables)
    counted = tuple(
        each
        for each in (_told(evidence, tables, own=False) if evidence else attempts(tables))
        if not (each.protocol is Protocol.ICMP and each.address in _GROUPS)
    )
    if evidence is not None:
        return counted
    return own_probes.without(
        counted,
        own_probes.parse(tables.get("probes", "")),
        own_probes.uptime(tables.get("uptime", "")),
    )


def latest(attempts: Collection[Attempt], most: int | None) -> tuple[Attempt, ...]:
    """Return the last attempts, at most so many; None for all.

    To explain one takes as long as the rules are many, and an agent may try as many as it likes.
    """
    if most is None:
        return tuple(attempts)
    return tuple(heapq.nsmallest(most, attempts, key=lambda each: each.ago))


def machine(texts: dict[str, str]) -> frozenset[str]:
    """Return the machine's addresses, from the wall's hosts(5) and its routes."""
    lines = (line.split() for line in texts.get("hosts", "").splitlines())
    found = {words[0] for words in lines if MACHINE in words[1:]}
    for words in (line.split() for line in texts.get("route", "").splitlines()[1:]):
        if len(words) > 2 and words[2] != "00000000":
            found.add(".".join(str(each) for each in reversed(bytes.fromhex(words[2]))))
    return frozenset(found)


def closed(texts: dict[str, str]) -> frozenset[str]:
    """Return addresses and networks of the machine that the wall has closed to names and ranges.

    What it loaded with its rules, and what the kernel's lists of what came later hold.
    """
    lines = (line.split() for line in texts.get("machine", "").splitlines())
    found = {words[1] for words in lines if len(words) == 2}
    for name, text in texts.items():
        if name.startswith("xt_recent/"):
            length = f"/{LINK_LENGTH}" if name.endswith(LINKS) else ""
            found |= {
                f"{written(ipaddress.ip_address(each))}{length}"
                for each in re.findall(r"^src=(\S+)", text, re.M)
            }
    return frozenset(found)


def explained(
    attempts: Iterable[Attempt],
    firewall: Firewall,
    names: Mapping[str, str],
    machine: frozenset[str],
) -> tuple[Blocked, ...]:
    """Say why each attempt was refused and what opens it, last ones last.

    Args:
        attempts: What the kernel counted.
        firewall: The rules as they are compiled now.
        names: The name under which an address was last asked for.
        machine: Addresses of the machine itself, as the sandbox sees them.
    """
    return tuple(
        _explained(
            each, firewall, names.get(written(each.address)), written(each.address) in machine
        )
        for each in sorted(attempts, key=lambda each: (-each.ago, written(each.address)))
    )


def protocol_name(protocol: Carried) -> str:
    """Return the name of a protocol, or the number of one that has none here."""
    return NAMES.get(protocol, word(protocol)) if isinstance(protocol, int) else word(protocol)


def _explained(attempt: Attempt, firewall: Firewall, name: str | None, own: bool) -> Blocked:
    network = ipaddress.ip_network(attempt.address)
    protocol = attempt.protocol if isinstance(attempt.protocol, Protocol) else None
    (answer,) = decide(firewall, network, protocol, attempt.port)
    # No name opens the machine but its own, and none what is anybody's or nobody's.
    machines = own or answer.reason == THIS_MACHINE
    never = nameless(answer.reason, attempt.address)
    named = not (never or any(_within(attempt.address, each) for each in NEVER_BY_NAME)) and any(
        each.port in {None, attempt.port} and each.opens(machines)
        for each in _covering(firewall, name)
    )
    ported = own and attempt.port in {each.port for each in firewall.host_ports}
    open_now = answer.open or (not answer.denied and (named or ported))
    allow, shut = (
        (None, DENIED) if answer.denied
        else _opening(attempt, answer.reason, name, own, firewall)
    )  # fmt: skip
    return Blocked(
        target=written(attempt.address),
        name=name,
        protocol=protocol_name(attempt.protocol),
        port=attempt.port,
        times=attempt.times,
        ago=attempt.ago,
        reason=answer.reason,
        open_now=open_now,
        allow=allow,
        closed=None if open_now else shut,
    )


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _covering(firewall: Firewall, name: str | None) -> list[Name]:
    """Return the allowed names that hold for one; a label may be anything, and then none does."""
    if name is None or not HOST.fullmatch(name):
        return []
    return [each for each in firewall.names if each.covers(name)]


def _opening(
    attempt: Attempt, reason: str, name: str | None, own: bool, firewall: Firewall
) -> tuple[str | None, str | None]:
    """Return what opens a place, or why nothing is named that does."""
    if firewall.egress is Egress.NONE:
        return None, NOTHING
    if reason.startswith("DNS elsewhere"):
        return None, ELSEWHERE
    machines = own or reason == THIS_MACHINE
    if machines and attempt.port in {each.port for each in firewall.host_ports}:
        # The other addresses of the machine stay closed.
        return None, f"is open as {MACHINE}:{attempt.port}"
    if machines and attempt.port:
        return f"host_ports = [{attempt.port}]", None
    network = ipaddress.ip_network(attempt.address)
    if not advisable(network):
        what = nobody(network) or f"is in a range of no public or private host: {reason}"
        return None, f"{written(attempt.address)} {what}"
    # No name opens the machine, only an entry that is its address.
    never = machines or nameless(reason, attempt.address)
    usable = name and HOST.fullmatch(name) and not unadvisable(name) and not never
    place = name if name and usable else written(attempt.address)
    if attempt.port is None:
        return place, None
    return (f"[{place}]:{attempt.port}" if ":" in place else f"{place}:{attempt.port}"), None


def names_refused(
    remembered: Mapping[str, RefusedName], evidence: Evidence | None
) -> dict[str, RefusedName]:
    """Return the names that were not resolved, with those that were kept.

    A resolver remembers the last ones since it was started; what was kept are the first ones of a
    month. So neither is pushed out by a crowd of the other.
    """
    found = dict(remembered)
    for name, seen in evidence.unresolved if evidence else ():
        known = found.get(name)
        found[name] = RefusedName(
            count=max(seen.count, known.count if known else 0),
            last=max(seen.last, known.last if known else 0),
        )
    return found


def unresolved(
    refused: Mapping[str, RefusedName], now: int, egress: str, firewall: Firewall
) -> list[Blocked]:
    """Return the names that were not resolved: not allowed, denied, or an alias of one that is.

    Args:
        refused: What is known of each name.
        now: Seconds since 1970.
        egress: The configuration entry of the mode.
        firewall: The rules as they are compiled now.
    """
    found = []
    for name, seen in refused.items():
        denial = firewall.denial(name)
        public = firewall.egress is Egress.PUBLIC
        if public and not firewall.denied_names:
            continue  # every name is resolved
        allowed = public or bool(_covering(firewall, name))
        alias = allowed and not denial and bool(firewall.denied_names)
        opened = allowed and not denial and not alias
        shut = (
            DENIED if denial or alias
            else NOTHING if firewall.egress is Egress.NONE
            else NO_HOST if not HOST.fullmatch(name)
            else f"{name} {why}" if (why := unadvisable(name))
            else None
        )  # fmt: skip
        found.append(
            Blocked(
                target=name,
                name=name,
                protocol="dns",
                port=None,
                times=seen.count,
                ago=max(now - seen.last, 0),
                reason=denial.origin if denial else ALIAS if alias else egress,
                open_now=opened,
                allow=None if shut else name,
                closed=None if opened else shut,
            )
        )
    return found


def count(
    tables: Mapping[str, str], remembered: Mapping[str, RefusedName], firewall: Firewall | None
) -> int:
    """Return how many places and names were refused; without rules, of all names."""
    names = names_refused(remembered, kept(tables))
    told = names if firewall is None else unresolved(names, 0, "", firewall)
    return len(news(tables)) + len(told)
