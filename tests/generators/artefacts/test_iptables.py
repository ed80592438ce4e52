"""Rules are spelt as iptables prints them: their addresses, ports, last days and comments."""

import ipaddress
import socket
import sys
from datetime import date, timedelta

import pytest
from hypothesis import example, given

from jailoc.generators.artefacts.iptables import LAST_DAY, restore, spell
from jailoc.model.address import Family, Network
from jailoc.model.firewall import Chain, Protocol, Rule, Ruleset, Target
from jailoc.model.rule_match import Match
from tests.strategies import any_networks


def line(**fields: object) -> str:
    """Return the line of one rule."""
    rule = Rule.model_validate(
        {"chain": Chain.OUTPUT, "target": Target.ACCEPT, "comment": "why"} | fields
    )
    (found,) = (
        each
        for each in restore(Ruleset(family=Family.IPV4, rules=(rule,))).splitlines()
        if each.startswith("-A ")
    )
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="iptables has another C library")
@given(any_networks())
@example(ipaddress.ip_network("::/128"))
@example(ipaddress.ip_network("::1/128"))
@example(ipaddress.ip_network("::ffff/128"))
@example(ipaddress.ip_network("::1:0/128"))
@example(ipaddress.ip_network("::102:304/128"))
@example(ipaddress.ip_network("::ffff:0/112"))
@example(ipaddress.ip_network("::1:0:0/128"))
@example(ipaddress.ip_network("::fffe:102:304/128"))
@example(ipaddress.ip_network("::ffff:0:0/96"))
@example(ipaddress.ip_network("::ffff:102:304/128"))
@example(ipaddress.ip_network("::1:0:0:0/128"))
@example(ipaddress.ip_network("::1:ffff:102:304/128"))
@example(ipaddress.ip_network("255.255.255.255/32"))
def test_an_address_is_spelt_as_the_c_library_does(network: Network) -> None:
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6
    text = socket.inet_ntop(family, network.network_address.packed)
    assert spell(network) == f"{text}/{network.prefixlen}"


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        ({}, "-p udp "),
        ({"source_port": 68}, "-p udp -m udp --sport 68 "),
        ({"destination_port": 53}, "-p udp -m udp --dport 53 "),
        ({"source_port": 68, "destination_port": 67}, "-p udp -m udp --sport 68 --dport 67 "),
    ],
)
def test_a_port_brings_the_match_of_its_protocol(ports: dict[str, int], words: str) -> None:
    found = line(protocol=Protocol.UDP, **ports)
    assert f"{words}-m comment --comment why -j ACCEPT" in found


def test_the_last_day_that_the_kernel_takes_is_told_and_no_later_one() -> None:
    assert date(2038, 12, 30) == LAST_DAY
    assert "-m time --datestop 2038-12-31T00:00:00" in line(until=LAST_DAY)
    assert "-m time" not in line(until=LAST_DAY + timedelta(days=1))
    assert "-m time --datestop 2027-02-01T00:00:00" in line(until=date(2027, 1, 31))


@pytest.mark.parametrize("match", [Match.LOOPBACK_IN, Match.LOOPBACK_OUT])
def test_an_interface_stands_before_a_protocol_and_other_conditions_behind_it(match: Match) -> None:
    found = line(match=match, protocol=Protocol.UDP, destination_port=53)
    assert f" {match.value} -p udp -m udp --dport 53 -m comment" in found
    found = line(match=Match.NEW, protocol=Protocol.UDP, destination_port=53)
    assert f" -p udp -m udp --dport 53 {Match.NEW.value} -m comment" in found
