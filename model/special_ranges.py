"""Address ranges that are not the public internet, and so are closed unless allowed by name.

Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 as updated by
RFC 8190), the multicast registries, and the fixed endpoints that cloud platforms serve
credentials from.
"""

import ipaddress
from collections.abc import Iterable

from jailoc.model.address import Network, is_single, written

SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(text), reason)
    for text, reason in (
        ("0.0.0.0/8", "this network (RFC 791)"),
        ("10.0.0.0/8", "private (RFC 1918)"),
        ("100.64.0.0/10", "shared by carriers (RFC 6598)"),
        ("127.0.0.0/8", "loopback (RFC 1122)"),
        ("168.63.129.16/32", "platform endpoint of a cloud"),
        ("169.254.0.0/16", "link-local and cloud metadata (RFC 3927)"),
        ("172.16.0.0/12", "private (RFC 1918)"),
        ("192.0.0.0/24", "protocol assignments (RFC 6890)"),
        ("192.0.2.0/24", "documentation (RFC 5737)"),
        ("192.31.196.0/24", "AS112 (RFC 7535)"),
        ("192.52.193.0/24", "multicast relays (RFC 7450)"),
        ("192.88.99.0/24", "6to4 relays (RFC 7526)"),
        ("192.168.0.0/16", "private (RFC 1918)"),
        ("192.175.48.0/24", "AS112 (RFC 7534)"),
        ("198.18.0.0/15", "benchmarking (RFC 2544)"),
        ("198.51.100.0/24", "documentation (RFC 5737)"),
        ("203.0.113.0/24", "documentation (RFC 5737)"),
        ("224.0.0.0/4", "multicast (RFC 5771)"),
        ("240.0.0.0/4", "reserved and broadcast (RFC 1112, RFC 919)"),
        ("::/128", "unspecified (RFC 4291)"),
        ("::1/128", "loopback (RFC 4291)"),
        ("::ffff:0:0/96", "IPv4-mapped (RFC 4291)"),
        ("64:ff9b::/96", "IPv4 through NAT64 (RFC 6052)"),
        ("64:ff9b:1::/48", "IPv4 through local NAT64 (RFC 8215)"),
        ("100::/64", "discard (RFC 6666)"),
        ("100:0:0:1::/64", "dummy prefix (RFC 9780)"),
        ("2001::/23", "protocol assignments and Teredo (RFC 2928, RFC 4380)"),
        ("2001:db8::/32", "documentation (RFC 3849)"),
        ("2002::/16", "IPv4 through 6to4 (RFC 3056)"),
        ("2620:4f:8000::/48", "AS112 (RFC 7534)"),
        ("3fff::/20", "documentation (RFC 9637)"),
        ("5f00::/16", "segment routing (RFC 9602)"),
        ("fc00::/7", "unique local (RFC 4193)"),
        ("fe80::/10", "link-local (RFC 4291)"),
        ("fec0::/10", "site-local (RFC 3879)"),
        ("ff00::/8", "multicast (RFC 4291)"),
    )
)

LINK_LENGTH = 64
"""Bits of an IPv6 network that machines are in (RFC 4291, section 2.5.4)."""

PUBLIC: tuple[Network, ...] = (
    ipaddress.ip_network("0.0.0.0/0"),
    # All that has been given out so far; the rest of the space is unassigned and stays closed.
    ipaddress.ip_network("2000::/3"),
)
"""Where public addresses are, special ranges included."""

ENGINE_POOLS: tuple[Network, ...] = tuple(
    map(ipaddress.ip_network, ("172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
"""Where engines take the networks of their containers from, and so where the machine has addresses
of its own that come and go."""
METADATA: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        ("169.254.169.254/32", "169.254.170.2/32", "168.63.129.16/32", "100.100.100.200/32",
         "fd00:ec2::254/128", "fd20:ce::254/128"),
    )
)  # fmt: skip
"""Where clouds hand out the credentials of a machine to whoever asks from it."""

_NOBODY: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(text), reason)
    for text, reason in (
        ("0.0.0.0/8", "is the unspecified address or near it, which no host has (RFC 791)"),
        ("127.0.0.0/8", "is loopback, the sandbox itself (RFC 1122)"),
        ("169.254.0.0/16", "is link-local: each link has its own (RFC 3927)"),
        ("224.0.0.0/4", "is multicast, no host's address (RFC 5771)"),
        ("240.0.0.0/4", "is reserved or broadcast, no host's address (RFC 1112, RFC 919)"),
        ("::/128", "is the unspecified address, which no host has (RFC 4291)"),
        ("::1/128", "is loopback, the sandbox itself (RFC 4291)"),
        ("::ffff:0:0/96", "is an IPv4 address in IPv6's form, which no packet has (RFC 4291)"),
        ("100::/64", "is for discarding, no host's address (RFC 6666)"),
        ("fe80::/10", "is link-local: each link has its own (RFC 4291)"),
        ("ff00::/8", "is multicast, no host's address (RFC 4291)"),
    )
)


