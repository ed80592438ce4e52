"""OpenCode 1 and 2 in one workspace, one after the other: 1 is real, 2 is `opencode2.py`."""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pexpect
import pytest

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.world import ROOT, User

pytestmark = pytest.mark.engine

NAME = "majors"
IMAGE, LIAR = "jailoc-test/opencode2:2.3.2", "jailoc-test/opencode2:liar"
"""The second says that it is a 1."""
PLUGIN = "/tmp/plugin-of-the-server.ran"  # noqa: S108 -- that of the stand-in
STORY = """
import hashlib, pathlib, sqlite3
place = pathlib.Path.home() / ".local/share/opencode"
for each in sorted(place.glob("opencode*.db")):
    print(each.name, sorted(n for n, in sqlite3.connect(f"file:{each}?mode=ro", uri=True).execute(
        "select name from sqlite_master where type = 'table'")))
"""


@dataclass(frozen=True)
class Place:
    """A user, and the image that jailoc built for OpenCode 1."""

    user: User
    embedded: str

    def write(self, *lines: str) -> None:
        text = "\n".join(lines)
        self.user.write(
            f"{world.certificates()}\n[defaults]\nenable_docker = false\n[workspaces.{NAME}]\n"
            f'paths = ["~/project"]\nport = 4196\n{text}\n'
        )

    def inside(self, *command: str) -> str:
        return world.call("docker", "exec", "--user", "1000:1000", f"jailoc-{NAME}-opencode-1",
                          *command)  # fmt: skip

    def databases(self) -> str:
        return self.inside("/usr/bin/python3", "-c", STORY)


def image(name: str, embedded: str, version: str, folder: Path) -> None:
    (folder / "opencode").write_text((ROOT / "tests/engine/opencode2.py").read_text())
    (folder / "opencode").chmod(0o755)
    (folder / "Dockerfile").write_text(
        f"FROM {embedded}\nUSER root\nRUN rm -f /usr/local/bin/opencode\n"
        f"COPY opencode /usr/local/bin/opencode\nENV STAND_IN_VERSION={version}\nUSER 1000\n"
    )
    world.call("docker", "build", "--quiet", "--tag", name, str(folder))


