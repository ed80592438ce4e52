"""What fuzzing has found once is not there any more, and each target can be run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import program
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


@pytest.mark.skipif(not program.apart(), reason="no network of one's own")
def test_the_resolver_as_a_program_goes_on_answering() -> None:
    done = subprocess.run(
        [sys.executable, program.__file__, "1"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("status 0\n")


@pytest.mark.skipif(not program.apart(), reason="no network of one's own")
def test_a_resolver_that_fails_is_noticed(tmp_path: Path) -> None:
    assets = tmp_path / "generators/assets"
    shutil.copytree(program.ROOT / "generators/assets", assets)
    (tmp_path / "tests/fuzz").mkdir(parents=True)
    copy = shutil.copy(program.__file__, tmp_path / "tests/fuzz")
    source = (assets / "resolver.py").read_text()
    caught = "        except dns.exception.DNSException:\n            return None"
    (assets / "resolver.py").write_text(source.replace(caught, caught.replace("dns", "json"), 1))
    done = subprocess.run(
        [sys.executable, copy, "5"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "Task exception was never retrieved" in done.stdout, done.stdout + done.stderr
    assert list((tmp_path / "build/fuzz/program").glob("found-*"))
