"""What a running sandbox is made to try, and what the model says must become of it."""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping

from jailoc.generators.runtime.explain import PROTOCOLS, Answer, decide
from jailoc.model.address import Address, AddressSet, Family, Network, written
from jailoc.model.allow_entry import AskedTarget as Asked
from jailoc.model.base import Model
from jailoc.model.firewall import Chain, Firewall, Protocol, Rule, Target, nameless
from jailoc.model.special_ranges import NEVER_BY_NAME, SPECIAL

USUAL = 44144
"""A port that stands for every port that no rule names."""
PUBLIC = tuple(map(ipaddress.ip_address, ("1.2.3.4", "2400::1234")))
"""Stand for the public internet; no packet of a probe goes further than to this machine."""
NO_PING = "no ping"
"""The network namespace lets nobody send an echo request without a capability (icmp(7))."""
UNSENT = "not sent"
WORDS = frozenset({"refused", "prohibited", "no route", "passed", UNSENT, NO_PING})
"""What the program that sends probes may say of each (assets/probe.py)."""
UNREADABLE = "unreadable"
MOST = 64
"""Entries of one list that are probed; more would take long and tell little."""
NOT_SENT = tuple(
    map(
        ipaddress.ip_network,
        ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4",
         "::/128", "::1/128", "::ffff:0:0/96", "ff00::/8"),
    )
)  # fmt: skip
"""Special ranges that no ordinary socket can send to; the property tests cover them."""


class Probe(Model):
    """One packet that the sandbox is made to send."""

    address: Address
    protocol: Protocol
    """ICMP is that of the address's family."""
    port: int | None
    what: str
    """What the address stands for."""


class Place(Model):
    """What is known of a sandbox only while it runs."""

    own: frozenset[str] = frozenset()
    """Its own addresses; what is sent there never leaves it."""
    machine: frozenset[str] = frozenset()
    """Addresses of the machine, as the sandbox sees them."""
    names: Mapping[str, tuple[str, ...]] = {}
    """The addresses that allowed names have now, by name."""


def special() -> tuple[tuple[Address, str], ...]:
    """Return one address of every special range that can be sent to, with its name."""
    return tuple(
        (network[-6] if network.num_addresses > 6 else network[0], reason)
        for network, reason in SPECIAL
        if network not in NOT_SENT
    )


def probes(
    firewall: Firewall, place: Place, expected: Iterable[Asked], ipv6: bool
) -> tuple[Probe, ...]:
    """Return what is worth trying: what must be closed, what must be open, and what is expected.

    Args:
        firewall: The compiled rules.
        place: What is known at run time.
        expected: What the configuration expects to reach or not to reach.
        ipv6: Whether the sandbox has IPv6.
    """
    found = dict.fromkeys(_probes(firewall, place, tuple(expected)))
    return tuple(each for each in found if ipv6 or each.address.version == Family.IPV4.value)


def _probes(firewall: Firewall, place: Place, expected: tuple[Asked, ...]) -> Iterator[Probe]:
    for address, reason in special():
        yield from _all(address, USUAL, reason)
    for address in PUBLIC:
        yield from _all(address, USUAL, "public internet")
        for protocol in PROTOCOLS[:2]:
            yield Probe(address=address, protocol=protocol, port=53, what="another resolver")
    yield from _known(firewall, place)
    for family in Family:
        for network, port, origin in _allowed(firewall, family):
            first = _first(network, family)
            if first is not None:
                yield from _all(first, port or USUAL, origin)
        for rule in denied(firewall, family):
            first = _first(rule.destination, family)
            if first is not None:
                yield from _all(first, rule.destination_port or USUAL, rule.comment)
    for target in expected:
        if target.network is not None:
            yield from _ends(target.network, target.port, target.text)


