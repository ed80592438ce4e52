"""The client on the host: no interpreter of an agent on its PATH, and the server's version."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc.bin.attach import host_client
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.host import programs
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.agents.opencode1 import OPENCODE_1
from tests.engine import world


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have a client that is a script, its interpreter, and another one in a project."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    with world.home(f"client-{tmp_path.name}-{os.getpid()}") as user:
        place = user.home
        monkeypatch.setenv("HOME", str(place))
        script(place / "tools/opencode", "#!/usr/bin/env node\n")
        script(place / "tools/node", "#!/bin/sh\necho the user\n")
        script(place / "one/bin/node", "#!/bin/sh\necho the agent\n")
        (place / "link").symlink_to(place / "one/bin")
        (place / "one/out").symlink_to(place / "tools")
        monkeypatch.chdir(place / "one")
        yield place


def origin(home: Path, more: str = "") -> LoadedConfig:
    file = home / ".config/jailoc/config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(more + '[workspaces.api]\npaths = ["~/one"]\n')
    return Session(Terminal(color=False)).source()


def ran(client: str, path: str) -> str:
    return subprocess.run(
        [client], env={"PATH": path}, capture_output=True, text=True, timeout=20, check=True
    ).stdout


def test_no_interpreter_of_an_agent_runs_the_client(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = ("bin", "", ".", f"{home}/one/bin", f"{home}/tools/../one/bin", f"{home}/link",
               f"{home}/one/out", f"{home}/tools", "/usr/bin", "/bin")  # fmt: skip
    monkeypatch.setenv("PATH", os.pathsep.join(entries))
    origin(home)
    client = host_client.find(Terminal(color=False), OPENCODE_1)
    assert client == f"{home}/tools/opencode"
    assert client is not None
    assert ran(client, os.environ["PATH"]) == "the agent\n", "without this it is the agent's"
    assert programs.search_path() == f"{home}/tools:/usr/bin:/bin"
    assert ran(client, programs.search_path()) == "the user\n"


def test_a_trusted_directory_stays_on_path(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{home}/one/bin:/usr/bin")
    origin(home, 'trust = ["~/one/bin"]\n')
    assert programs.search_path() == f"{home}/one/bin:/usr/bin"


@pytest.mark.parametrize("path", ["", ".", "one/bin"])
def test_a_path_of_which_nothing_is_left_is_not_the_working_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PATH", path)
    origin(home)
    assert programs.search_path() == os.defpath


@pytest.mark.parametrize(
    ("says", "used"),
    [
        ("1.18.4", True),
        ("1.99.0", True),
        ("opencode v1.2.3", True),
        ("opencode v2.3.2", False),
        ("2.0.0", False),
        ("node 1.2.3, opencode 2.0.1", False),
        ("10.0.0", False),
        ("0.9.1", False),
        ("Usage: opencode", True),
        ("", True),
    ],
)
def test_a_client_of_another_major_version_is_passed_over(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    says: str, used: bool,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", f"{home}/tools:/usr/bin:/bin")
    script(home / "tools/opencode", f"#!/bin/sh\n[ \"$*\" = --version ] && echo '{says}'\n")
    origin(home)
    client = host_client.find(Terminal(color=False), OPENCODE_1)
    assert (client == f"{home}/tools/opencode") is used
    told = f"passing over {home}/tools/opencode: it is version"
    assert (told in capfd.readouterr().err) is not used


def test_the_next_client_of_the_servers_version_is_taken(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{home}/tools:{home}/old:/usr/bin:/bin")
    script(home / "tools/opencode", "#!/bin/sh\necho opencode v2.3.2\n")
    script(home / "old/opencode", "#!/bin/sh\necho 1.18.4\n")
    origin(home)
    assert host_client.find(Terminal(color=False), OPENCODE_1) == f"{home}/old/opencode"


def test_a_client_says_its_version_where_no_project_is_and_with_nothing_of_an_agents(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{home}/one/bin:{home}/tools:/usr/bin:/bin")
    script(home / "tools/node", f"#!/bin/sh\n{{ pwd; echo $PATH; }} >{home}/seen; echo 2.0.0\n")
    origin(home)
    assert host_client.find(Terminal(color=False), OPENCODE_1) is None
    assert (home / "seen").read_text() == f"/\n{home}/tools:/usr/bin:/bin\n"


@pytest.mark.parametrize("text", ["sleep 60", "yes 2.0.0", "exit 3"])
def test_a_client_that_never_ends_or_fails_holds_nobody_up(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(host_client, "PATIENCE", 0.5)
    script(home / "tools/opencode", f"#!/bin/sh\n{text}\n")
    assert host_client.version(f"{home}/tools/opencode", OPENCODE_1, os.environ["PATH"]) is None
