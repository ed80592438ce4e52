"""The ids of this machine that a user may hand out in user namespaces (subuid(5), subgid(5))."""

import pwd
from contextlib import suppress
from pathlib import Path

FILES = "/etc/subuid", "/etc/subgid"
ENOUGH = 65536
"""How many an engine without root wants (rootlesskit(1), podman(1))."""


def first(file: str, uid: int, wanted: int) -> int | None:
    """Return the first id of the first range of a user; None if it has less than wanted.

    Args:
        file: One of `FILES`.
        uid: The user, who stands there by name or number.
        wanted: How many ids have to be in the range.
    """
    names = {str(uid)}
    with suppress(KeyError):
        names.add(pwd.getpwuid(uid).pw_name)
    with suppress(OSError):
        for line in Path(file).read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, rest = line.partition(":")
            begin, _, count = rest.strip().partition(":")
            if name in names and begin.isdecimal() and count.isdecimal():
                return int(begin) if int(count) >= wanted else None
    return None
