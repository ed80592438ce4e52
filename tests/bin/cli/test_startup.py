"""What has to be quick imports nothing heavy: shown by the modules that are there at the end."""

import os
import subprocess
import sys

import pytest

from tests.engine.world import ROOT, User

HEAVY = {"pydantic", "cyclopts", "jsonschema", "jsonschema_rs", "deepdiff", "rich"}
UNUSUAL = {"asyncio", "http", "keyring", "secretstorage", "ssl", "tarfile", "yaml"}
"""What is for one command, or for development."""
SCRIPT = """
import sys
from jailoc.bin.__main__ import main
sys.argv[0] = "jailoc"
try:
    main()
finally:
    sys.stderr.write("\\n" + " ".join(sorted(sys.modules)))
"""


def modules(user: User, *arguments: str, **environment: str) -> set[str]:
    """Run a command line and return the top-level modules that it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg")} | environment,
        cwd=user.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {each.partition(".")[0] for each in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "line",
    [
        "--version", "-v", "--help", "-h", "help", "help up", "up --help", "allow -h",
        "--no-color logs x --help", "completion bash", "completion zsh", "completion fish",
        "__complete ", "__complete -", "__complete up ", "__complete --workspace a",
        "__complete schema ", "__complete explain ",
    ],
)  # fmt: skip
def test_what_has_to_be_quick_imports_nothing_heavy(user: User, line: str) -> None:
    user.write('[workspaces.api]\npaths = ["~/api"]\n')
    there = modules(user, *line.split(" "))
    assert "jailoc" in there
    # Two are commands like others, and parsed.
    parsed = {"cyclopts", "inspect"} if line.startswith(("help", "completion")) else set()
    heavy = HEAVY | UNUSUAL | {"inspect", "logging", "subprocess", "tomlkit", "filelock"}
    assert there & (heavy - parsed) == set()


def test_help_with_colours_imports_nothing_heavy_either(user: User) -> None:
    there = modules(user, "--help", CLICOLOR_FORCE="1", FORCE_COLOR="1")
    assert there & HEAVY == set()


def test_a_validation_needs_no_keyring_and_no_network(user: User) -> None:
    user.write("[workspaces.api]\n")
    assert modules(user, "validate") & (UNUSUAL | {"rich", "deepdiff", "tomlkit"}) == set()


def test_what_is_rendered_is_checked_by_one_validator(user: User) -> None:
    user.write("[workspaces.api]\n")
    there = modules(user, "render", "--out", str(user.home / "out"))
    assert "jsonschema_rs" in there
    assert there & (UNUSUAL | {"jsonschema", "rich", "deepdiff", "tomlkit", "filelock"}) == set()


@pytest.mark.engine
def test_the_status_of_a_stopped_workspace_needs_no_client_library(user: User) -> None:
    user.write("[workspaces.never-started]\n")
    environment = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    there = modules(user, "status", "never-started", **environment)
    assert (
        there & (UNUSUAL | {"jsonschema", "jsonschema_rs", "rich", "deepdiff", "tomlkit"}) == set()
    )
