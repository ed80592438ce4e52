"""The keyring is asked with patience, and only one that guards what it is given."""

import base64
import importlib
import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from jailoc.bin.deploy.password import forget, password
from jailoc.bin.host import keyring
from jailoc.model.agents.opencode1 import OPENCODE_1
from tests.engine.world import ROOT


class Backend:
    """A back end of which the module's name is chosen."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text

    def get_password(self, service: str, user: str) -> str | None:
        assert (service, user) == ("jailoc", "api")
        return self.text

    def delete_password(self, service: str, user: str) -> None:
        assert (service, user) == ("jailoc", "api")
        assert self.text is not None, "back ends refuse to delete what is not there"
        self.text = None


def of(module: str, name: str = "Keyring") -> Backend:
    kind = type(name, (Backend,), {"__module__": module})
    made = kind("text")
    assert isinstance(made, Backend)
    return made


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = importlib.import_module("keyring")
    monkeypatch.setattr(module, "get_keyring", lambda: of("keyring.backends.macOS"))
    return module


class Person(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.Notice, "given", False)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keyring.backends.fail", "Keyring"),
        ("keyring.backends.null", "Keyring"),
        ("keyrings.alt.file", "PlaintextKeyring"),
        ("keyrings.alt.file", "EncryptedKeyring"),
        ("keyrings.cryptfile.cryptfile", "CryptFileKeyring"),
        ("somebody.elses", "PlainKeyring"),
    ],
)
def test_a_back_end_that_guards_nothing_is_no_keyring(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    monkeypatch.setattr(package, "get_keyring", lambda: of(module, name))
    for ask in (keyring.get, keyring.has):
        with pytest.raises(keyring.Unavailable, match="no keyring is there") as caught:
            ask("api")
        assert caught.value.absent


def test_of_a_chain_only_what_guards_is_asked(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    chainer = importlib.import_module("keyring.backends.chainer").ChainerBackend
    links = [of("keyrings.alt.file", "PlaintextKeyring"), of("keyring.backends.kwallet")]
    chain = type("Chain", (chainer,), {"backends": links, "priority": 1})
    monkeypatch.setattr(package, "get_keyring", chain)
    assert keyring._backend() is links[1]  # type: ignore[comparison-overlap]


@pytest.mark.usefixtures("package")
def test_a_back_end_of_another_desktop_is_read() -> None:
    assert keyring.get("api") == "text"
    assert keyring.has("api")


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        ("plain", "plain"),
        ("go-keyring-base64:" + base64.b64encode("pässword".encode()).decode(), "pässword"),
        ("go-keyring-encoded:" + b"hex".hex(), "hex"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_entry_of_the_go_jailoc_is_understood(
    monkeypatch: pytest.MonkeyPatch, stored: str | None, meant: str
) -> None:
    monkeypatch.setattr(keyring, "_backend", lambda: Backend(stored))
    assert keyring.get("api") == meant


@pytest.mark.parametrize("stored", ["go-keyring-base64:*", "go-keyring-encoded:zz",
                                    "go-keyring-encoded:ff"])  # fmt: skip
def test_an_entry_that_cannot_be_decoded_is_no_password(
    monkeypatch: pytest.MonkeyPatch, stored: str
) -> None:
    monkeypatch.setattr(keyring, "_backend", lambda: Backend(stored))
    with pytest.raises(keyring.Unavailable) as caught:
        keyring.get("api")
    assert stored.partition(":")[2] not in str(caught.value)


@pytest.mark.usefixtures("package")
def test_of_a_keyring_that_answers_at_once_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Person())
    keyring.has("api")
    keyring.get("api")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("package")
def test_without_a_terminal_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    keyring.get("api")
    assert capsys.readouterr().err == ""


class Hanging(Backend):
    """A keyring whose dialog nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def get_password(self, service: str, user: str) -> str | None:
        self.answered.wait(30)
        return "late"


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Hanging:
    backend = Hanging()
    monkeypatch.setattr(keyring, "PATIENCE", 0.05)
    monkeypatch.setattr(keyring, "_backend", lambda: backend)
    return backend


def test_a_keyring_that_hangs_is_given_up_without_a_terminal(
    hanging: Hanging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.delenv("OPENCODE_SERVER_PASSWORD", raising=False)
    kept = password("auto", tmp_path, "api", OPENCODE_1)
    hanging.answered.set()
    assert (tmp_path / "api/password").read_text() == kept != "late"


def test_a_person_has_all_the_time_they_need(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Person())
    threading.Timer(0.3, hanging.answered.set).start()
    assert keyring.get("api") == "late"


def test_it_is_said_once_that_a_keyring_is_waited_for(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Person())
    for _ in range(2):
        hanging.answered.clear()
        threading.Timer(0.3, hanging.answered.set).start()
        assert keyring.get("api") == "late"
    assert capsys.readouterr().err.count("keyring") == 1


def test_a_look_never_waits_for_a_person(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Person())
    with pytest.raises(keyring.Unavailable, match="no answer"):
        keyring.has("api")
    hanging.answered.set()


def test_a_hanging_keyring_does_not_keep_the_process(tmp_path: Path) -> None:
    script = (
        "import io, sys, threading\n"
        "from jailoc.bin.host import keyring as vault\n"
        "sys.stdin = io.StringIO()\n"
        "vault.PATIENCE = 0.05\n"
        "vault._backend = lambda: threading.Event().wait()\n"
        "try:\n    vault.get('api')\nexcept vault.Unavailable as why:\n    print(why)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          timeout=30, check=False, cwd=tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "no answer" in done.stdout


def test_an_entry_is_deleted_and_one_that_is_not_there_is_no_trouble(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = of("keyring.backends.macOS")
    monkeypatch.setattr(package, "get_keyring", lambda: backend)
    assert keyring.has("api")
    keyring.delete("api")
    assert not keyring.has("api")
    keyring.delete("api")


def test_a_password_in_a_keyring_that_hangs_is_told_to_stay(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/password").write_text("keyring")
    backend = of("keyring.backends.macOS")
    monkeypatch.setattr(package, "get_keyring", lambda: backend)
    assert forget(tmp_path, "api") is None
    assert backend.text is None
    monkeypatch.setattr(package, "get_keyring", lambda: of("keyring.backends.fail"))
    assert "no keyring is there" in str(forget(tmp_path, "api"))


LOOK = """
import sys
started = []
sys.addaudithook(
    lambda name, given: started.append(given[0]) if name == "subprocess.Popen" else None
)
if sys.argv[1:]:
    from keyring.backends import macOS
else:
    from jailoc.bin.host import keyring
    keyring.absent()
print([str(each).rpartition("/")[2] for each in started])
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has the framework")
def test_no_compiler_runs_where_a_project_may_be() -> None:
    """`ctypes` would start one in the current directory and load what it finds there."""

    def run(*words: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", LOOK, *words], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / ".pkg")},
        ).stdout.strip()  # fmt: skip

    assert run() == "[]"
    assert run("by hand") != "[]", "the library itself does"
