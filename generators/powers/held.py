"""Every power of a workspace as a value, as policies judge it: reach and paths among them."""

import ipaddress
from collections.abc import Iterator

from jailoc.generators.powers import named_places
from jailoc.generators.powers.difference import powers
from jailoc.generators.powers.entries import is_entry
from jailoc.generators.powers.names import grants
from jailoc.generators.powers.paths import Mounts
from jailoc.model.address import Family, written
from jailoc.model.egress import Egress
from jailoc.model.firewall import Target
from jailoc.model.host import Host
from jailoc.model.power import Power, Sides
from jailoc.model.sandbox import AGENT, MACHINE, engines_name
from jailoc.model.special_ranges import machine_networks, names_alone


def held(side: Sides, home: str) -> tuple[Power, ...]:
    """Return every power of a workspace as a value, reach and paths among them."""
    found_ones = [*powers(side)]
    for grant in grants(side.firewall):
        port = "every port" if grant.port is None else f"port {grant.port}"
        machine = grant.name == MACHINE or engines_name(grant.name)
        found_ones.append(
            Power(
                rule="reach.machine" if machine else "reach.name",
                subject=port if machine else f"{grant.name} {port}",
                origin=grant.origin,
            )
        )
    found_ones += _networks(side)
    if side.firewall.egress is not Egress.PUBLIC:
        found_ones.append(Power(rule="guard.egress", subject=side.firewall.egress.value))
    found_ones += named_places.mounted(Mounts(side.compose.services[AGENT]), home)
    return tuple(found_ones)


def _networks(side: Sides) -> Iterator[Power]:
    """Yield what entries open by address; that the internet is open is `guard.egress`."""
    for family in Family:
        for each in side.firewall.of(family).outgoing:
            if each.target is Target.ACCEPT and each.destination and is_entry(each.comment):
                port = "every port" if each.destination_port is None else (
                    f"port {each.destination_port}"
                )  # fmt: skip
                yield Power(
                    rule="reach.network",
                    subject=f"{written(each.destination)} {port}",
                    origin=each.comment,
                )


def machine(side: Sides, host: Host) -> Iterator[Power]:
    """Yield the ports of the machine that entries open by an address or a network of its own."""
    named = machine_networks(host.networks)
    every = tuple(map(ipaddress.ip_network, host.networks))
    for family in Family:
        for rule in side.firewall.of(family).outgoing:
            opened = rule.destination
            if opened is None or rule.target is not Target.ACCEPT or not is_entry(rule.comment):
                continue
            if names_alone(opened, named) and any(
                opened.version == each.version and opened.overlaps(each) for each in every
            ):
                port = rule.destination_port
                yield Power(
                    rule="reach.machine",
                    subject="every port" if port is None else f"port {port}",
                    value=written(opened),
                    origin=rule.comment,
                )
