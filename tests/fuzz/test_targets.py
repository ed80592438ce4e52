"""What fuzzing has found once is not there any more, and each target can be run."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

FOUND = Path(__file__).with_name("found")


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_seeds_and_every_beginning_of_them(name: str) -> None:
    for seed in TARGETS[name].seeds:
        for end in range(len(seed) + 1):
            TARGETS[name].run(seed[:end])


@pytest.mark.parametrize("path", sorted(FOUND.glob("*-*")), ids=lambda each: each.name)
def test_what_was_found_is_mended(path: Path) -> None:
    TARGETS[path.name.partition("-")[0]].run(path.read_bytes())
