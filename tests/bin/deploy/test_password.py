"""Passwords are made once, kept where `password_mode` says, and never guessed anew."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from jailoc.bin.deploy import password as module
from jailoc.bin.host import keyring as vault
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.diagnostic import Refused
from tests.engine import world
from tests.engine.world import User

password = partial(module.password, agent=OPENCODE_1)
source = partial(module.source, agent=OPENCODE_1)
VARIABLE = "OPENCODE_SERVER_PASSWORD"


class Keyring:
    """A keyring that can be locked or hang; the real ones cannot be made to on command."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.broken: Callable[[], None] = lambda: None
        self.full: Callable[[], None] = lambda: None
        self.calls = 0

    def get_password(self, service: str, user: str) -> str | None:
        self.calls += 1
        self.broken()
        return self.entries.get((service, user))

    def set_password(self, service: str, user: str, text: str) -> None:
        self.calls += 1
        self.broken()
        self.full()
        self.entries[service, user] = text


def locked() -> None:
    raise RuntimeError("locked")


@pytest.fixture(autouse=True)
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    fake = Keyring()
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(vault, "_backend", lambda: fake)
    return fake


def test_a_file_password_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = password("file", tmp_path, "api")
    assert len(first) == 64
    assert int(first, 16) >= 0
    assert password("file", tmp_path, "api") == first
    assert password("file", tmp_path, "web") != first
    file = tmp_path / "api/password"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in file.parent.iterdir()} == {"password", "lock"}


@pytest.mark.parametrize("mode", ["file", "auto", "keyring"])
def test_first_runs_at_once_get_one_password(tmp_path: Path, mode: str) -> None:
    found: list[str] = []
    barrier = threading.Barrier(8)

    def first() -> None:
        barrier.wait()
        found.append(password(mode, tmp_path, "api"))

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {password(mode, tmp_path, "api")}


@pytest.mark.parametrize("text", ["", " \n", "keyring"])
def test_a_file_without_a_password_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/password").write_text(text)
    kept = password("file", tmp_path, "api")
    assert len(kept) == 64
    assert password("file", tmp_path, "api") == kept


def test_an_unreadable_password_file_is_an_error_not_a_new_password(tmp_path: Path) -> None:
    (tmp_path / "api/password").mkdir(parents=True)
    for mode in ("file", "auto"):
        with pytest.raises(Refused, match="cannot be read"):
            password(mode, tmp_path, "api")


def test_no_error_of_a_file_quotes_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/password").write_bytes(b"hunter2\xff")
    with pytest.raises(Refused, match="not UTF-8") as caught:
        password("file", tmp_path, "api")
    assert "hunter2" not in str(caught.value.diagnostics)


def test_the_variable_comes_first_and_nothing_is_kept(
    keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "mine ")
    assert password("auto", tmp_path, "api") == "mine "
    assert password("env", tmp_path, "api") == "mine "
    assert keyring.calls == 0
    assert list(tmp_path.iterdir()) == []


def test_mode_env_without_the_variable_is_refused_early(tmp_path: Path) -> None:
    for call in (lambda: module.check("env", OPENCODE_1), lambda: password("env", tmp_path, "api")):
        with pytest.raises(Refused, match="OPENCODE_SERVER_PASSWORD is not set"):
            call()


def test_mode_env_without_the_variable_fails_before_docker_is_asked(user: User) -> None:
    user.write('password_mode = "env"\n[workspaces.default]\n')
    result = user.run("up", PATH="/nowhere")
    assert result.status == 1
    assert "OPENCODE_SERVER_PASSWORD is not set" in result.stderr
    assert "Docker" not in result.stderr


@pytest.mark.parametrize(
    ("mode", "told"), [("", True), ("auto", True), ("env", False), ("file", False)]
)
def test_a_password_of_all_workspaces_is_told_where_nobody_chose_it(mode: str, told: bool) -> None:
    with world.home("chosen") as user:
        (user.home / "api").mkdir()
        user.write(f'password_mode = "{mode}"\n[workspaces.api]\npaths = ["~/api"]\n')
        nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
        for given, expected in (({VARIABLE: "own"}, told), ({}, False)):
            result = user.run("up", "api", **nowhere, **given)
            assert result.status == 1
            assert (f"`{VARIABLE}` of your environment becomes" in result.stderr) == expected


def test_automatic_prefers_the_keyring_and_marks_it(keyring: Keyring, tmp_path: Path) -> None:
    first = password("auto", tmp_path, "api")
    assert keyring.entries == {("jailoc", "api"): first}
    assert (tmp_path / "api/password").read_text() == "keyring"
    assert password("auto", tmp_path, "api") == first


def test_automatic_without_a_keyring_keeps_a_file(keyring: Keyring, tmp_path: Path) -> None:
    keyring.broken = locked
    first = password("auto", tmp_path, "api")
    assert (tmp_path / "api/password").read_text() == first
    assert password("auto", tmp_path, "api") == first


