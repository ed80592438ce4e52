"""What the documentation says is tested, is: every test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECURITY = ROOT / "docs/explanation/security.md"


def named_tests() -> set[str]:
    return {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def rows() -> list[list[str]]:
    lines = SECURITY.read_text(encoding="utf-8").partition("## What it does not stop")[0]
    cells = [line.strip("|").split("|") for line in lines.splitlines() if line.startswith("|")]
    return [each for each in cells if len(each) == 3 and "---" not in each[0]]


def test_every_line_of_the_security_page_names_tests_that_exist() -> None:
    known = named_tests()
    named = 0
    for attack, _, tested in rows():
        if attack.strip().startswith("Attack"):
            continue
        claims = re.findall(r"`([^`]+)`", tested)
        assert claims, attack
        for claim in claims:
            assert claim in known or (ROOT / claim).exists(), claim
            named += 1
    assert named > 40


def test_every_attack_that_is_tested_is_on_the_security_page() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    attacks = (ROOT / "tests/engine/test_attacks.py").read_text(encoding="utf-8")
    without = {
        "test_a_wall_falls_back_to_the_legacy_tools",
        "test_a_kernel_that_cannot_hold_names_keeps_them_closed_and_says_so",
    }
    names = set(re.findall(r"^def (test_\w+)", attacks, re.MULTILINE)) - without
    assert [each for each in sorted(names) if each not in text] == []
