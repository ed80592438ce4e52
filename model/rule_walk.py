"""How rules decide: an evaluator that walks them with whole ranges of addresses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from jailoc.model.address import AddressSet, loopback
from jailoc.model.firewall import Chain, Protocol, Rule, Ruleset, Target
from jailoc.model.rule_match import Match


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule decides."""

    matched: AddressSet
    accept: bool
    rule: Rule | None
    """None for the policy of the chain."""


class _Walked:
    """The rules that were walked last, by chain: very many places are asked about one by one."""

    last: ClassVar[tuple[tuple[Ruleset, dict[str, list[Rule]]], ...]] = ()

    @classmethod
    def chains(cls, rules: Ruleset) -> dict[str, list[Rule]]:
        """Return the rules of every chain; to compare rules would take longer than to sort them."""
        found = next((chains for known, chains in cls.last if known is rules), None)
        if found is None:
            found = rules.by_chain()
            cls.last = (*cls.last[-3:], (rules, found))
        return found


def walk(
    rules: Ruleset,
    within: AddressSet,
    protocol: Protocol | None,
    port: int | None,
    on: date | None = None,
) -> Iterator[Verdict]:
    """Follow new connections of one kind through OUTPUT, and yield what each rule decides.

    Args:
        rules: The rules of one family.
        within: The destinations.
        protocol: TCP, UDP or ICMP (of either family); None is one that no rule names.
        port: The destination port; None is one that no rule names.
        on: The day; rules whose last day is before it match nothing. None is while all hold.
    """
    chains = _Walked.chains(rules)

    def follow(chain: str, undecided: AddressSet) -> Iterator[Verdict]:
        for rule in chains[chain]:
            if not undecided:
                break
            if not rule.decides or rule.protocol not in {None, protocol}:
                continue
            if rule.destination_port not in {None, port} or (on and rule.until and rule.until < on):
                continue
            matched = undecided
            if rule.match is Match.LOOPBACK_OUT:
                matched = undecided & loopback(rules.family)
            elif rule.destination is not None:
                matched = undecided & AddressSet.networks(rules.family, (rule.destination,))
            if not matched:
                continue
            if rule.jump not in {None, Chain.DENY}:
                below = list(follow(str(rule.jump), matched))
                undecided -= AddressSet.of(
                    rules.family, (pair for each in below for pair in each.matched.ranges)
                )
                yield from below
                continue
            undecided -= matched
            yield Verdict(matched=matched, accept=rule.target is Target.ACCEPT, rule=rule)

    decided: list[tuple[int, int]] = []
    for verdict in follow(Chain.OUTPUT, within):
        decided += verdict.matched.ranges
        yield verdict
    if left := within - AddressSet.of(rules.family, decided):
        yield Verdict(matched=left, accept=False, rule=None)


def accepted(
    rules: Ruleset,
    protocol: Protocol,
    port: int | None,
    within: AddressSet | None = None,
    on: date | None = None,
) -> AddressSet:
    """Return every address to which the rules let new connections of this kind out."""
    everything = within if within is not None else AddressSet.everything(rules.family)
    return AddressSet.of(
        rules.family,
        (
            pair
            for verdict in walk(rules, everything, protocol, port, on)
            if verdict.accept
            for pair in verdict.matched.ranges
        ),
    )