def nobody(network: Network) -> str | None:
    """Say why no host that somebody would allow can have an address; None if one can.

    >>> nobody(ipaddress.ip_network("127.0.0.1"))
    'is loopback, the sandbox itself (RFC 1122)'
    >>> nobody(ipaddress.ip_network("10.1.0.0/16"))
    """
    for each in METADATA:
        if _inside(network, each):
            return "is the metadata service of a cloud, which hands out the machine's credentials"
    if _inside(METADATA[0], network):
        address = written(METADATA[0].network_address)
        return f"holds {address}, where a cloud hands out the machine's credentials"
    return next((reason for each, reason in _NOBODY if _inside(network, each)), None)


_EMBED: tuple[tuple[int, int, int, str], ...] = (
    (0xFFFF << 32, 96, 96, "IPv4-mapped (RFC 4291)"),
    (0x64FF9B << 96, 96, 96, "through NAT64 (RFC 6052)"),
    (0x2002 << 112, 16, 16, "through 6to4 (RFC 3056)"),
    # Where an address is in these depends on who runs them: any of the range may be for it.
    (0x64FF9B0001 << 80, 48, 0, "through local NAT64 (RFC 8215)"),
    (0x2001 << 112, 32, 0, "through Teredo (RFC 4380)"),
)
"""Ranges of IPv6 that lead to IPv4: the first address, the length, and after how many bits the
IPv4 address begins; 0 where it may be anywhere."""


def embedding(network: Network) -> tuple[tuple[Network, str], ...]:
    """Return the networks of IPv6 through which an IPv4 network may be reached, each with the way.

    >>> [written(each) for each, _ in embedding(ipaddress.ip_network("10.9.0.0/16"))][:3]
    ['::ffff:10.9.0.0/112', '64:ff9b::a09:0/112', '2002:a09::/32']
    >>> embedding(ipaddress.ip_network("fd00::/8"))
    ()
    """
    if isinstance(network, ipaddress.IPv6Network):
        return ()
    number, length = int(network.network_address), network.prefixlen
    return tuple(
        (
            ipaddress.IPv6Network((first | number << 96 - after, after + length))
            if after
            else ipaddress.IPv6Network((first, whole)),
            way,
        )
        for first, whole, after, way in _EMBED
    )


_PRIVATE = (
    "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10",
)  # fmt: skip


def advisable(network: Network) -> bool:
    """Tell whether a network may be somebody's to allow: public, or private and of single hosts.

    >>> advisable(ipaddress.ip_network("10.1.2.3")), advisable(ipaddress.ip_network("192.0.2.1"))
    (True, False)
    """
    if nobody(network) is not None:
        return False
    private = any(_inside(network, ipaddress.ip_network(each)) for each in _PRIVATE)
    return private or not special(network)


def special(network: Network) -> bool:
    """Tell whether a network lies in a range that is not the public internet's.

    >>> special(ipaddress.ip_network("10.1.2.3")), special(ipaddress.ip_network("1.1.1.1"))
    (True, False)
    """
    return any(_inside(network, each) for each, _ in SPECIAL)


def public(network: Network) -> bool:
    """Tell whether nothing of a network lies outside the public internet.

    >>> public(ipaddress.ip_network("1.1.1.0/24")), public(ipaddress.ip_network("0.0.0.0/0"))
    (True, False)
    """
    return not any(_inside(network, each) or _inside(each, network) for each, _ in SPECIAL)


def _inside(inner: Network, outer: Network) -> bool:
    """Tell whether a network lies in another one, or is it."""
    first, last = inner.network_address, inner.broadcast_address
    return inner.version == outer.version and first in outer and last in outer


NEVER_BY_NAME: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        ("0.0.0.0/8", "100.100.100.200/32", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
         "224.0.0.0/4", "240.0.0.0/4",
         "::/8", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fd00:ec2::/32",
         "fd20:ce::254/128", "fe80::/10", "ff00::/8"),
    )
)  # fmt: skip
"""What no allowed name opens: whoever runs its zone could point it at loopback, at a metadata
service, or at everyone. An address or a network in the configuration can."""


def machine_networks(found: Iterable[str]) -> tuple[Network, ...]:
    """Return a machine's own addresses and networks, but for those in special ranges."""
    return tuple(
        network
        for network in map(ipaddress.ip_network, sorted(found))
        # A tunnel may claim every address there is; that says nothing about where things are.
        if network.prefixlen and not any(_inside(network, special) for special, _ in SPECIAL)
    )


def names_alone(network: Network, machine: tuple[Network, ...]) -> bool:
    """Tell whether an entry names an address by itself, or (a part of) a network of the machine."""
    return is_single(network) or any(_inside(network, each) for each in machine)
