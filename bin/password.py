"""The password of a workspace's server: made once, then found again where `password_mode` says.

The keyring is the desktop's (Secret Service, Keychain), under service `jailoc` and the workspace's
name. A file that holds only the word `keyring` says that the password is there.
"""

import os
import secrets
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from jailoc.bin import store
from jailoc.model.diagnostic import refuse

VARIABLE = "OPENCODE_SERVER_PASSWORD"
SERVICE = "jailoc"
MARKER = "keyring"
PATIENCE = 1.0
"""Seconds that a keyring may take where nobody could answer its dialog."""
LOCK_PATIENCE = 10
"""Seconds to wait for another jailoc that makes the same password."""


class _NoKeyring(Exception):  # noqa: N818 -- an answer, not a fault
    pass


def password(mode: str, directory: Path, workspace: str) -> str:
    """Return the workspace's password; the first call makes it.

    Args:
        mode: `auto`, `env`, `keyring` or `file`.
        directory: Where jailoc keeps what must last.
        workspace: The workspace's name.

    Returns:
        64 hexadecimal digits from the operating system's random source, or what was found.

    Raises:
        Refused: the place that the mode names cannot be read; a new password would lock the user
            out of a running server.
    """
    path = directory / workspace / "password"
    match mode:
        case "env":
            return _from_variable() or _refuse_variable()
        case "keyring":
            return _from_keyring(workspace, path)
        case "file":
            return _from_file(path)
    return _from_variable() or _automatic(workspace, path)


def check(mode: str) -> None:
    """Make sure that a password can be had before any long work begins.

    Raises:
        Refused: the mode is `env` and the variable is not there.
    """
    if mode == "env" and not _from_variable():
        _refuse_variable()


def _from_variable() -> str:
    return os.environ.get(VARIABLE, "")


def _refuse_variable() -> str:
    raise refuse(
        "password",
        f"password_mode is `env`, but {VARIABLE} is not set",
        hint=f"export {VARIABLE}, or choose another password_mode",
    )


def _automatic(workspace: str, path: Path) -> str:
    """Look in the keyring, then in the file; make a new one in the first that takes it."""
    kept = _read(path)
    try:
        found = _keyring_get(workspace)
    except _NoKeyring as error:
        if kept == MARKER:
            raise refuse(
                "password",
                f"the password of `{workspace}` is in the keyring, which does not answer: {error}",
                hint=f"unlock the keyring, or remove `{path}` to get a new password in a file",
            ) from None
        return _from_file(path)
    if found:
        return found
    if kept and kept != MARKER:
        return kept
    fresh = secrets.token_hex(32)
    try:
        _keyring_set(workspace, fresh)
    except _NoKeyring as error:
        if kept == MARKER:
            raise refuse(
                "password",
                f"the keyring does not take a new password of `{workspace}`: {error}",
                hint=f"remove `{path}` to get a new password in a file",
            ) from None
        return _from_file(path)
    if not kept:
        store.make_private(path.parent)
        store.write(path, MARKER, 0o600)
    return fresh


def _from_keyring(workspace: str, path: Path) -> str:
    try:
        found = _keyring_get(workspace)
        if not found:
            found = secrets.token_hex(32)
            _keyring_set(workspace, found)
    except _NoKeyring as error:
        raise refuse(
            "password",
            f"the keyring has no password of `{workspace}` to give: {error}",
            hint="unlock the keyring, or choose another password_mode",
        ) from None
    return found


def _from_file(path: Path) -> str:
    # Of two first runs, one makes the password and the other finds it.
    with store.locked(path.with_name("lock"), LOCK_PATIENCE):
        kept = _read(path)
        if not kept or kept == MARKER:
            kept = secrets.token_hex(32)
            store.write(path, kept, 0o600)
    return kept


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(
            "password",
            f"the password file `{path}` cannot be read: {error}",
            hint="make it readable, or remove it and restart the workspace",
        ) from None


def _keyring_get(workspace: str) -> str:
    """Return the entry, empty if there is none."""

    def ask() -> str:
        import keyring

        return keyring.get_password(SERVICE, workspace) or ""

    return _patiently(ask)


def _keyring_set(workspace: str, text: str) -> None:
    def tell() -> str:
        import keyring

        keyring.set_password(SERVICE, workspace, text)
        return ""

    _patiently(tell)


def _patiently(call: Callable[[], str]) -> str:
    """Ask the keyring; without a terminal nobody can answer its dialog, so it has a second.

    Raises:
        _NoKeyring: there is none, it is locked, or it does not answer.
    """
    answers: list[str] = []
    errors: list[str] = []

    def run() -> None:
        try:
            answers.append(_trusted(call))
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")

    # A call that hangs must not keep the process alive.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(None if sys.stdin.isatty() else PATIENCE)
    if answers:
        return answers[0]
    raise _NoKeyring(errors[0] if errors else f"no answer within {PATIENCE:.0f} second")


def _trusted(call: Callable[[], str]) -> str:
    """Refuse back ends that keep passwords in plain files; jailoc's own file is better guarded."""
    import keyring
    from keyring.backends import chainer, fail, null

    backend = keyring.get_keyring()
    plain = isinstance(backend, fail.Keyring | null.Keyring) or (
        isinstance(backend, chainer.ChainerBackend) and not backend.backends
    )
    if plain or "plain" in type(backend).__name__.lower():
        raise _NoKeyring("no keyring is there")
    return call()
