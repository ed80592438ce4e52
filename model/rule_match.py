"""Conditions of a rule that are not about its destination, in the words of iptables(8)."""

from enum import StrEnum

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.sandbox import PROXY_ADDRESS, PROXY_ID
from jailoc.model.user import DEFAULT_ID

RESOLVER = 65533
"""The user that answers the sandbox's name questions, in the wall; it never has a capability."""
KEPT = 120
"""Seconds that an address stays open after the resolver last saw it under an allowed name."""

COUNTED = 86_400
"""Seconds after the last attempt for which the kernel remembers where a connection was refused."""
MOST_COUNTED = 24
"""Attempts that the kernel can tell apart, of one an hour that it forgets: xt_hashlimit counts in
shares of 64 bits, which hold between 24 and 48 hours."""
MOST_PLACES = 16384
"""Places of one protocol and family that the kernel remembers; it drops a connection to one more
without a word."""


def _counts(protocol: str) -> str:
    return (
        f"-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst {MOST_COUNTED} "
        f"--hashlimit-mode dstip,dstport --hashlimit-name jailoc-{protocol} "
        f"--hashlimit-htable-max {MOST_PLACES} --hashlimit-htable-expire {COUNTED * 1000}"
    )


class Match(StrEnum):
    """Conditions that are not about the destination, each in the words iptables prints back."""

    LOOPBACK_IN = "-i lo"
    LOOPBACK_OUT = "-o lo"
    RESET_ON_LOOPBACK = "-o lo -m tcp --tcp-flags RST RST -m conntrack --ctstate RELATED"
    """The kernel's refusal of what was sent, by the address that it was for; no program sends one
    that is related to anything."""
    BEGINS = "-m tcp --tcp-flags FIN,SYN,RST,ACK SYN"
    """The first segment of a connection (RFC 9293, 3.5), also of one that has the four numbers of
    another, which the kernel remembers after its end."""
    NO_STREAM = "! -p tcp -m conntrack ! --ctstate RELATED"
    """What has neither beginning nor end: each datagram counts for itself. An error (ICMP) has the
    mark of what it is about."""
    NEW = "-m conntrack --ctstate NEW"
    REPLY_IN = "-m conntrack --ctstate RELATED,ESTABLISHED"
    REPLY_OUT = "-m conntrack --ctstate ESTABLISHED --ctdir REPLY"
    REPLY_OUT_BY_OWN = f"{REPLY_OUT} -m addrtype --src-type LOCAL"
    """The same where every program may choose its address. A kernel without this match has no such
    rule, and lets no answer out; one without the other below lets an agent make up, on loopback, a
    connection that came from anywhere, and then answer it."""
    NEIGHBOUR_SOLICITATION = "-m icmp6 --icmpv6-type 135"
    NEIGHBOUR_ADVERTISEMENT = "-m icmp6 --icmpv6-type 136"
    FOREIGN_SOURCE = "-m addrtype ! --src-type LOCAL"
    """An address that is none of the sender's own: with IPv6 every program may choose one
    (IPV6_FREEBIND, IPV6_PKTINFO), and who answers answers to somebody else."""
    ROUTED = "-m rt"
    """A routing header (RFC 8200, section 4.4): its last address is the destination."""
    BY_ENGINE = "-m owner --uid-owner 0"
    BY_PROXY = f"-m owner --uid-owner {PROXY_ID}"
    BY_RESOLVER = f"-m owner --uid-owner {RESOLVER}"
    NOT_BY_RESOLVER = f"-m owner ! --uid-owner {RESOLVER}"
    ACCEPTED_NOT_BY_AGENT = f"--tcp-flags SYN,ACK SYN,ACK -m owner ! --uid-owner {DEFAULT_ID}"
    """The answer that makes a connection, which is the listening socket's; later packets may be
    nobody's, when a program has closed its end and gone on. A rule may name another agent's UID."""
    # The same of the proxy's address: whoever else serves there answers nobody.
    ACCEPTED_NOT_BY_PROXY = (
        f"-m tcp --tcp-flags SYN,ACK SYN,ACK -m owner ! --uid-owner {PROXY_ID} "
        f"-m conntrack --ctorigdst {PROXY_ADDRESS}"
    )
    COUNT_TCP = _counts("tcp")
    COUNT_UDP = _counts("udp")
    COUNT_ICMP = _counts("icmp")


class Memory(StrEnum):
    """What a rule does with a list of addresses that the kernel keeps (`-m recent`)."""

    HOLDS = f"--rcheck --seconds {KEPT}"
    ADD = "--set"
    REMOVE = "--remove"


class Recent(Model):
    """A condition on a list of addresses that the kernel keeps, one list a family."""

    memory: Memory
    name: str = Field(pattern=r"^v[46]:(\*\.)?[a-z0-9._-]{1,180}$")
    length: int | None = None
    """How many leading bits of an address count; all of them if it is not said."""
