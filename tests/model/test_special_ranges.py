"""Whose an address may be, for entries of every kind and for the list of a blocked try."""

import ipaddress

import pytest

from jailoc.model.special_ranges import METADATA, SPECIAL, advisable, nobody, special

network = ipaddress.ip_network
PRIVATE = ["10.0.0.0/8", "10.255.255.255", "100.64.0.0/10", "172.31.255.0/24", "192.168.1.1",
           "fd00::/8", "fd12::1", "fec0::1"]  # fmt: skip
PUBLIC = ["1.1.1.1", "9.255.255.255", "11.0.0.0/8", "172.32.0.0/16", "2606:4700::1111"]
NOBODYS = ["0.0.0.0/32", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "::", "::1",
           "fe80::1", "ff02::1", "::ffff:10.0.0.1"]  # fmt: skip
OF_NO_HOST = ["192.0.2.1", "198.51.100.0/24", "203.0.113.9", "2001:db8::1", "198.18.0.1"]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_host_can_be_allowed(text: str) -> None:
    assert nobody(network(text)) is None
    assert special(network(text))
    assert advisable(network(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_host_can_be_allowed(text: str) -> None:
    assert nobody(network(text)) is None
    assert not special(network(text))
    assert advisable(network(text))


@pytest.mark.parametrize("text", NOBODYS)
def test_what_is_no_hosts_is_said_and_never_advised(text: str) -> None:
    assert nobody(network(text))
    assert not advisable(network(text))


@pytest.mark.parametrize("text", OF_NO_HOST)
def test_what_is_for_examples_and_tests_is_never_advised(text: str) -> None:
    assert nobody(network(text)) is None
    assert special(network(text))
    assert not advisable(network(text))


@pytest.mark.parametrize("place", METADATA, ids=str)
def test_where_clouds_hand_out_credentials_is_never_advised(
    place: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    assert "metadata service" in (nobody(place) or "")
    assert not advisable(place)


def test_a_range_that_holds_the_metadata_service_names_its_address() -> None:
    assert "169.254.169.254," in (nobody(network("169.254.169.0/24")) or "")
    assert "169.254.169.254," in (nobody(network("169.254.0.0/16")) or "")
    assert "169.254.169.254," in (nobody(network("0.0.0.0/0")) or "")


def test_one_that_reaches_out_of_a_special_range_is_not_in_it() -> None:
    for outer, _ in SPECIAL:
        if outer.prefixlen:
            assert special(outer)
    assert not special(network("10.0.0.0/7"))
    assert not advisable(network("0.0.0.0/0"))
