"""The second wall opens nothing that the first one closes, for every address and port there is.

Both are cut at every edge of a network and at every port that one of them names. Within a cell
nothing changes, so that one point of it stands for all of it.
"""

import ipaddress
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jailoc.model.address import AddressSet, Family, Network, loopback
from jailoc.model.firewall import Protocol
from jailoc.model.kubernetes.bundle import ClusterBundle
from jailoc.model.kubernetes.objects import IpBlock, NetworkPolicySpec
from jailoc.model.rule_walk import accepted
from jailoc.model.special_ranges import PUBLIC, SPECIAL
from tests.generators.kubernetes.cluster import NAMED, compiled
from tests.strategies import any_networks, toml

PROTOCOLS = {"TCP": Protocol.TCP, "UDP": Protocol.UDP}
CLUSTER = [ipaddress.ip_network(each.strip(' "')) for each in
           NAMED["cluster_networks"].strip("[]").split(",")]  # fmt: skip
DNS = ipaddress.ip_network("10.96.0.10/32")
METADATA = ipaddress.ip_network("169.254.169.254/32")
FEW = settings(max_examples=25)
"""Each is a proof over all there is: some policies are enough."""


def blocks(spec: NetworkPolicySpec, protocol: str, port: int) -> Iterator[IpBlock]:
    """Yield the networks that are open on a port."""
    for rule in spec.egress:
        ports = [each for each in rule.ports if each.protocol == protocol]
        if any(each.port <= port <= (each.end_port or each.port) for each in ports):
            yield from (each.ip_block for each in rule.to if each.ip_block)


def opened(spec: NetworkPolicySpec, family: Family, protocol: str, port: int) -> AddressSet:
    found = AddressSet(family)
    for each in blocks(spec, protocol, port):
        whole = AddressSet.networks(family, (ipaddress.ip_network(each.cidr),))
        inner = map(ipaddress.ip_network, each.except_ or ())
        found |= whole - AddressSet.networks(family, inner)
    return found


def ports(bundle: ClusterBundle) -> list[int]:
    """Return one port of each span in which neither wall changes its mind."""
    rules = (*bundle.firewall.ipv4.rules, *bundle.firewall.ipv6.rules)
    edges = {1, 53, 54, 65536}
    edges |= {each for rule in rules if (each := rule.destination_port)}
    edges |= {each + 1 for rule in rules if (each := rule.destination_port)}
    for rule in bundle.policy.spec.egress:
        edges |= {each.port for each in rule.ports}
        edges |= {(each.end_port or each.port) + 1 for each in rule.ports}
    return [low for low, _ in pairwise(sorted(edges))]


def cells(bundle: ClusterBundle, names: AddressSet | None = None) -> tuple[int, int, int]:
    """Count the cells, and those that the second wall opens more, and less, than the first.

    Args:
        bundle: A workspace.
        names: What names may open, which does not count as more.
    """
    spec, count, more, less = bundle.policy.spec, 0, 0, 0
    for family in Family:
        aside = AddressSet.networks(family, (DNS,)) | loopback(family)
        if names is not None and names.family is family:
            aside |= names
        edges = {0, family.last + 1}
        every = [each for rule in spec.egress for peer in rule.to if (each := peer.ip_block)]
        nets = [ipaddress.ip_network(text) for each in every
                for text in (each.cidr, *(each.except_ or ()))]  # fmt: skip
        nets += [each.destination for each in bundle.firewall.of(family).rules if each.destination]
        for net in nets:
            if net.version == family:
                edges |= {int(net.network_address), int(net.broadcast_address) + 1}
        points = [low for low, _ in pairwise(sorted(edges))]
        for word, protocol in PROTOCOLS.items():
            for port in ports(bundle):
                second = opened(spec, family, word, port)
                first = accepted(bundle.firewall.of(family), protocol, port)
                over, under = second - first - aside, first - second - aside
                count += len(points)
                more += sum(family.address(each) in over for each in points)
                less += sum(family.address(each) in under for each in points)
                # No range is cut between two points: what is over is whole cells.
                assert bool(over) == any(family.address(each) in over for each in points)
    return count, more, less


