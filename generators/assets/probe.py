"""Tries to reach places, and tells what became of each; sends nothing that travels far.

Reads a JSON list of [protocol, address, port] from standard input, and writes a list of words:
`refused`, `prohibited`, `no route`, `passed`, `not sent`, or `no ping`. Every packet has a time to
live of one hop (RFC 791), so none leaves the machine: what a wall lets through ends at the next
router.
"""

import errno
import ipaddress
import json
import select
import socket
import struct
import sys
import time

PATIENCE = 1.5
"""Seconds to wait for a refusal; one by the wall comes at once."""
ECHO = {socket.AF_INET: 8, socket.AF_INET6: 128}
WORDS = {
    errno.ECONNREFUSED: "refused",
    errno.EACCES: "prohibited",
    errno.EPERM: "prohibited",
    errno.ENETUNREACH: "no route",
    errno.EADDRNOTAVAIL: "not sent",
    errno.EAGAIN: "not sent",  # no port of one's own is left, for UDP
}


def outward() -> int:
    """Return the index of the first interface that is not loopback, for link-local addresses."""
    return next((index for index, name in socket.if_nameindex() if name != "lo"), 0)


def knock(protocol: str, address: str, port: int) -> socket.socket | str:
    """Send one packet; return the socket to watch, or what became of it already."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    number = 0
    if protocol == "icmp":
        number = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    try:
        door = socket.socket(family, kind, number)
    except OSError as error:
        # Nothing was sent, so no wall has refused anything. The kernel may give ICMP to no group
        # (net.ipv4.ping_group_range, icmp(7)).
        return "no ping" if number and error.errno == errno.EACCES else "not sent"
    door.setblocking(False)
    if family == socket.AF_INET:
        door.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        place: tuple[str, int] | tuple[str, int, int, int] = (address, port)
    else:
        door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)
        local = ipaddress.IPv6Address(address).is_link_local
        place = (address, port, 0, outward() if local else 0)
    try:
        if protocol == "tcp":
            door.connect(place)
        elif protocol == "udp":
            door.sendto(b"", place)
        else:
            door.sendto(struct.pack("!BBHHH", ECHO[family], 0, 0, 0, 1), place)
    except OSError as error:
        if error.errno == errno.EINPROGRESS:
            return door
        door.close()
        return WORDS.get(error.errno or 0, "passed")
    if protocol == "tcp":
        return door
    door.close()
    return "passed"


def probe(wanted: list[tuple[str, str, int]]) -> list[str]:
    """Try all places at the same time."""
    found: list[str] = []
    waiting: dict[int, tuple[int, socket.socket]] = {}
    watch = select.poll()
    for index, each in enumerate(wanted):
        result = knock(*each)
        found.append(result if isinstance(result, str) else "passed")
        if isinstance(result, socket.socket):
            waiting[result.fileno()] = index, result
            watch.register(result, select.POLLOUT)
    end = time.monotonic() + PATIENCE
    while waiting and (left := end - time.monotonic()) > 0:
        for number, _ in watch.poll(left * 1000):
            index, door = waiting.pop(number)
            watch.unregister(door)
            error = door.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            found[index] = WORDS.get(error, "passed")
            door.close()
    for _, door in waiting.values():
        door.close()
    return found


if __name__ == "__main__":
    json.dump(probe([tuple(each) for each in json.load(sys.stdin)]), sys.stdout)
