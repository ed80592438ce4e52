"""The power that a decision of the rules belongs to: what `explain` and `verify` say beside it.

And what of an entry is critical, of which `allow` asks before it is written.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from jailoc.generators.powers.places import (
    contents,
    machine_rank,
    name_words,
    port_words,
    range_rank,
    through,
)
from jailoc.generators.powers.reach import PUBLIC
from jailoc.generators.powers.words import words
from jailoc.generators.runtime.explain import CLOSED_BY_POLICY
from jailoc.model.address import AddressSet, Family, Network, is_single, written
from jailoc.model.allow_entry import AskedTarget, HostEntry, NetworkEntry, network_of
from jailoc.model.base import Model
from jailoc.model.compose import Port
from jailoc.model.egress import Egress
from jailoc.model.firewall import Firewall, Target
from jailoc.model.power import Power, Rank
from jailoc.model.sandbox import MACHINE, engines_name
from jailoc.model.special_ranges import PUBLIC as INTERNET
from jailoc.model.special_ranges import SPECIAL


class HeldPower(Model):
    """A power, or a guard, that the configuration gives."""

    rule: str
    """Of `jailoc.model.power_rules`."""
    rank: Rank
    """What it puts at stake; of a guard, what its loss does."""
    subject: str
    text: str
    """What lies there, or what it says; may be empty."""

    def __str__(self) -> str:
        """Write it for a line; what the loss of a guard would do is no word on what is there."""
        what = "" if self.subject == self.text else f" {self.subject}"
        rank = "" if self.rule.startswith("guard.") else f", {self.rank}"
        return f"{self.rule}{what}{rank}" + (f": {self.text}" if self.text else "")


def data(power: HeldPower | None) -> dict[str, Any] | None:
    """Return a power for programs."""
    return None if power is None else power.model_dump(mode="json")


def behind(
    firewall: Firewall,
    reason: str,
    *,
    opened: bool,
    address: Network | None = None,
    own: Container[str] = (),
) -> HeldPower | None:
    """Return the power that opens something, or the guard that closes it.

    Args:
        firewall: The compiled rules.
        reason: What the rule that decides says of itself: the entry behind it, or words.
        opened: Whether it opens.
        address: What is asked about, where that is known.
        own: The addresses of this machine.

    Returns:
        None where neither is: what is closed for everybody, and the sandbox itself.
    """
    if not opened:
        return _closing(firewall, reason, address)
    if reason == PUBLIC:
        return HeldPower(rule="guard.egress", rank=Rank.HIGH, subject="the public internet",
                         text="what is not named is open")  # fmt: skip
    return next(opened_by(firewall, reason, own), None)


def opened_by(firewall: Firewall, reason: str, own: Container[str]) -> Iterator[HeldPower]:
    """Yield every power that one entry gives: a set of hosts gives many."""
    machine = [each.port for each in firewall.host_ports if each.origin == reason]
    if machine:
        yield _machine(machine)
    for name in firewall.names:
        if name.origin == reason:
            yield _name(name.key, name.port, public=firewall.egress is Egress.PUBLIC)
    yield from _networks(firewall, reason, own)


def _closing(firewall: Firewall, reason: str, address: Network | None) -> HeldPower | None:
    denied = [each.name for each in firewall.denied_names if each.origin == reason]
    denied += [
        "all addresses" if each.destination is None else written(each.destination)
        for family in Family
        for each in firewall.of(family).rules
        if each.denied and each.comment == reason
    ]
    if denied:
        every = ", ".join(dict.fromkeys(denied))
        return HeldPower(rule="guard.denied", rank=Rank.HIGH, subject=every,
                         text="closed whatever is allowed")  # fmt: skip
    by_egress = reason == CLOSED_BY_POLICY or reason.endswith(".egress")
    if address is None or firewall.egress is Egress.PUBLIC or not by_egress:
        return None
    family = Family(address.version)
    special = AddressSet.networks(family, (network for network, _ in SPECIAL))
    public = AddressSet.networks(family, INTERNET) - special
    if not AddressSet.networks(family, (address,)) & public:
        return None
    return HeldPower(rule="guard.egress", rank=Rank.HIGH, subject="the public internet",
                     text="what is not named is closed")  # fmt: skip


def _machine(ports: Iterable[int | None]) -> HeldPower:
    every = tuple(ports)
    rank = min(map(machine_rank, every), key=lambda each: each.order)
    told = ", ".join(dict.fromkeys(map(port_words, every)))
    return HeldPower(rule="reach.machine", rank=rank, subject=f"{told} of this machine", text="")


def _name(name: str, port: int | None, *, public: bool) -> HeldPower:
    if name == MACHINE:
        return _machine((port,))
    rank, text = name_words(name, public=public)
    rank = through(rank, (port,))
    rule = "reach.machine" if engines_name(name) else "reach.name"
    subject = name if port is None else f"{name}:{port}"
    return HeldPower(rule=rule, rank=rank, subject=subject, text=text)


def _networks(firewall: Firewall, reason: str, own: Container[str]) -> Iterator[HeldPower]:
    for family in Family:
        rules = [
            each
            for each in firewall.of(family).outgoing
            if each.comment == reason and each.target is Target.ACCEPT
        ]
        networks = list(dict.fromkeys(each.destination for each in rules if each.destination))
        # An address of this machine that is named alone opens it.
        mine = [each for each in networks if _single(each) in own]
        if mine:
            yield _machine(each.destination_port for each in rules if each.destination in mine)
        networks = [each for each in networks if each not in mine]
        if not networks:
            continue
        found = AddressSet.networks(family, networks)
        nothing = AddressSet(family)
        ports = (each.destination_port for each in rules if each.destination in networks)
        yield HeldPower(
            rule="reach.network",
            rank=range_rank(family, found, ports, nothing),
            subject=", ".join(map(written, networks)),
            text=contents(family, found, nothing),
        )


def _single(network: Network) -> str:
    """Return an address that is named alone; nothing of a range."""
    return written(network.network_address) if is_single(network) else ""


def let_in(port: Port) -> HeldPower:
    """Return the power of a published port."""
    power = Power(rule="be-reached.port", subject=str(port.target), value=str(port.published))
    rank, text, _ = words(power)
    return HeldPower(rule=power.rule, rank=rank, subject=str(port.target), text=text)


def agreed(target: AskedTarget, *, closed: bool) -> HeldPower:
    """Return the guard that an expectation is."""
    power = Power(rule="guard.block" if closed else "guard.reach", subject=target.text)
    rank, _, text = words(power)
    return HeldPower(rule=power.rule, rank=rank, subject=target.text, text=text)


def critical_of(entry: HostEntry | NetworkEntry, machine: Container[str]) -> str | None:
    """Say what lies in an entry that a review would call critical; None if nothing does."""
    name = entry.name.lower().rstrip(".") if isinstance(entry, HostEntry) else ""
    called = engines_name(name)
    network = network_of(entry)
    if network is not None:
        name = _single(network) or name
    if name == MACHINE or called or name in machine:
        grave = [each for each in entry.ports or (None,) if machine_rank(each) is Rank.CRITICAL]
        told = ", ".join(map(port_words, grave))
        whose = "this machine, or of the one that its engine runs in" if called else "this machine"
        if grave:
            return f"{told} of {whose}; `host_ports` opens single ones"
    if network is None:
        return None
    family = Family(network.version)
    found, nothing = AddressSet.networks(family, (network,)), AddressSet(family)
    if range_rank(family, found, entry.ports or (None,), nothing) is not Rank.CRITICAL:
        return None
    return contents(family, found, nothing)