def of(networks: list[Network], denied: list[Network], **more: str) -> ClusterBundle:
    table = {
        "allowed_networks": [str(each) for each in networks],
        "denied_networks": [str(each) for each in denied],
    }
    return compiled(toml({"api": table}), **more)


allow = st.lists(any_networks(3), max_size=5)


@FEW
@given(allow, st.lists(any_networks(3), max_size=3))
def test_the_second_wall_opens_exactly_what_the_rules_open_by_address(
    networks: list[Network], denied: list[Network]
) -> None:
    count, more, less = cells(of(networks, denied))
    assert count > 400
    assert (more, less) == (0, 0)


@FEW
@given(allow, st.sampled_from([22, 53, 443, 65535]), st.sampled_from(["public", "allowlist"]))
def test_it_does_for_single_ports_and_each_egress(
    networks: list[Network], port: int, egress: str
) -> None:
    entries = [f"{_bracketed(each)}:{port}" for each in networks]
    table = {"allowed_networks": entries, "egress": egress}
    assert cells(compiled(toml({"api": table})))[1:] == (0, 0)


def _bracketed(network: Network) -> str:
    if network.version == 4:
        return str(network)
    return f"[{network.network_address}]/{network.prefixlen}"


@FEW
@given(allow, st.lists(any_networks(), min_size=1, max_size=3), st.booleans())
def test_names_open_no_more_than_the_world_and_where_they_may_lie(
    networks: list[Network], within: list[Network], ports: bool
) -> None:
    table = {
        "allowed_networks": [str(each) for each in networks],
        "allowed_hosts": ["a.test:443" if ports else "a.test"],
        "egress": "allowlist",
    }
    given_ = "[" + ", ".join(f'"{each}"' for each in within) + "]"
    bundle = compiled(toml({"api": table}), names_within=given_)
    for family in Family:
        public = AddressSet.networks(family, PUBLIC) - AddressSet.networks(
            family, (each for each, _ in SPECIAL)
        )
        may = (public | AddressSet.networks(family, within)) - AddressSet.networks(family, CLUSTER)
        for word, protocol in PROTOCOLS.items():
            for port in (1, 53, 80, 443, 65535):
                second = opened(bundle.policy.spec, family, word, port)
                first = accepted(bundle.firewall.of(family), protocol, port)
                over = second - first - AddressSet.networks(family, (DNS,))
                assert not over - may
                if port == 53 or (ports and port != 443):
                    assert not over
                elif family is Family.IPV4:
                    assert ipaddress.ip_address("1.2.3.4") in second
            # What names cannot open stays shut, wherever they are said to lie.
            assert not (second - first) & AddressSet.networks(family, [METADATA])


def test_names_open_where_they_are_said_to_lie() -> None:
    text = '[workspaces.api]\negress = "allowlist"\nallowed_hosts = ["db.test:5432"]'
    inside, beside = map(ipaddress.ip_address, ("10.50.1.1", "10.51.1.1"))
    there = opened(
        compiled(text, names_within='["10.50.0.0/16"]').policy.spec, Family.IPV4, "TCP", 5432
    )
    assert inside in there
    assert beside not in there
    # Control: where nothing is said of them, they are public.
    assert inside not in opened(compiled(text).policy.spec, Family.IPV4, "TCP", 5432)


EXAMPLE = '[workspaces.api]\nallowed_networks = ["10.77.0.16/28", "192.168.7.0/24:443"]\n'


def test_a_closed_range_that_is_left_out_of_the_second_wall_is_seen() -> None:
    """The proof can fail: without one `except` some cells are open that the rules close."""
    bundle = compiled(EXAMPLE)
    spec = bundle.policy.spec
    assert cells(bundle)[1:] == (0, 0)
    seen = 0
    for number, rule in enumerate(spec.egress):
        for place, peer in enumerate(rule.to):
            closed = peer.ip_block.except_ if peer.ip_block else None
            for gone in closed or ():
                block = IpBlock(
                    cidr=peer.ip_block.cidr if peer.ip_block else "",
                    except_=tuple(each for each in closed or () if each != gone) or None,
                )
                other = peer.model_copy(update={"ip_block": block})
                to = (*rule.to[:place], other, *rule.to[place + 1 :])
                rules = list(spec.egress)
                rules[number] = rule.model_copy(update={"to": to})
                policy = bundle.policy.model_copy(
                    update={"spec": spec.model_copy(update={"egress": tuple(rules)})}
                )
                if gone == "127.0.0.0/8":  # the sandbox itself, which no policy is asked about
                    continue
                assert cells(bundle.model_copy(update={"policy": policy}))[1] > 0, gone
                seen += 1
    assert seen > 20


