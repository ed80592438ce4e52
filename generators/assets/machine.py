"""Says which addresses are the machine's, as the wall's network namespace sees it and was told.

    machine.py HANDED

HANDED is a file with one address a line: what the host knows of itself, and of the other networks
of its engine. Each line of the output is `door ADDRESS` for where ports of the machine may be
opened (the gateways of the namespace's routes, and what the engine calls the machine), or
`closed ADDRESS` for what else ends there: the networks' broadcast and anycast addresses too, which
reach every listener of the machine (RFC 919, RFC 4291 section 2.6.1).

`guard.py` asks `by_now` what has become the machine's since, and `links` whose neighbour it is.
"""

import ipaddress
import re
import sys
from collections.abc import Iterator
from pathlib import Path

MACHINE = "host.docker.internal"
LINK = ipaddress.ip_network("fe80::/10")
PUBLIC = ipaddress.ip_network("2000::/3")
TABLES = Path("/etc/jailoc-machine")
"""Where the kernel's tables of the machine are mounted, if they can be."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def routes4(text: str) -> Iterator[tuple[str, Address]]:
    """Read /proc/net/route (proc(5)): numbers are hexadecimal, in the order of this machine."""

    def number(word: str) -> int:
        return int.from_bytes(int(word, 16).to_bytes(4, sys.byteorder))

    for words in (line.split() for line in text.splitlines()[1:]):
        if len(words) < 8 or words[0] == "lo":
            continue
        network, gateway, mask = (number(words[each]) for each in (1, 2, 7))
        if gateway:
            yield "door", ipaddress.IPv4Address(gateway)
        elif mask not in {0, 0xFFFFFFFF}:
            yield "closed", ipaddress.IPv4Address(network)
            yield "closed", ipaddress.IPv4Address(network | ~mask & 0xFFFFFFFF)


def routes6(text: str) -> Iterator[tuple[str, Address]]:
    """Read /proc/net/ipv6_route: destination, length, ..., next hop, ..., interface."""
    for words in (line.split() for line in text.splitlines()):
        if len(words) < 10 or words[9] == "lo":
            continue
        network, gateway = (ipaddress.IPv6Address(int(words[each], 16)) for each in (0, 4))
        if int(gateway):
            # On a link alone it is found by its name, never by a port.
            yield "closed" if gateway in LINK else "door", gateway
        elif 0 < int(words[1], 16) < 127:
            yield "closed", network


def hosts(text: str) -> Iterator[tuple[str, Address]]:
    """Find what the engine calls the machine, in the text of a host table."""
    for words in (line.partition("#")[0].lower().split() for line in text.splitlines()):
        if MACHINE in words[1:]:
            yield "door", ipaddress.ip_address(words[0])


def told(text: str) -> Iterator[tuple[str, Address]]:
    """Read what the host has said of itself; what is no address is passed over."""
    for line in text.split():
        try:
            yield "closed", ipaddress.ip_address(line)
        except ValueError:
            continue


def read(path: str) -> str:
    """Return the text of a file, or nothing where there is none or nobody may read it."""
    try:
        return Path(path).read_text()
    except (FileNotFoundError, PermissionError):
        return ""


def by_now(tables: Path = TABLES) -> frozenset[str]:
    """Return what the machine has at the moment, broadcast and anycast addresses too (proc(5))."""
    every: set[Address] = {
        ipaddress.IPv4Address(each)
        for each in re.findall(
            r"\|-- ([0-9.]+)\n\s+/32 (?:host LOCAL|link BROADCAST)", read(f"{tables}/fib_trie")
        )
    }
    for name, column in (("if_inet6", 0), ("anycast6", 2)):
        for line in read(f"{tables}/{name}").splitlines():
            every.add(ipaddress.IPv6Address(int(line.split()[column], 16)))
    return frozenset(str(each) for each in every if not (each.is_loopback or each.is_link_local))


def links(tables: Path = TABLES) -> frozenset[str]:
    """Return the public IPv6 networks that the machine is in at the moment, of 64 bits each.

    An address may have been given by itself (RFC 8415), and the network that it is in by a router
    (RFC 4861): how long it says that it is does not count.
    """
    every: set[str] = set()
    for words in map(str.split, read(f"{tables}/if_inet6").splitlines()):
        address = ipaddress.IPv6Address(int(words[0], 16))
        if address in PUBLIC:
            network = ipaddress.IPv6Network((int(address), 64), strict=False)
            every.add(str(network.network_address))
    return frozenset(every)


def found(handed: str) -> list[str]:
    """Return every line, in order of the addresses; a door is not closed as well."""
    every: dict[Address, str] = {}
    for kind, address in (
        *told(read(handed)),
        *routes4(read("/proc/net/route")),
        *routes6(read("/proc/net/ipv6_route")),
        *hosts(read("/etc/hosts")),
    ):
        mapped = address.version == 6 and address.ipv4_mapped
        if mapped or address.is_loopback or address.is_multicast or address.is_unspecified:
            continue
        every[address] = "door" if "door" in {kind, every.get(address)} else kind
    places = sorted(every, key=lambda each: (each.version, int(each)))
    return [f"{every[each]} {each}" for each in places]


if __name__ == "__main__":
    sys.stdout.write("".join(f"{each}\n" for each in found(sys.argv[1])))
