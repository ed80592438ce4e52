"""No key of the configuration is without a power, or a reason why it has none."""

from collections.abc import Iterator

from pydantic import BaseModel

from jailoc.generators.powers import words
from jailoc.generators.powers.coverage import NONE, POWERS
from jailoc.model.config import Base, Config, Expect, Scope, Secrets, WorkspaceConfig
from jailoc.model.power import PowerKind
from jailoc.model.power_rules import RULES
from tests.review.prepared import case, names, there

BELOW: dict[str, type[BaseModel]] = {"base": Base, "secrets": Secrets, "expect": Expect}


def keys(model: type[BaseModel], at: str, but: set[str]) -> Iterator[str]:
    for name in model.model_fields:
        if name in but:
            continue
        if name in BELOW:
            yield from keys(BELOW[name], f"{at}{name}.", set())
        else:
            yield f"{at}{name}"


EVERY = {
    *keys(Config, "", {"defaults", "workspaces"}),
    *keys(Scope, "scope.", set()),
    *keys(WorkspaceConfig, "workspace.", set(Scope.model_fields)),
}


def test_every_key_has_a_power_or_a_reason() -> None:
    assert POWERS.keys() | NONE.keys() == EVERY
    assert not POWERS.keys() & NONE.keys()
    assert all(NONE.values())


def test_every_power_of_a_key_is_a_rule() -> None:
    assert {rule for rules in POWERS.values() for rule in rules} <= RULES.keys()
    assert {rule.partition(".")[0].replace("-", " ") for rule in RULES} == set(PowerKind)


def test_every_power_is_shown_by_a_prepared_pull_request() -> None:
    """But for those that only a file that was edited by hand can have."""
    by_hand = {"be.capability", "be.unconfined", "be.root", "be.device", "be.service"}
    shown = {
        finding.change.rule
        for name in names("dangerous")
        for finding in there(case("dangerous", name)).findings
    }
    assert {each for each in RULES if not each.startswith("note.")} <= shown | by_hand


def test_every_power_has_words() -> None:
    told = {name for name in RULES if name.split(".")[0] not in {"reach", "write", "read"}} | {
        "write.shared"
    }
    elsewhere = {"guard.egress", "be-reached.moved", "note.name", "note.place"}
    assert told - elsewhere == words.RULES_WITH_WORDS
