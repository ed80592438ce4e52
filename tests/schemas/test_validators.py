"""The validator that is asked first decides as jsonschema does, and no pattern has a hole."""

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.compose_yaml import document
from jailoc.generators.artefacts.validate import quick
from jailoc.generators.config.load import load
from jailoc.generators.config.resolve import names
from jailoc.schemas import schema
from tests.golden.test_golden import CASES, GOLDEN, document_of, host_of

ODD: tuple[Any, ...] = ("", "\n", "$", None, True, 0, -1, 1.0, 1.5, 65536, 10**30, [], {}, ["\n"])
MUTANTS = 20
"""Of each golden document."""


def emitted(case: str, name: str) -> Any:
    host = host_of(GOLDEN / case)
    config = load(document_of(GOLDEN / case), host)
    bundle = compile_workspace(config, names(config)[0], host)
    data = (
        document(bundle.compose) if name == "compose" else bundle.firewall.model_dump(mode="json")
    )
    return json.loads(json.dumps(data))


def holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a document: a table or list, and the key or index in it."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from holders(value[key])


def mutate(data: Any, choose: random.Random) -> Any:
    changed = copy.deepcopy(data)
    holder, key = choose.choice(list(holders(changed)))
    match choose.randrange(5):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[f"{key}\n"] = holder.pop(key)
        case 2 | 3 if isinstance(holder[key], str):
            holder[key] = holder[key] + choose.choice(["\n", "x", "é", " "])
        case _:
            holder[key] = choose.choice(ODD)
    return changed


@pytest.mark.parametrize("name", ["compose", "firewall"])
@pytest.mark.parametrize("case", CASES)
def test_both_validators_decide_alike(case: str, name: str) -> None:
    data, choose = emitted(case, name), random.Random(case)  # noqa: S311 -- no secret
    slow = jsonschema.Draft202012Validator(schema(name))
    assert slow.is_valid(data)
    assert quick(name).is_valid(data)
    refused = 0
    for _ in range(MUTANTS):
        mutant = mutate(data, choose)
        assert quick(name).is_valid(mutant) == slow.is_valid(mutant), mutant
        refused += not slow.is_valid(mutant)
    assert refused > MUTANTS / 3, "most mutants are wrong"


def patterns(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        yield from value.get("patternProperties", {})
        for each in value.values():
            yield from patterns(each)
    elif isinstance(value, list):
        for each in value:
            yield from patterns(each)


@pytest.mark.parametrize("name", ["compose", "firewall", "diagnostics"])
def test_no_pattern_lets_a_line_break_pass_at_its_end(name: str) -> None:
    # Python's `$` stands also before a last line break, that of other languages does not.
    found = set(patterns(schema(name)))
    assert found
    assert not [each for each in found if re.search(r"\$(?!\])(?=$|[|)])", each)]
