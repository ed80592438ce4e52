"""No code but the one module that knows them writes or cuts the addresses of a plan by hand.

The type checker sees to the rest: an address is no text, cannot be compared with one, and has
nothing to be cut with.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from jailoc.model.plan_address import PlanAddress

ROOT = Path(__file__).parents[2]
HOME = "model/plan_address.py"
OTHERS = {
    ROOT / "bin/cli/grammar.py",  # it is made
    ROOT / "model/git_config.py",  # Git's own settings are called `credential.helper`
}
_WORDS = "|".join(sorted({each.WORD for each in PlanAddress.__subclasses__() if fields(each)}))
_ADDRESS = re.compile(
    # A full stop that is followed by nothing ends a sentence, unless the word is alone.
    rf"(?<![\w./-])(?:({_WORDS})\.(?!py\b)\S|firewall\.rules\b)|^({_WORDS})\.$"
)


def texts(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield every text of a module that does not document it; an f-string is one of them."""
    nodes = [*ast.walk(tree)]
    passed = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    passed |= {
        id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in nodes:
        plain = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if isinstance(node, ast.JoinedStr) or (plain and id(node) not in passed):
            assert isinstance(node, ast.expr)
            yield node


def spelt(node: ast.expr) -> str:
    """Return a text with a sign for each value that is put into it."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in parts)


def cut(node: ast.AST) -> bool:
    """Tell whether something is done to the text of an address, as in `str(x.address).split`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "str"
        and any(ast.unparse(each).split(".")[-1] == "address" for each in node.value.args)
    )


def by_hand(source: str) -> dict[int, str]:
    """Return what writes or cuts an address, by line."""
    tree = ast.parse(source)
    written = {each.lineno: spelt(each) for each in texts(tree) if _ADDRESS.search(spelt(each))}
    return written | {
        each.lineno: ast.unparse(each)
        for each in ast.walk(tree)
        if isinstance(each, ast.Attribute) and cut(each)
    }


def test_addresses_of_a_plan_are_written_and_cut_in_one_module() -> None:
    rooms = [ROOT / room for room in ("model", "generators", "bin")]
    paths = [path for room in rooms for path in room.rglob("*.py")]
    assert ROOT / HOME in paths
    found = {
        f"{path.relative_to(ROOT)}:{line}": text
        for path in paths
        if path not in {ROOT / HOME, *OTHERS}
        for line, text in by_hand(path.read_text(encoding="utf-8")).items()
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'found[f"service.{name}"] = each',
        'text.startswith("service.")',
        'text.removeprefix("file.")',
        'x = "volume." + name',
        'any(each == "firewall.rules" for each in by)',
        'say("addresses such as service.opencode.memory")',
        'say(f"look at `secret.{name}`")',
        'str(change.address).split(".", 2)',
        "str(address).partition(dot)",
    ],
)
def test_what_is_written_or_cut_by_hand_is_found(source: str) -> None:
    assert by_hand(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""Such as `service.opencode`."""',
        'name = "firewall.sh"',
        'name = "file.py"',
        'place = "/etc/service.d"',
        'say("it is in the file. Look there")',
        'say("auto, env, keyring, file.")',
        'say(f"{name} is no file.")',
        "say(str(change.address))",
        "change.address.name",
    ],
)
def test_what_is_no_address_of_a_plan_is_left(source: str) -> None:
    assert not by_hand(source)
