"""The desktop's keyring (Secret Service, Keychain): entries of service `jailoc`, one a workspace.

Three answers are kept apart: here it is, there is none, and cannot look. No text of a failure holds
a password.
"""

import base64
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "jailoc"
PATIENCE = 1.0
"""Seconds that a keyring may take where nobody could answer its dialog."""
PREFIXES: dict[str, Callable[[str], bytes]] = {
    "go-keyring-base64:": lambda text: base64.b64decode(text, validate=True),
    "go-keyring-encoded:": bytes.fromhex,
}
"""How the Go jailoc's entries begin on macOS."""
PLAIN = ("keyrings.alt", "keyrings.cryptfile", "keyring.backends.fail", "keyring.backends.null")
"""Back ends that keep nothing, or keep it in files; jailoc's own file is better guarded."""


class Unavailable(Exception):  # noqa: N818 -- an answer, not a fault
    """The keyring is locked, does not answer, or is not there."""

    def __init__(self, why: str, *, absent: bool = False) -> None:
        super().__init__(why)
        self.absent = absent
        """There is none at all, so nothing can be in it."""


class Notice:
    """Whether this run has said that it waits for the keyring."""

    given: ClassVar[bool] = False


def absent() -> str:
    """Say why there is no keyring to use; empty if there is one."""
    try:
        _patiently(_backend)
    except Unavailable as error:
        return str(error)
    return ""


def get(user: str, service: str = SERVICE) -> str:
    """Return an entry, empty if there is none.

    Args:
        user: The workspace, for an entry of jailoc's own.
        service: Whose entry it is.

    Raises:
        Unavailable: nobody can tell.
    """
    return _patiently(lambda: _plain(_backend().get_password(service, user) or ""))


def put(workspace: str, text: str) -> None:
    """Make or replace an entry.

    Raises:
        Unavailable: it is not taken.
    """
    _patiently(lambda: _backend().set_password(SERVICE, workspace, text))


def delete(workspace: str) -> None:
    """Remove an entry; one that is not there does no harm.

    Raises:
        Unavailable: it cannot be removed.
    """

    def remove() -> None:
        backend = _backend()
        if backend.get_password(SERVICE, workspace):
            backend.delete_password(SERVICE, workspace)

    _patiently(remove)


def has(workspace: str) -> bool:
    """Tell whether there is an entry, without a dialog where that can be avoided.

    The Secret Service finds entries of a locked keyring, too. Elsewhere the entry is read.

    Raises:
        Unavailable: nobody can tell.
    """

    def look() -> bool:
        backend = _backend()
        if type(backend).__module__ != "keyring.backends.SecretService":
            return bool(backend.get_password(SERVICE, workspace))
        import secretstorage

        with closing(secretstorage.dbus_init()) as bus:
            entry = {"service": SERVICE, "username": workspace}
            if any(True for _ in secretstorage.search_items(bus, entry)):
                return True
            locked = any(each.is_locked() for each in secretstorage.get_all_collections(bus))
        if locked:
            raise Unavailable("it is locked")
        return False

    return _patiently(look, alone=True)


def _patiently(call: Callable[[], T], *, alone: bool = False) -> T:
    """Ask the keyring; it has a second where nobody can answer its dialog.

    Args:
        call: The question.
        alone: Nobody is to be bothered, even if somebody is there.
    """
    answers: list[T] = []
    failures: list[Unavailable] = []

    def run() -> None:
        try:
            answers.append(call())
        except Unavailable as error:
            failures.append(error)
        except Exception as error:
            failures.append(Unavailable(f"{type(error).__name__}: {error}"))

    # A call that hangs must not keep the process alive.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive() and sys.stdin.isatty() and not alone:
        if not Notice.given:
            Notice.given = True
            sys.stderr.write(
                "the system's keyring does not answer yet: it may want to be unlocked\n"
            )
            sys.stderr.flush()
        thread.join()
    if answers:
        return answers[0]
    raise failures[0] if failures else Unavailable(f"no answer within {PATIENCE:.0f} second")


def _backend() -> "KeyringBackend":
    """Return the first back end that guards what it is given.

    Raises:
        Unavailable: there is none.
    """
    if sys.platform != "darwin":
        # To look for a framework of macOS, `ctypes` would run a compiler and a linker here; what a
        # project holds could be what they find, and would be loaded.
        modules: dict[str, Any] = sys.modules
        modules.setdefault("keyring.backends.macOS.api", None)
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    every = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    for each in every:
        name = f"{type(each).__module__}.{type(each).__name__}"
        if not name.startswith(PLAIN) and "plain" not in name.lower():
            return _login(each)
    raise Unavailable("no keyring is there", absent=True)


def _login(backend: "KeyringBackend") -> "KeyringBackend":
    """Let the Secret Service look where the Go jailoc does: in `login`, else in the default."""
    if type(backend).__module__ == "keyring.backends.SecretService":
        import secretstorage

        with closing(secretstorage.dbus_init()) as bus:
            for each in secretstorage.get_all_collections(bus):
                if each.collection_path.endswith("/collection/login"):
                    return backend.with_properties(preferred_collection=each.collection_path)
    return backend


def _plain(text: str) -> str:
    """Undo how the Go jailoc writes entries on macOS."""
    for prefix, decode in PREFIXES.items():
        if text.startswith(prefix):
            try:
                return decode(text.removeprefix(prefix)).decode()
            except ValueError:
                raise Unavailable("the entry is not what it says it is") from None
    return text