def _known(firewall: Firewall, place: Place) -> Iterator[Probe]:
    """Yield probes of what has an address only at run time."""
    for text in sorted(place.machine):
        doors = [(USUAL, "this machine")]
        doors += [(each.port, "port of this machine") for each in firewall.host_ports[:MOST]]
        for port, what in doors:
            yield from _all(ipaddress.ip_address(text), port, what)
    for text in sorted(place.own):
        yield from _all(ipaddress.ip_address(text), USUAL, "the sandbox's own address")
    for name in firewall.names[:MOST]:
        known = map(ipaddress.ip_address, place.names.get(name.key, ()))
        # Its zone may answer with others; what is sent there never leaves the sandbox.
        for address in [each for each in known if _leaves(each)][:4]:
            yield from _all(address, name.port or USUAL, name.name)
            if name.service:
                yield from _all(address, USUAL, f"other ports of {name.name}")


def _leaves(address: Address) -> bool:
    return not any(address.version == each.version and address in each for each in NOT_SENT)


def _allowed(firewall: Firewall, family: Family) -> list[tuple[Network, int | None, str]]:
    """Return the networks that the configuration opens, with their ports and entries."""
    return [
        (rule.destination, rule.destination_port, rule.comment)
        for rule in firewall.of(family).rules
        if rule.decides and rule.target is Target.ACCEPT and rule.destination is not None
        and rule.comment.startswith(("defaults.", "workspaces."))
    ][:MOST]  # fmt: skip


def denied(firewall: Firewall, family: Family) -> list[Rule]:
    """Return the rules of what is closed whatever is allowed."""
    rules = firewall.of(family).rules
    return [each for each in rules if each.denied and each.jump == Chain.DENY][:MOST]


def _first(network: Network | None, family: Family) -> Address | None:
    """Return the first address of a network, or of all there are, that can be sent to."""
    if network is None:
        return next(each for each in PUBLIC if each.version == family.value)
    left = AddressSet.networks(family, (network,)) - AddressSet.networks(family, NOT_SENT)
    return family.address(left.ranges[0][0]) if left else None


def _all(address: Address, port: int, what: str) -> Iterator[Probe]:
    for protocol in PROTOCOLS:
        door = None if protocol is Protocol.ICMP else port
        yield Probe(address=address, protocol=protocol, port=door, what=what)


def _ends(network: Network, port: int | None, what: str) -> Iterator[Probe]:
    for index in dict.fromkeys((0, network.num_addresses // 2, network.num_addresses - 1)):
        yield from _all(network[index], port or USUAL, what)


def words(text: str, sent: int) -> tuple[str, ...]:
    """Read what the program that sends probes wrote: a JSON list of one word each.

    Args:
        text: What it wrote.
        sent: How many probes there were.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != sent:
        return (UNREADABLE,) * sent
    return tuple(each if isinstance(each, str) and each in WORDS else UNREADABLE for each in found)


def verdict(firewall: Firewall, place: Place, probe: Probe) -> Answer:
    """Return what the model says about a probe, run-time facts included."""
    text, port = written(probe.address), probe.port
    network = ipaddress.ip_network(probe.address)

    def opened(reason: str) -> Answer:
        return Answer(network=network, protocol=probe.protocol, port=port, open=True, reason=reason)

    if text in place.own:
        return opened("loopback")
    (answer,) = decide(firewall, network, probe.protocol, port)
    beside = [
        each for each in firewall.names if each.service and text in place.names.get(each.key, ())
    ]
    if beside and not answer.denied:
        # Before ranges and names: of a service nothing is open but the ports that are named.
        named = next((each for each in beside if port is not None and each.port == port), None)
        return (
            opened(named.origin)
            if named
            else answer.model_copy(
                update={"open": False, "reason": "ports of services that are not named"}
            )
        )
    if answer.open or answer.denied:
        return answer
    if nameless(answer.reason, probe.address) or any(
        probe.address in each for each in NEVER_BY_NAME
    ):
        return answer
    for name in firewall.names:
        there = text in place.names.get(name.key, ()) and name.opens(text in place.machine)
        if there and name.port in {None, port}:
            return opened(name.origin)
    if text in place.machine and port is not None:
        for each in firewall.host_ports:
            if each.port == port:
                return opened(each.origin)
    return answer
