"""The key of digests that show whether two values are the same, and nothing else of them."""

import secrets as random

from jailoc.bin.config import facts
from jailoc.bin.host import files
from jailoc.generators.plan.inputs import keyed


def key() -> bytes:
    """Return the key of digests that cannot be guessed back; the first call makes it."""
    path = facts.state_directory() / "digest.key"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        files.make_private(path.parent)
    with files.locked(path.with_name("digest.key.lock"), 10):
        if not path.exists():
            files.write(path, random.token_hex(32), 0o600)
    return path.read_bytes()


def digest(value: bytes) -> str:
    """Return the keyed digest of a value, as a plan compares it."""
    return keyed(key(), value)
