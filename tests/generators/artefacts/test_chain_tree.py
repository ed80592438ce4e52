"""Few rules stand in one chain, as people read them; many in a tree that the kernel follows."""

import ipaddress
from collections.abc import Iterable

from jailoc.generators.artefacts.chain_tree import branch
from jailoc.model.address import Network
from jailoc.model.firewall import Chain, Decision, Protocol, Rule

JUMPS = 16
"""That nf_tables follows, from a built-in chain on."""


def tree(networks: Iterable[Network]) -> list[Rule]:
    decisions = [Decision(network=each, accept=True, reason="why") for each in networks]
    return list(branch(decisions, Chain.OUTPUT))


def hosts(first: str, number: int) -> list[Network]:
    start = int(ipaddress.ip_address(first))
    return [ipaddress.ip_network(start + each) for each in range(number)]


def jumps(rules: list[Rule], chain: str) -> list[str]:
    return [str(each.jump) for each in rules if each.chain == chain and each.jump]


def depth(rules: list[Rule], chain: str) -> int:
    return max((1 + depth(rules, each) for each in jumps(rules, chain)), default=0)


def test_up_to_32_stand_in_one_chain() -> None:
    few = hosts("224.0.0.0", 4)
    assert jumps(tree([*hosts("10.0.0.0", 28), *few]), Chain.OUTPUT) == []
    assert jumps(tree([*hosts("10.0.0.0", 29), *few]), Chain.OUTPUT) != []


def test_many_ports_of_one_address_are_a_chain() -> None:
    (network,) = hosts("10.0.0.1", 1)
    rules = list(
        branch(
            [
                Decision(network=network, accept=True, reason="why", protocol=Protocol.TCP, port=n)
                for n in range(1, 41)
            ],
            Chain.OUTPUT,
        )
    )
    assert [each.destination_port for each in rules if not each.jump] == list(range(1, 41))


def test_up_to_four_in_one_place_have_no_chain_of_their_own() -> None:
    # The first three bits tell the two places apart.
    many = hosts("224.0.0.0", 32)
    few, more = tree([*hosts("10.0.0.0", 4), *many]), tree([*hosts("10.0.0.0", 5), *many])
    assert len(jumps(few, Chain.OUTPUT)) == 1
    assert len(jumps(more, Chain.OUTPUT)) == 2
    assert [str(each.destination) for each in more if each.chain == Chain.OUTPUT] == [
        "0.0.0.0/3", "224.0.0.0/3",
    ]  # fmt: skip


def test_the_tree_is_no_deeper_than_the_kernel_follows() -> None:
    # Each level tells three of them apart and leaves the rest together: 42 levels without a bound.
    rules = tree(ipaddress.ip_network((1 << each, 128)) for each in range(128))
    assert depth(rules, Chain.OUTPUT) == 12 < JUMPS
    assert sum(each.jump is None for each in rules) == 128


def test_what_is_alike_in_its_first_bits_is_told_apart_by_the_next() -> None:
    rules = tree(hosts("10.0.0.0", 64))
    assert [str(each.destination) for each in rules if each.chain == Chain.OUTPUT] == [
        f"10.0.0.{each}/29" for each in range(0, 64, 8)
    ]
