"""What `explain` says is what the rules do, for every address of what it is asked about."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime.explain import explain, mentioned, opened, shut
from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.firewall import Firewall, Protocol
from jailoc.model.rule_walk import accepted
from tests.strategies import HOST, any_networks, config_of, toml

ports = st.sampled_from([22, 53, 443, 5432])
allowed = st.builds(
    lambda network, port: (
        f"[{network.network_address}]/{network.prefixlen}:{port}"
        if port and network.version == 6
        else f"{network}:{port}"
        if port
        else str(network)
    ),
    any_networks(3),
    st.none() | ports,
)


def firewall(entries: list[str]) -> Firewall:
    config = config_of(toml({"a": {"allowed_networks": entries}}))
    return walls.lower(walls.policy(resolve(config, "a", HOST), HOST))


@given(st.lists(allowed, max_size=4), any_networks(0), ports)
def test_the_answers_cover_a_network_exactly_and_agree_with_the_rules(
    entries: list[str], network: Network, port: int
) -> None:
    wall = firewall(entries)
    family = Family(network.version)
    rules = wall.ipv4 if family is Family.IPV4 else wall.ipv6
    whole = AddressSet.networks(family, (network,))
    for protocol in (Protocol.TCP, Protocol.UDP):
        answers = [each for each in explain(wall, network, port) if each.protocol is protocol]
        open_ = AddressSet.networks(family, (each.network for each in answers if each.open))
        closed = AddressSet.networks(family, (each.network for each in answers if not each.open))
        assert open_ == whole & accepted(rules, protocol, port)
        assert closed == whole - open_
        assert sum(each.network.num_addresses for each in answers) == network.num_addresses


@given(st.lists(allowed, max_size=4), any_networks(0), st.none() | ports)
def test_expectations_are_decided_by_the_same_rules(
    entries: list[str], network: Network, port: int | None
) -> None:
    wall = firewall(entries)
    family = Family(network.version)
    rules = wall.ipv4 if family is Family.IPV4 else wall.ipv6
    whole = AddressSet.networks(family, (network,))
    doors = [port] if port else [1, 9999, *mentioned(rules.rules)]
    touched = [
        bool(whole & accepted(rules, protocol, door))
        for protocol in (Protocol.TCP, Protocol.UDP)
        for door in doors
    ]
    assert shut(wall, network, port) == (not any(touched))
    assert opened(wall, network, port) == (not whole - accepted(rules, Protocol.TCP, doors[0]))


def test_without_a_port_the_ports_that_differ_are_told_apart() -> None:
    wall = firewall(["10.1.0.0/16:5432"])
    found = {
        (str(each.protocol), each.port): (each.open, each.reason)
        for each in explain(wall, ipaddress.ip_network("10.1.2.3"), None)
    }
    assert found["tcp", None] == (False, "private (RFC 1918)")
    assert found["tcp", 5432] == (True, "workspaces.a.allowed_networks[0]")
    assert found["udp", 5432][0]
    assert found["tcp", 53][1].startswith("DNS elsewhere")
