"""The rules by which IPv6 finds the machines on a link."""

from collections.abc import Iterator

from jailoc.model.firewall import Chain, Match, Protocol, Rule, Target


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
