"""The client in the container: which one is found, and what it is given, as its agent says."""

import subprocess
from pathlib import Path

import pytest

from jailoc.bin.attach import container_client
from jailoc.bin.engine import docker
from jailoc.model.agents.opencode1 import OPENCODE_1
from tests.agents import OTHER, PLUGIN


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let what is executed in a container be executed here."""

    def run(arguments: list[str], **_: object) -> str:
        command = arguments[arguments.index("/bin/sh") :]
        return subprocess.run(
            command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
        ).stdout

    monkeypatch.setattr(docker, "run", run)
    return tmp_path


def test_the_client_that_is_looked_for_is_the_agents(here: Path) -> None:
    for name in ("opencode", "othr"):
        (here / name).write_text("")
        (here / name).chmod(0o755)
    found = container_client.find("api", "x", OTHER)
    assert found == (str(here / "othr"), None)
    assert container_client.find("api", "x", OPENCODE_1).path == str(here / "opencode")


def test_a_program_of_the_systems_comes_before_one_on_the_path(here: Path) -> None:
    (here / "cat").write_text("")
    (here / "cat").chmod(0o755)
    found = container_client.find("api", "x", OTHER.model_copy(update={"binary": "cat"}))
    assert found.path in {"/usr/bin/cat", "/bin/cat"}


def test_the_plugins_configuration_counts_only_where_it_is(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "othr").write_text("")
    (here / "othr").chmod(0o755)
    agent = OTHER.model_copy(update={"plugin": PLUGIN})
    monkeypatch.setattr(container_client, "GENERATED", str(here))
    assert container_client.find("api", "x", agent).tui is None
    (here / "other.json").write_text("{}")
    assert container_client.find("api", "x", agent).tui == str(here / "other.json")


def test_the_password_is_read_into_the_variables_of_the_agent_and_never_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_client, "SECRETS_PLACE", str(tmp_path))
    (tmp_path / ".server-password").write_text('a b"c')
    words = container_client.command(
        "x", container_client.Inner("/usr/bin/env", None), OTHER, ("-0",), {}
    ).arguments
    command = words[words.index("/bin/sh") :]
    assert not [each for each in words if "a b" in each or "OPENCODE" in each]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=True)
    found = dict(each.split("=", 1) for each in done.stdout.split("\0") if each)
    assert (found["OTHER_KEY"], found["OLD_KEY"]) == ('a b"c', 'a b"c')
    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1"


def test_a_client_does_not_start_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_client, "SECRETS_PLACE", str(tmp_path))
    words = container_client.command(
        "x", container_client.Inner("/usr/bin/env", None), OTHER, (), {}
    ).arguments
    done = subprocess.run(
        words[words.index("/bin/sh") :], env={}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
