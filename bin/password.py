"""The password of a workspace's server: made once, kept in a file that only its owner can read."""

import os
import secrets
from pathlib import Path

from jailoc.bin import store
from jailoc.model.diagnostic import refuse


def password(directory: Path, workspace: str) -> str:
    """Return the workspace's password; the first call makes it.

    Args:
        directory: Where jailoc keeps what must last.
        workspace: The workspace's name.

    Returns:
        64 hexadecimal digits from the operating system's random source, or what the file holds.

    Raises:
        Refused: the file is there but cannot be read; a new password would lock the user out of
            a running server.
    """
    path = directory / workspace / "password"
    store.make_private(path.parent)
    for _ in range(2):
        if kept := _read(path):
            return kept
        if path.exists():
            path.unlink()  # empty: nothing can have used it
        fresh = path.with_name(f".password.{secrets.token_hex(8)}")
        store.write(fresh, secrets.token_hex(32), 0o600)
        try:
            # link(2) fails where rename(2) would replace: of two first runs, one password wins.
            os.link(fresh, path)
        except FileExistsError:
            continue
        finally:
            fresh.unlink()
    kept = _read(path)
    if not kept:
        raise refuse("password", f"cannot keep a password in `{path}`")
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
