"""The password in a real Secret Service: gnome-keyring on a D-Bus session of the test's own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs import need

ASK = """
import json, os, sys
from pathlib import Path
from jailoc.bin.deploy import password
from jailoc.model.agents.known import DEFAULT
from jailoc.model.diagnostic import Refused
found = []
for question, mode, workspace in json.loads(sys.argv[1]):
    place = Path(os.environ["HOME"], "state")
    try:
        found.append(getattr(password, question)(mode, place, workspace, DEFAULT))
    except Refused as refused:
        found.append("refused: " + str(refused))
print(json.dumps(found))
"""
GO_ENTRY = """
import secretstorage
bus = secretstorage.dbus_init()
login = secretstorage.Collection(bus, "/org/freedesktop/secrets/collection/login")
login.create_item("Password for 'api' on 'jailoc'", {"service": "jailoc", "username": "api"}, b"go")
"""
FOREIGN_ENTRY = "import keyring; keyring.set_password('forge', 'me', 'made')"
ENTRIES = """
import json, secretstorage
bus = secretstorage.dbus_init()
found = secretstorage.search_items(bus, {"service": "jailoc"})
print(json.dumps([[each.item_path, each.get_attributes()["username"]] for each in found]))
"""
UNLOCKED = """
import secretstorage
bus = secretstorage.dbus_init()
print([each.is_locked() for each in secretstorage.get_all_collections(bus)
       if each.collection_path.endswith("/login")])
"""


@dataclass(frozen=True)
class Desktop:
    """A session of somebody without a screen."""

    home: Path
    address: str

    def python(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", script, *arguments], env=environment(self.home, self.address),
            cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, script: str, *arguments: str) -> str:
        with self.python(script, *arguments) as running:
            output = running.communicate(timeout=60)[0]
        assert running.returncode == 0
        return output

    def ask(self, *questions: tuple[str, str, str]) -> list[str]:
        found: list[str] = json.loads(self.run(ASK, json.dumps(questions)))
        return found

    def password(self, mode: str = "auto", workspace: str = "api") -> str:
        return self.ask(("password", mode, workspace))[0]

    def source(self, mode: str = "auto", workspace: str = "api") -> str:
        return self.ask(("source", mode, workspace))[0]

    def kept(self, workspace: str = "api") -> str:
        return (self.home / "state" / workspace / "password").read_text()


def environment(home: Path, address: str) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "XDG_RUNTIME_DIR": str(home),
        "DBUS_SESSION_BUS_ADDRESS": address,
    }


def owned(address: str) -> bool:
    """Tell whether somebody answers for secrets, without anybody being started for it."""
    done = subprocess.run(
        ["dbus-send", f"--bus={address}", "--dest=org.freedesktop.DBus", "--print-reply=literal",
         "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split() == ["boolean", "true"]


@contextmanager
def desktop(home: Path, unlock: str | None) -> Iterator[Desktop]:
    """Log in; with a password, the keyring that it opens is made or unlocked."""
    need("dbus-daemon", "dbus-send", "gnome-keyring-daemon")
    with subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"],
        env=environment(home, ""), cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    ) as bus:  # fmt: skip
        assert bus.stdout is not None
        address = bus.stdout.readline().strip()
        words = ["--unlock"] if unlock is not None else []
        with subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets", *words],
            env=environment(home, address), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            text=True, stderr=subprocess.DEVNULL, cwd=home,
        ) as daemon:  # fmt: skip
            try:
                assert daemon.stdin is not None
                daemon.stdin.write(unlock or "")
                daemon.stdin.close()
                here = Desktop(home, address)
                wait(lambda: owned(address))
                if unlock is not None:
                    wait(lambda: here.run(UNLOCKED).strip() == "[False]")
                yield here
            finally:
                daemon.terminate()
                bus.terminate()


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def unlocked(tmp_path: Path) -> Iterator[Desktop]:
    with desktop(tmp_path, "pw") as here:
        yield here


def test_an_unlocked_keyring_keeps_the_password(unlocked: Desktop) -> None:
    assert unlocked.source() == "none"
    first = unlocked.password()
    assert unlocked.ask(
        ("password", "auto", "api"), ("password", "keyring", "api"),
        ("source", "auto", "api"), ("source", "keyring", "api"), ("source", "keyring", "web"),
    ) == [first, first, "keyring", "keyring", "none"]  # fmt: skip
    assert unlocked.kept() == "keyring"
    ((path, user),) = json.loads(unlocked.run(ENTRIES))
    assert user == "api"
    assert path.startswith("/org/freedesktop/secrets/collection/login/")
    places = [path for path in unlocked.home.rglob("*") if path.is_file()]
    assert not any(first.encode() in path.read_bytes() for path in places)


def test_the_go_jailocs_entry_is_found(unlocked: Desktop) -> None:
    unlocked.run(GO_ENTRY)
    assert unlocked.source("keyring") == "keyring"
    assert unlocked.password() == "go"


def test_an_entry_of_somebody_elses_is_read_for_a_credential(unlocked: Desktop) -> None:
    read = "from jailoc.bin.host import keyring; print(keyring.get('me', 'forge'))"
    assert unlocked.run(read).strip() == ""
    unlocked.run(FOREIGN_ENTRY)
    assert unlocked.run(read).strip() == "made"


def test_first_runs_at_once_share_one_entry(unlocked: Desktop) -> None:
    question = json.dumps([("password", "auto", "api")])
    runs = [unlocked.python(ASK, question) for _ in range(3)]
    found = {run.communicate(timeout=60)[0] for run in runs}
    assert len(found) == 1
    assert len(json.loads(unlocked.run(ENTRIES))) == 1


def test_a_locked_keyring_gives_nothing_and_loses_nothing(tmp_path: Path) -> None:
    with desktop(tmp_path, "pw") as before:
        first = before.password()
    with desktop(tmp_path, None) as here:
        known, unsure, refused, fresh = here.ask(
            ("source", "keyring", "api"), ("source", "auto", "web"),
            ("password", "auto", "api"), ("password", "auto", "web"),
        )  # fmt: skip
        assert (known, unsure) == ("keyring", "unknown")
        assert refused.startswith("refused: the password of `api` is in the keyring")
        assert here.kept() == "keyring"
        assert here.kept("web") == fresh
    with desktop(tmp_path, "pw") as after:
        assert after.password() == first
        assert after.password("auto", "web") == fresh


def test_without_a_keyring_the_password_is_in_a_file(tmp_path: Path) -> None:
    here = Desktop(tmp_path, f"unix:path={tmp_path}/nobody")
    nothing, first, found, unsure, refused = here.ask(
        ("source", "auto", "api"), ("password", "auto", "api"), ("source", "auto", "api"),
        ("source", "keyring", "api"), ("password", "keyring", "api"),
    )  # fmt: skip
    assert (nothing, found, unsure) == ("none", "file", "unknown")
    assert here.kept() == first
    assert refused.startswith("refused: the keyring has no password of `api` to give")
