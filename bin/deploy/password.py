"""The password of a workspace's server: made once, then found again where `password_mode` says.

It is in a variable, in the desktop's keyring (`vault`), or in a file. A file that holds only the
word `keyring` says that the password is there.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jailoc.bin.host import files, keyring
from jailoc.bin.host.keyring import Unavailable
from jailoc.model.agents.agent import Agent
from jailoc.model.diagnostic import Refused, refuse

MARKER = "keyring"
LOCK_PATIENCE = 10
"""Seconds to wait for another jailoc that makes the same password."""


def password(mode: str, directory: Path, workspace: str, agent: Agent) -> str:
    """Return the workspace's password; the first call makes it.

    Args:
        mode: `auto`, `env`, `keyring` or `file`.
        directory: Where jailoc keeps what must last.
        workspace: The workspace's name.
        agent: Its agent.

    Returns:
        64 hexadecimal digits from the operating system's random source, or what was found.

    Raises:
        Refused: the place that the mode names cannot be read; a new password would lock the user
            out of a running server.
    """
    path = _path(directory, workspace)
    match mode:
        case "env":
            return _from_variable(agent) or _refuse_variable(agent)
        case "keyring":
            return _from_keyring(workspace, path)
        case "file":
            return _from_file(path)
        case "auto" | "":
            return _from_variable(agent) or _automatic(workspace, path)
    raise refuse(
        "password",
        f"there is no password_mode `{mode}`",
        allowed="auto, env, keyring, file",
    )


def source(mode: str, directory: Path, workspace: str, agent: Agent) -> str:
    """Say where the workspace's password is; nothing is made, written or asked of anybody.

    Returns:
        `env`, `keyring` or `file`; `none` if there is no password yet; `unknown` if that cannot be
        told now, as with a locked keyring.
    """
    if mode not in {"file", "keyring"} and _from_variable(agent):
        return "env"
    if mode == "env":
        return "none"
    try:
        if mode != "keyring" and (kept := _read(_path(directory, workspace))):
            if kept != MARKER:
                return "file"
            # The word of an earlier run; mode `file` does not know it.
            return "none" if mode == "file" else "keyring"
        # Last, because some keyrings cannot be looked into without a dialog.
        if mode != "file" and keyring.has(workspace):
            return "keyring"
    except Refused:
        return "unknown"
    except Unavailable as error:
        return "none" if error.absent and mode != "keyring" else "unknown"
    return "none"


def peek(mode: str, directory: Path, workspace: str, agent: Agent) -> str | None:
    """Return the workspace's password where nobody has to be asked for it, and nothing is made."""
    match source(mode, directory, workspace, agent):
        case "env":
            return _from_variable(agent)
        case "file":
            return _read(_path(directory, workspace))
    return None


def kept(directory: Path, workspace: str) -> str:
    """Say where a password of the workspace is kept: `keyring`, `file`, or nowhere (empty)."""
    with suppress(Refused, Unavailable):
        if found := _read(_path(directory, workspace)):
            return "keyring" if found == MARKER else "file"
        if keyring.has(workspace):
            return "keyring"
    return ""


def forget(directory: Path, workspace: str) -> str | None:
    """Take the workspace's password out of the keyring, if it is there.

    Returns:
        Why its entry stays in the keyring, if it does.
    """
    problem = None
    if kept(directory, workspace) == "keyring":
        try:
            keyring.delete(workspace)
        except Unavailable as error:
            problem = str(error)
    return problem


def check(mode: str, agent: Agent) -> None:
    """Make sure that a password can be had before any long work begins.

    Raises:
        Refused: the mode is `env` and the variable is not there.
    """
    if mode == "env" and not _from_variable(agent):
        _refuse_variable(agent)


def unasked(mode: str, agent: Agent) -> str:
    """Return the variable that every workspace's password is taken from unasked, if it is set."""
    if mode in {"auto", ""}:
        return next((name for name in agent.passwords if os.environ.get(name)), "")
    return ""


def _path(directory: Path, workspace: str) -> Path:
    return directory / workspace / "password"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one of several first runs make the password, so that the others find it."""
    with files.locked(path.with_name("lock"), LOCK_PATIENCE):
        yield


def _from_variable(agent: Agent) -> str:
    return next((found for name in agent.passwords if (found := os.environ.get(name))), "")


def _refuse_variable(agent: Agent) -> str:
    raise refuse(
        "password",
        f"password_mode is `env`, but {agent.passwords[0]} is not set",
        hint=f"export {agent.passwords[0]}, or choose another password_mode",
    )


def _automatic(workspace: str, path: Path) -> str:
    """Look in the keyring, then in the file; make a new one in the first that takes it."""
    with _alone(path):
        kept = _read(path)
        fresh = secrets.token_hex(32)
        doing = "does not answer"
        try:
            if found := keyring.get(workspace):
                return found
            if kept and kept != MARKER:
                return kept
            doing = "has lost it and does not take a new one"
            keyring.put(workspace, fresh)
        except Unavailable as error:
            if kept == MARKER:
                raise refuse(
                    "password",
                    f"the password of `{workspace}` is in the keyring, which {doing}: {error}",
                    hint=f"unlock the keyring, or remove `{path}` to get a new password in a file",
                ) from None
            if not kept:
                files.write(path, fresh, 0o600)
            return kept or fresh
        files.write(path, MARKER, 0o600)
        return fresh


def _from_keyring(workspace: str, path: Path) -> str:
    try:
        if found := keyring.get(workspace):
            return found
        with _alone(path):
            found = keyring.get(workspace)
            if not found:
                found = secrets.token_hex(32)
                keyring.put(workspace, found)
    except Unavailable as error:
        raise refuse(
            "password",
            f"the keyring has no password of `{workspace}` to give: {error}",
            hint="unlock the keyring, or choose another password_mode",
        ) from None
    return found


def _from_file(path: Path) -> str:
    with _alone(path):
        kept = _read(path)
        if not kept or kept == MARKER:
            kept = secrets.token_hex(32)
            files.write(path, kept, 0o600)
    return kept


def _read(path: Path) -> str:
    """Return what a password file holds, empty if it holds or is nothing.

    Raises:
        Refused: it is there and cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(
            "password",
            f"the password file `{path}` cannot be read: {_why(error)}",
            hint="make it readable, or remove it and restart the workspace",
        ) from None


def _why(error: OSError | UnicodeDecodeError) -> str:
    # Python quotes the bytes that it cannot decode.
    return error.strerror or "" if isinstance(error, OSError) else "it is not UTF-8 text"
