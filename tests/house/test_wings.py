"""Inside `bin` and `generators`, too, imports go one way: from wing to wing, never in a circle."""

import ast
from collections import defaultdict
from functools import cache

import pytest

from tests.house.test_imports import ROOT, imports, sources

WINGS = {
    "bin": {
        "terminal": (),
        "host": (),
        "engine": ("host", "terminal"),
        "config": ("engine", "host", "terminal"),
        "deploy": ("config", "engine", "host", "terminal"),
        "attach": ("config", "engine", "host", "terminal"),
        "commands": ("attach", "deploy", "config", "engine", "host", "terminal"),
        "cli": ("commands", "config", "engine", "host", "terminal"),
    },
    "generators": {
        "assets": (),
        "config": ("assets",),
        "attach": ("config",),
        "artefacts": ("config", "assets"),
        "runtime": ("artefacts", "config", "assets"),
        "powers": ("runtime", "config"),
        "plan": ("powers", "runtime", "artefacts", "config"),
        "kubernetes": ("powers", "runtime", "artefacts", "config", "assets"),
        "views": ("plan", "powers", "artefacts"),
    },
}
"""Which wing may import from which. A new arrow is a decision: it is made here, and reviewed."""
MOST_ARROWS, MOST_FLOORS = 30, 8


def wing(name: str) -> tuple[str, str] | None:
    """Return room and wing of a dotted name; None if it is in no wing."""
    match name.split("."):
        case ["jailoc", room, found, *_] if room in WINGS and found in WINGS[room]:
            return room, found
    return None


@cache
def arrows(room: str) -> dict[str, dict[str, set[str]]]:
    """Return for each wing the wings that it imports from, with the modules that do."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in sources(room):
        place = path.relative_to(ROOT / room)
        if len(place.parts) == 1:
            continue
        for name in imports(path):
            target = wing(name)
            if target and target[0] == room and target[1] != place.parts[0]:
                found[place.parts[0]][target[1]].add(str(place))
    return found


@cache
def floors(room: str, start: str) -> int:
    return 1 + max((floors(room, each) for each in arrows(room)[start]), default=0)


@pytest.mark.parametrize("room", WINGS)
def test_a_wing_imports_only_from_the_wings_that_it_may(room: str) -> None:
    wrong = {
        (start, end, each)
        for start, ends in arrows(room).items()
        for end, modules in ends.items()
        for each in modules
        if end not in WINGS[room][start]
    }
    assert not wrong


@pytest.mark.parametrize("room", WINGS)
def test_what_may_be_imported_makes_no_circle(room: str) -> None:
    done: list[str] = []
    for name, ends in WINGS[room].items():
        assert set(ends) <= set(done), f"{name} imports from what stands below it in the table"
        done.append(name)


def test_the_wings_of_bin_stay_few_and_low() -> None:
    count = sum(len(ends) for ends in arrows("bin").values())
    assert count < MOST_ARROWS
    assert max(floors("bin", each) for each in WINGS["bin"]) <= MOST_FLOORS


@pytest.mark.parametrize("room", WINGS)
def test_every_folder_is_a_wing(room: str) -> None:
    folders = {each.parts[len(ROOT.parts) + 1] for each in sources(room)
               if len(each.relative_to(ROOT / room).parts) > 1}  # fmt: skip
    assert folders == set(WINGS[room])


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for room in ("model", "generators", "bin"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


MOST_LINES = 400
LONGER = {
    "bin/cli/grammar.py": "a table that is made from the declarations",
    "generators/assets/resolver.py": "one program, which runs elsewhere as one file",
}


def test_a_module_is_no_longer_than_a_few_screens() -> None:
    long = {
        str(path.relative_to(ROOT))
        for room in ("model", "generators", "bin")
        for path in sorted((ROOT / room).rglob("*.py"))
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }
    assert long == set(LONGER)
