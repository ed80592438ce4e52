"""Amounts of memory, in the notation that the engine reads."""

import re

UNIT = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
ENGINE_MAXIMUM = (1 << 63) - 1
"""Bytes; the engine counts them in 64 bits."""
ENGINE_MINIMUM = 6 << 20
"""Bytes; the engine refuses to start a container with less."""


def size(text: str) -> int | None:
    """Return the bytes of `512m`, `4g` or `1073741824`; None if it is no such text."""
    match = re.fullmatch(r"([1-9][0-9]{0,30})([kmgKMG]?)", text)
    return int(match[1]) * UNIT[match[2].lower()] if match else None
