"""The algebra of address sets obeys the laws of sets, for both families."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.address import AddressSet, Family, Network, written
from tests.strategies import address_sets, networks

FAMILIES = tuple(Family)
sets = st.sampled_from(FAMILIES).flatmap(address_sets)
pairs = st.sampled_from(FAMILIES).flatmap(lambda f: st.tuples(address_sets(f), address_sets(f)))
triples = st.sampled_from(FAMILIES).flatmap(
    lambda f: st.tuples(address_sets(f), address_sets(f), address_sets(f))
)


@given(triples)
def test_union_and_intersection_are_commutative_associative_and_distributive(
    three: tuple[AddressSet, AddressSet, AddressSet],
) -> None:
    a, b, c = three
    assert a | b == b | a
    assert a & b == b & a
    assert a | (b | c) == (a | b) | c
    assert a & (b & c) == (a & b) & c
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)


@given(pairs)
def test_complement_obeys_de_morgan_and_difference(two: tuple[AddressSet, AddressSet]) -> None:
    a, b = two
    assert ~(a | b) == ~a & ~b
    assert ~(a & b) == ~a | ~b
    assert a - b == a & ~b
    assert (a - b) | (a & b) == a
    assert not (a - b) & b


@given(sets)
def test_complement_twice_is_the_set_and_together_they_are_everything(one: AddressSet) -> None:
    everything = AddressSet.everything(one.family)
    assert ~~one == one
    assert one | ~one == everything
    assert not one & ~one
    assert one.size + (~one).size == everything.size


@given(sets)
def test_ranges_are_ascending_disjoint_and_never_adjacent(one: AddressSet) -> None:
    assert all(low <= high for low, high in one.ranges)
    following = zip(one.ranges, one.ranges[1:], strict=False)
    assert all(before[1] + 1 < after[0] for before, after in following)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6))))
def test_a_set_of_ranges_has_their_addresses_and_no_other(made: list[tuple[int, int]]) -> None:
    wanted = [(low, low + more) for low, more in made]
    found = AddressSet.of(Family.IPV4, wanted).ranges
    assert {n for low, high in found for n in range(low, high + 1)} == {
        n for low, high in wanted for n in range(low, high + 1)
    }


@given(pairs)
def test_results_are_canonical(two: tuple[AddressSet, AddressSet]) -> None:
    a, b = two
    for result in (a | b, a & b, a - b, ~a):
        assert result == AddressSet.of(result.family, result.ranges)


@given(sets)
def test_collapse_to_networks_and_back_is_the_set(one: AddressSet) -> None:
    collapsed = one.collapse()
    assert AddressSet.networks(one.family, collapsed) == one
    assert list(collapsed) == list(ipaddress.collapse_addresses(collapsed))  # type: ignore[type-var]


@given(
    st.sampled_from(FAMILIES).flatmap(lambda f: st.tuples(address_sets(f), st.just(f))), st.data()
)
def test_membership_is_that_of_the_ranges(
    both: tuple[AddressSet, Family], data: st.DataObject
) -> None:
    one, family = both
    edges = [n for low, high in one.ranges for n in (low - 1, low, high, high + 1)]
    number = data.draw(st.sampled_from([*edges, 0, family.last]) | st.integers(0, family.last))
    if 0 <= number <= family.last:
        inside = any(low <= number <= high for low, high in one.ranges)
        assert (family.address(number) in one) is inside
        assert (family.address(number) in ~one) is not inside


@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data())
def test_order_and_overlap_of_networks_do_not_matter(family: Family, data: st.DataObject) -> None:
    nets = data.draw(st.lists(networks(family), max_size=6))
    shuffled = data.draw(st.permutations(nets))
    assert AddressSet.networks(family, nets) == AddressSet.networks(family, [*shuffled, *nets])


def test_an_address_of_the_other_family_is_never_in_a_set() -> None:
    assert ipaddress.ip_address("::1") not in AddressSet.everything(Family.IPV4)
    assert ipaddress.ip_address("0.0.0.1") not in AddressSet.everything(Family.IPV6)


def test_networks_of_the_other_family_do_not_count() -> None:
    assert not AddressSet.networks(Family.IPV4, [ipaddress.ip_network("::/0")])


def test_sets_of_different_families_cannot_be_combined() -> None:
    with pytest.raises(ValueError, match="different families"):
        _ = AddressSet.everything(Family.IPV4) | AddressSet.everything(Family.IPV6)


@pytest.mark.parametrize("pair", [(2, 1), (-1, 0), (0, 1 << 32)])
def test_ranges_outside_the_address_space_are_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a range of IPv4"):
        AddressSet.of(Family.IPV4, [pair])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_knows_how_long_its_addresses_are(family: Family) -> None:
    longest = family.address(family.last)
    assert family.bits == longest.max_prefixlen
    assert int(longest) == (1 << longest.max_prefixlen) - 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_ends_of_a_family_are_in_complements(family: Family) -> None:
    first, last = (0, 0), (family.last, family.last)
    assert ~AddressSet.of(family, [(0, family.last - 1)]) == AddressSet.of(family, [last])
    assert ~AddressSet.of(family, [(1, family.last)]) == AddressSet.of(family, [first])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_is_made_of_its_leading_bits(family: Family) -> None:
    network = family.network(3 << (family.bits - 8), 8)
    assert str(network) == ("3.0.0.0/8" if family is Family.IPV4 else "300::/8")
    with pytest.raises(ValueError, match="host bits"):
        family.network(1, 8)


@given(st.sampled_from(FAMILIES).flatmap(networks), st.integers(0, (1 << 32) - 1))
def test_what_is_written_is_read_back_and_depends_on_no_python(
    network: Network, inner: int
) -> None:
    assert ipaddress.ip_network(written(network)) == network
    assert ipaddress.ip_address(written(network.network_address)) == network.network_address
    held = Family.IPV6.address(0xFFFF << 32 | inner)
    assert written(held) == f"::ffff:{ipaddress.IPv4Address(inner)}"
    assert ipaddress.ip_address(written(held)) == held
    assert written(ipaddress.ip_network((held, 128))) == f"{written(held)}/128"


def test_a_zone_stays_behind_an_address_that_is_written() -> None:
    for text in ("fe80::1%eth0", "::ffff:10.0.0.1%eth0"):
        assert written(ipaddress.ip_address(text)) == text
