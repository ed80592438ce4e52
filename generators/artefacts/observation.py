"""Rules that tell the wall's resolver of new connections, beside those that let them through."""

from collections.abc import Iterable, Iterator

from jailoc.model.evidence import MACHINE_PORT, PASSED, mark_of_name, mark_of_network
from jailoc.model.firewall import Chain, Rule, Target
from jailoc.model.rule_match import Match

PUBLIC = "public"
"""The comment of what the default lets through."""


def observed(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Yield rules, before each that opens something to the outside one that tells of it."""
    for rule in rules:
        mark = _mark(rule)
        if mark is not None:
            yield rule.model_copy(update={"target": Target.TELL, "match": Match.NEW, "told": mark})
        yield rule


def _mark(rule: Rule) -> str | None:
    outside = rule.chain in {Chain.OUTPUT, Chain.NAMES, Chain.HOST}
    allowed = outside or rule.chain.startswith("JAILOC-ALLOW")
    if not allowed or rule.target is not Target.ACCEPT or rule.match is not None:
        return None
    if rule.mark is not None:
        return mark_of_name(rule.mark)
    if rule.comment == PUBLIC:
        return PASSED
    if rule.chain == Chain.HOST or rule.destination is None:
        return MACHINE_PORT
    return mark_of_network(rule.destination, rule.destination_port)