def test_the_cluster_is_closed_to_ranges_and_open_to_what_names_it() -> None:
    bundle = of([ipaddress.ip_network("10.0.0.0/8")], [])
    for family in Family:
        closed = AddressSet.networks(family, CLUSTER) - AddressSet.networks(family, (DNS,))
        for protocol in PROTOCOLS.values():
            assert not accepted(bundle.firewall.of(family), protocol, 443) & closed
    named = of([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("10.96.7.0/24")], [])
    there = ipaddress.ip_address("10.96.7.9")
    assert there in accepted(named.firewall.ipv4, Protocol.TCP, 443)
    assert there in opened(named.policy.spec, Family.IPV4, "TCP", 443)


def test_the_api_has_no_way_even_where_it_is_public() -> None:
    bundle = compiled("[workspaces.api]")
    api = ipaddress.ip_address("203.0.113.7")
    assert api not in opened(bundle.policy.spec, Family.IPV4, "TCP", 443)
    public = compiled("[workspaces.api]", cluster_networks='["10.96.0.0/12", "1.2.3.4/32"]')
    assert ipaddress.ip_address("1.2.3.4") not in opened(public.policy.spec, Family.IPV4, "TCP", 6)
    assert ipaddress.ip_address("1.2.3.5") in opened(public.policy.spec, Family.IPV4, "TCP", 6)


def test_dns_is_open_to_the_pods_that_answer_and_to_their_address() -> None:
    first = compiled("[workspaces.api]").policy.spec.egress[0]
    assert [each.ip_block.cidr for each in first.to if each.ip_block] == ["10.96.0.10/32"]
    assert {(each.protocol, each.port) for each in first.ports} == {("TCP", 53), ("UDP", 53)}
    moved = compiled(
        "[workspaces.api]", dns='{ addresses = ["10.96.0.10"], port = 5353 }'
    ).policy.spec.egress
    assert [[each.port for each in rule.ports] for rule in moved[:2]] == [[53, 53], [5353, 5353]]


def test_with_nothing_open_there_is_no_opening_at_all() -> None:
    bundle = compiled('[workspaces.api]\negress = "none"')
    assert bundle.policy.spec.egress == ()
    assert bundle.policy.spec.ingress == ()


def test_the_server_is_reached_by_those_that_are_named_and_nobody_else() -> None:
    def inbound(bundle: ClusterBundle) -> bool:
        rules = (*bundle.firewall.ipv4.rules, *bundle.firewall.ipv6.rules)
        return any(rule.comment == "published port" for rule in rules)

    shut = compiled("[workspaces.api]")
    assert shut.policy.spec.ingress == ()
    assert not inbound(shut)
    visited = compiled(
        "[workspaces.api]", ingress_from='[{ namespace = "web", labels = { app = "x" } }]'
    )
    (rule,) = visited.policy.spec.ingress
    assert inbound(visited)
    assert [each.port for each in rule.ports] == [4096]
    assert visited.policy.spec.egress == shut.policy.spec.egress


@pytest.mark.parametrize("address", ["127.0.0.54"])
def test_the_gate_has_its_rule_before_loopback(address: str) -> None:
    rules = compiled("[workspaces.api]").firewall.ipv4.rules
    place = next(i for i, each in enumerate(rules) if str(each.destination) == f"{address}/32")
    loop = next(i for i, each in enumerate(rules) if each.comment == "loopback")
    assert place < loop
    assert rules[place].target == "DROP"
    assert rules[place].chain == "INPUT"