@pytest.fixture(scope="module")
def place(hosts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start a workspace that runs OpenCode 1 and has a session's database."""
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as user:
        (user.home / "project").mkdir()
        found = Place(user, "")
        found.write()
        try:
            user.ok("up", NAME)
            embedded = world.call("docker", "inspect", "--format", "{{.Config.Image}}",
                                  f"jailoc-{NAME}-opencode-1").strip()  # fmt: skip
            image(IMAGE, embedded, "2.3.2", tmp_path_factory.mktemp("image"))
            yield Place(user, embedded)
        finally:
            world.remove(f"jailoc-{NAME}")
            world.call("docker", "rmi", "--force", IMAGE, LIAR, check=False)


def test_moving_to_2_and_back_loses_nothing_and_mixes_nothing(place: Place, tmp_path: Path) -> None:
    user = place.user
    first = place.databases()
    assert "opencode.db" in first
    assert "'v2'" not in first
    place.inside("/bin/sh", "-c", "echo kept >~/.local/share/opencode/mark")
    (row,) = json.loads(user.ok("status", NAME, "--json"))["workspaces"]
    assert re.fullmatch(r"OpenCode 1\.\d+\.\d+", row["agent"])

    place.write('opencode = "2"', f'image = "{IMAGE}"')
    # What runs is another major than what the configuration says: nobody attaches half way.
    with pexpect.spawn(sys.executable, ["-P", "-m", "jailoc.bin", "project", "--exec"],
                       env=environment(user, os.environ["PATH"]), cwd=str(user.home),
                       dimensions=(40, 1000)) as terminal:  # fmt: skip
        terminal.expect(pexpect.EOF, timeout=60)
        refused = terminal.before.decode()
        terminal.close()
        assert terminal.exitstatus == 1, refused
    assert "runs OpenCode 1." in refused
    assert "the configuration says 2" in refused
    plan = user.ok("plan", NAME)
    assert "sessions and logins of OpenCode 1 stay in their volumes" in plan
    assert f"opencode-data-{NAME}" in plan
    user.ok("up", NAME)
    (row,) = json.loads(user.ok("status", NAME, "--json"))["workspaces"]
    assert (row["agent"], row["state"], row["exposed"]) == ("OpenCode 2.3.2", "running", False)
    second = place.databases()
    assert second.startswith("opencode2.db ['v2']")
    assert "opencode.db" not in second
    assert place.inside("/bin/sh", "-c", "ls ~/.local/share/opencode") == "opencode2.db\n"

    last = attached(user, tmp_path)
    assert "jailoc -s ses_2" in last
    assert "\x1b]52" not in last
    assert "\x1b]0;a title" in last
    given = json.loads(next(each for each in last.splitlines() if each.startswith("{")))
    assert given["argv"] == ["--server", "http://127.0.0.1:4096", str(user.home / "project")]
    assert {"OPENCODE_PASSWORD", "OPENCODE_SERVER_PASSWORD"} <= set(given["names"])
    # Where the server's plugin ran: in the sandbox, and nowhere else.
    assert place.inside("/bin/sh", "-c", f"cat {PLUGIN}").strip() != (os.uname().nodename)
    assert not Path(PLUGIN).exists()

    place.write()
    user.ok("up", NAME)
    assert place.inside("cat", "/home/agent/.local/share/opencode/mark") == "kept\n"
    assert place.databases() == first


def environment(user: User, path: str, python: str = str(ROOT / ".pkg")) -> dict[str, str]:
    """Return what a user has in a terminal."""
    host = os.environ.get("DOCKER_HOST")
    return {
        "HOME": str(user.home),
        "PATH": path,
        "PYTHONPATH": python,
        "TERM": "xterm-256color",
    } | ({"DOCKER_HOST": host} if host else {})


def attached(user: User, folder: Path, python: str = str(ROOT / ".pkg")) -> str:
    """Attach in a terminal, press Return, and return all that was shown."""
    bin_ = folder / "bin"
    bin_.mkdir()
    # The one on this machine would be used, were it asked.
    (bin_ / "opencode").write_text(f"#!/bin/sh\ntouch {folder}/host-client-ran\n")
    (bin_ / "opencode").chmod(0o755)
    with pexpect.spawn(sys.executable, ["-P", "-m", "jailoc.bin", "project"],
                       env=environment(user, f"{bin_}:{os.environ['PATH']}", python),
                       cwd=str(user.home), dimensions=(40, 1000)) as terminal:  # fmt: skip
        terminal.expect_exact(b"Ask anything", timeout=60)
        shown = terminal.before
        terminal.send("\r")
        terminal.expect(pexpect.EOF, timeout=30)
        shown += terminal.before
    assert not (folder / "host-client-ran").exists()
    return str(shown.decode())


@pytest.mark.thorough
def test_what_an_image_says_that_it_has_is_checked(place: Place) -> None:
    place.write(f'image = "{IMAGE}"')
    refused = place.user.run("up", NAME)
    assert refused.status == 1
    assert "has OpenCode 2.3.2, the configuration says 1" in refused.stderr
    place.write('opencode = "2.9.0"', f'image = "{IMAGE}"')
    assert "the configuration says 2.9.0" in place.user.run("up", NAME).stderr
    place.write('opencode = "2"', f'image = "{place.embedded}"')
    assert "the configuration says 2" in place.user.run("up", NAME).stderr


@pytest.mark.thorough
def test_an_image_that_lies_is_found_out_by_its_server(place: Place, tmp_path: Path) -> None:
    image(LIAR, place.embedded, "1.18.33", tmp_path)
    place.write(f'image = "{LIAR}"')
    refused = place.user.run("up", NAME)
    assert refused.status == 1
    assert "the server answers with a page, as OpenCode 1 does" in refused.stderr


@pytest.mark.thorough
def test_sessions_are_imported_once_and_only_into_an_empty_place(place: Place) -> None:
    user = place.user
    world.remove(f"jailoc-{NAME}")
    place.write()
    user.ok("up", NAME)
    first = place.databases()
    place.inside("/bin/sh", "-c", "echo login >~/.local/share/opencode/auth.json")
    place.write('opencode = "2"', f'image = "{IMAGE}"')
    running = user.run("import-sessions", NAME, "--yes")
    assert "is running" in running.stderr
    user.ok("down", NAME)
    user.ok("import-sessions", NAME, "--yes")
    again = user.run("import-sessions", NAME, "--yes")
    assert "sessions of its own" in again.stderr
    user.ok("up", NAME)
    assert place.inside("/bin/sh", "-c", "cat ~/.local/share/opencode/auth.json") == "login\n"
    # The stand-in alters what it finds, as the real one does: only its own copy.
    assert "'v2'" in place.databases()
    place.write()
    user.ok("up", NAME)
    assert place.databases() == first


@pytest.mark.thorough
def test_the_real_opencode_2_runs_the_story_once_its_registry_has_it(place: Place) -> None:
    place.write()
    found = json.loads(place.user.ok("outdated", "--json"))
    jsonschema.validate(found, schema("outdated"))
    assert re.fullmatch(r"1\.\d+\.\d+", found["workspaces"][0]["newest"])
    place.write('opencode = "2"')
    built = place.user.run("up", NAME)
    if built.status != 0 and "404" in built.stderr:
        pytest.skip("the registry does not have OpenCode 2")
    assert built.status == 0, built.stderr[-4000:]
    assert "opencode2.db" in place.databases()


KNOWN = """
import jailoc.model.agents.known as known
from tests.agents import OTHER
known.AGENTS += (OTHER,)
known.RESERVED += OTHER.reserved
known.PASSWORDS += OTHER.passwords
known.PROTECTED += OTHER.protected
"""
"""What one more file in `model/agents`, and its name in `known`, would do."""


@pytest.mark.thorough
def test_another_agent_altogether_is_one_more_record(place: Place, tmp_path: Path) -> None:
    """Another program, route, login, directory and client, in a sandbox like any other."""
    built = tmp_path / "built"
    built.mkdir()
    (built / "othr").write_text((ROOT / "tests/engine/other_agent.py").read_text())
    (built / "othr").chmod(0o755)
    (built / "Dockerfile").write_text(
        f"FROM {place.embedded}\nUSER root\nRUN rm -f /usr/local/bin/opencode"
        " && install -d -o 1000 -g 1000 /home/agent/.local/share/other\n"
        "COPY othr /usr/local/bin/othr\nUSER 1000\n"
    )
    other = "jailoc-test/other:3.2.1"
    world.call("docker", "build", "--quiet", "--tag", other, str(built))
    (tmp_path / "sitecustomize.py").write_text(KNOWN)
    python = f"{tmp_path}:{ROOT / '.pkg'}:{ROOT}"
    user = place.user
    place.write('opencode = "3"', f'image = "{other}"')
    try:
        refused = user.run("up", NAME)
        assert "`3` is not known" in refused.stderr, "jailoc itself knows no such agent"
        plan = user.run("plan", NAME, PYTHONPATH=python)
        assert plan.status == 0, plan.stderr
        assert "Other 3.2.1" in plan.stdout
        up = user.run("up", NAME, PYTHONPATH=python)
        assert up.status == 0, up.stderr[-4000:]
        (row,) = json.loads(user.run("status", NAME, "--json", PYTHONPATH=python).stdout)[
            "workspaces"
        ]
        assert (row["agent"], row["state"]) == ("Other 3.2.1", "running")
        assert (
            place.inside("/bin/sh", "-c", "cat ~/.local/share/other/kept") == "of the other agent"
        )
        assert f"other-data-{NAME}" in world.call("docker", "volume", "ls")
        last = attached(user, tmp_path, python)
        assert "jailoc -s ses_3" in last
        assert "\x1b]52" not in last
        given = json.loads(next(each for each in last.splitlines() if each.startswith("{")))
        assert given["argv"] == ["--server", "http://127.0.0.1:4096", str(user.home / "project")]
        assert given["server"] == {"version": "3.2.1"}
        assert {"OTHER_KEY", "OLD_KEY"} <= set(given["names"])
        assert not {"OPENCODE_PASSWORD", "OPENCODE_SERVER_PASSWORD"} & set(given["names"])
    finally:
        world.remove(f"jailoc-{NAME}")
        world.call("docker", "rmi", "--force", other, check=False)
