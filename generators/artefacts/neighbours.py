"""The rules by which IPv6 finds the machines on a link."""

from collections.abc import Iterator

from jailoc.model.firewall import Chain, Protocol, Rule, Target
from jailoc.model.rule_match import Match


def neighbours() -> Iterator[Rule]:
    """Let IPv6 find the machines on its own link (RFC 4861); nothing else can travel this way."""
    for chain in (Chain.INPUT, Chain.OUTPUT):
        for match in (Match.NEIGHBOUR_SOLICITATION, Match.NEIGHBOUR_ADVERTISEMENT):
            yield Rule(
                chain=chain,
                target=Target.ACCEPT,
                protocol=Protocol.ICMPV6,
                match=match,
                comment="neighbour discovery",
            )


def honest() -> Iterator[Rule]:
    """Refuse what says that it comes from elsewhere, on loopback, too.

    What came in over that by another's address would be a connection of that one's, and what the
    sandbox sends there afterwards a reply. The kernel sees to it for IPv4 (ip(7): only a privileged
    program sends by another address).
    """
    yield Rule(
        chain=Chain.OUTPUT,
        target=Target.ACCEPT,
        protocol=Protocol.TCP,
        match=Match.RESET_ON_LOOPBACK,
        comment="what refuses at once",
    )
    yield Rule(
        chain=Chain.OUTPUT,
        jump=Chain.DENY,
        match=Match.FOREIGN_SOURCE,
        comment="from an address of somebody else",
    )


def straight() -> Iterator[Rule]:
    """Refuse what says that it goes on to elsewhere, replies too.

    A program may put that on a connection that came in. For IPv4 it takes a privileged one (ip(7)).
    """
    yield Rule(
        chain=Chain.OUTPUT,
        jump=Chain.DENY,
        match=Match.ROUTED,
        comment="with a routing header",
    )
