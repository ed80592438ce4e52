"""`explain CODE` says what the reference says, and messages end with their codes."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from jailoc.model.catalogue import CATALOGUE
from jailoc.schemas import schema
from tests.engine.world import User

PAGE = Path(__file__).parents[3] / "docs/reference/diagnostics.md"


def test_explain_prints_what_the_reference_says(user: User) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for code in ("mount-host", "port-taken", "volume-shared"):
        why, then = user.ok("explain", code).splitlines()[1:]
        row = next(each for each in page.splitlines() if each.startswith(f"| `{code}` |"))
        assert row == f"| `{code}` | {why.split('why:  ')[1]} | {then.split('then: ')[1]} |"
        data = json.loads(user.ok("explain", code, "--json"))
        jsonschema.validate(data, schema("code"))
        assert data["code"] == code


def test_a_host_of_that_name_is_asked_about_with_its_workspace(user: User) -> None:
    user.write('[workspaces.api]\nallowed_hosts = ["engine"]\n')
    assert "because of workspaces.api.allowed_hosts[0]" in user.ok("explain", "api", "engine")
    assert "because of workspaces.api.allowed_hosts[0]" in user.ok("explain", "engine", "-w", "api")


@pytest.mark.parametrize("words", [("validate",), ("explain", "nobody", "1.1.1.1")])
def test_a_message_ends_with_its_code(user: User, words: tuple[str, ...]) -> None:
    user.write('[workspaces.api]\npaths = ["/etc"]\n')
    result = user.run(*words)
    code = re.search(r"^Error: .* \[([a-z-]+)\]$", result.stderr, re.MULTILINE)
    assert code, result.stderr
    assert code[1] in CATALOGUE