def test_automatic_with_a_file_leaves_the_keyring_alone(keyring: Keyring, tmp_path: Path) -> None:
    kept = password("file", tmp_path, "api")
    assert password("auto", tmp_path, "api") == kept
    assert keyring.entries == {}


def test_a_deleted_entry_of_the_keyring_is_made_anew(keyring: Keyring, tmp_path: Path) -> None:
    first = password("auto", tmp_path, "api")
    keyring.entries.clear()
    second = password("auto", tmp_path, "api")
    assert second != first
    assert keyring.entries == {("jailoc", "api"): second}


def test_a_keyring_that_is_locked_now_is_an_error_not_a_new_password(
    keyring: Keyring, tmp_path: Path
) -> None:
    password("auto", tmp_path, "api")
    keyring.broken = locked
    with pytest.raises(Refused, match="does not answer") as caught:
        password("auto", tmp_path, "api")
    assert str(tmp_path / "api/password") in str(caught.value.diagnostics[0].hint)


def test_an_entry_that_cannot_be_made_anew_names_the_file_to_remove(
    keyring: Keyring, tmp_path: Path
) -> None:
    password("auto", tmp_path, "api")
    keyring.entries.clear()
    keyring.full = locked
    with pytest.raises(Refused, match="has lost it and does not take a new one") as caught:
        password("auto", tmp_path, "api")
    assert str(tmp_path / "api/password") in str(caught.value.diagnostics[0].hint)
    assert (tmp_path / "api/password").read_text() == "keyring"


def test_a_keyring_that_takes_nothing_is_passed_over(keyring: Keyring, tmp_path: Path) -> None:
    keyring.full = locked
    kept = password("auto", tmp_path, "api")
    assert (tmp_path / "api/password").read_text() == kept
    assert keyring.entries == {}


def test_mode_keyring_needs_one_and_writes_no_password(keyring: Keyring, tmp_path: Path) -> None:
    first = password("keyring", tmp_path, "api")
    assert password("keyring", tmp_path, "api") == first
    assert {path.name for path in (tmp_path / "api").iterdir()} == {"lock"}
    keyring.broken = locked
    with pytest.raises(Refused, match="locked"):
        password("keyring", tmp_path, "api")


def test_an_unknown_mode_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no password_mode `secret`"):
        password("secret", tmp_path, "api")
    assert keyring.calls == 0


@pytest.mark.parametrize(
    ("mode", "variable", "file", "entry", "found"),
    [
        ("auto", "x", "y", "z", "env"),
        ("auto", "", "y", "z", "file"),
        ("auto", "", "keyring", "z", "keyring"),
        ("auto", "", "keyring", None, "keyring"),
        ("auto", "", "", "z", "keyring"),
        ("auto", "", "", None, "none"),
        ("", "", "y", None, "file"),
        ("env", "x", "y", "z", "env"),
        ("env", "", "y", "z", "none"),
        ("keyring", "x", "y", "z", "keyring"),
        ("keyring", "x", "y", None, "none"),
        ("file", "x", "y", "z", "file"),
        ("file", "x", "keyring", "z", "none"),
        ("file", "x", " ", "z", "none"),
    ],
)
def test_the_source_is_found_in_the_order_variable_file_keyring(
    keyring: Keyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    variable: str,
    file: str,
    entry: str | None,
    found: str,
) -> None:
    monkeypatch.setenv(VARIABLE, variable)
    if file:
        (tmp_path / "api").mkdir()
        (tmp_path / "api/password").write_text(file)
    if entry is not None:
        keyring.entries["jailoc", "api"] = entry
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.setattr(keyring, "set_password", lambda *_: pytest.fail("written"))
    assert source(mode, tmp_path, "api") == found
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    looked = mode == "keyring" or (mode == "auto" and not variable and not file)
    assert keyring.calls == (1 if looked else 0)


def test_no_password_and_cannot_look_are_told_apart(keyring: Keyring, tmp_path: Path) -> None:
    keyring.broken = locked
    assert source("auto", tmp_path, "api") == "unknown"
    assert source("keyring", tmp_path, "api") == "unknown"
    assert source("env", tmp_path, "api") == "none"
    (tmp_path / "api/password").mkdir(parents=True)
    assert source("file", tmp_path, "api") == "unknown"


def test_where_there_is_no_keyring_there_is_no_password_in_it(
    keyring: Keyring, tmp_path: Path
) -> None:
    def absent() -> None:
        raise vault.Unavailable("no keyring is there", absent=True)

    keyring.broken = absent
    assert source("auto", tmp_path, "api") == "none"
    assert source("keyring", tmp_path, "api") == "unknown"


def test_no_error_of_a_keyring_shows_a_password(keyring: Keyring, tmp_path: Path) -> None:
    first = password("keyring", tmp_path, "api")
    keyring.broken = locked
    with pytest.raises(Refused) as caught:
        password("keyring", tmp_path, "api")
    assert first not in str(caught.value.diagnostics)
