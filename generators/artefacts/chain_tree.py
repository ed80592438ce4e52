"""Order many allowed networks into a tree of chains, so that a packet meets few of them.

A flat chain of ten thousand rules is walked to its end by every packet that goes elsewhere. In the
tree a chain leads on by the next bits of the destination, as a routing table does (RFC 1812,
section 5.2.4.3, longest prefix). All rules in it do the same, so their order means nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from jailoc.model.address import Family
from jailoc.model.firewall import Chain, Decision, Rule, Target

FLAT = 32
"""Up to so many rules stand in one chain, for those who read them."""
BITS = 3
"""How many bits of the destination one chain tells apart."""
LEAF = 4
"""Up to so many rules are not worth a chain of their own."""
DEEPEST = 12
"""Chains inside each other; nf_tables follows 16 jumps."""


def decide(decision: Decision, chain: str) -> Rule:
    """Write one decision as a rule."""
    return Rule(
        chain=chain,
        target=Target.ACCEPT if decision.accept else None,
        jump=None if decision.accept else Chain.DENY,
        destination=decision.network if decision.network.prefixlen else None,
        protocol=decision.protocol,
        destination_port=decision.port,
        until=decision.until,
        comment=decision.reason,
    )


def branch(
    decisions: Sequence[Decision],
    chain: str,
    number: Iterator[int] | None = None,
    below: str = "JAILOC-ALLOW",
    comment: str = "allowed networks",
) -> Iterator[Rule]:
    """Write decisions of one family that are all alike as rules of a chain, and of chains below it.

    Args:
        decisions: In any order; all of them accept, or none does.
        chain: Where a packet comes from.
        number: What the chains below are numbered with, where there is more than one tree.
        below: What these chains are called, before their numbers.
        comment: What the rules that lead to them are for.
    """
    if len(decisions) <= FLAT:
        yield from (decide(each, chain) for each in decisions)
    else:
        names = (f"{below}-{each}" for each in number or count(1))
        places = [
            _Placed(int(each.network.network_address), each.network.prefixlen, each)
            for each in decisions
        ]
        rules: list[Rule] = []
        _branch(rules, places, chain, 0, names, comment)
        yield from rules


class _Placed(NamedTuple):
    """A decision, with the numbers that it is sorted by: there may be very many."""

    start: int
    length: int
    decision: Decision


def _branch(
    rules: list[Rule],
    placed: list[_Placed],
    chain: str,
    depth: int,
    names: Iterator[str],
    comment: str,
) -> None:
    family = Family(placed[0].decision.network.version)
    length = _shared(placed, family) + BITS
    step = family.bits - length
    groups: dict[int, list[_Placed]] = {}
    for each in placed:
        if each.length < length or depth == DEEPEST:
            rules.append(decide(each.decision, chain))
        else:
            groups.setdefault(each.start >> step, []).append(each)
    for prefix, group in sorted(groups.items()):
        if len(group) <= LEAF:
            rules += [decide(each.decision, chain) for each in group]
            continue
        below = next(names)
        rules.append(
            Rule(
                chain=chain,
                jump=below,
                destination=family.network(prefix << step, length),
                comment=comment,
            )
        )
        _branch(rules, group, below, depth + 1, names, comment)


def _shared(placed: Sequence[_Placed], family: Family) -> int:
    """Return how many leading bits all networks have in common, as far as they can be split."""
    starts = [each.start for each in placed]
    alike = family.bits - (min(starts) ^ max(starts)).bit_length()
    return min(alike, *(each.length for each in placed), family.bits - BITS)
