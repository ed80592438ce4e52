"""Amounts of memory, in the notation that the engine reads."""

import re

from jailoc.model.field_error import problem

UNIT = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
ENGINE_MAXIMUM = (1 << 63) - 1
"""Bytes; the engine counts them in 64 bits."""
ENGINE_MINIMUM = 6 << 20
"""Bytes; the engine refuses to start a container with less."""


def size(text: str) -> int | None:
    """Return the bytes of `512m`, `4g` or `1073741824`; None if it is no such text."""
    match = re.fullmatch(r"([1-9][0-9]{0,30})([kmgKMG]?)", text)
    return int(match[1]) * UNIT[match[2].lower()] if match else None


def shorter(text: str) -> str | None:
    """Say how an amount is written that is spelt as elsewhere.

    >>> shorter("8 GiB"), shorter("lots")
    ('write `8g`', None)
    """
    unit = re.fullmatch(r"([1-9][0-9]*)\s*([kmg])(i?b)?", text.strip(), re.IGNORECASE)
    return f"write `{unit[1]}{unit[2].lower()}`" if unit else None


def memory(value: str) -> str:
    """Return a limit of memory as it was written.

    Raises:
        PydanticCustomError: it is none, or the engine cannot have it.
    """
    allowed = "digits with an optional k, m or g, such as 512m or 4g"
    amount = size(value)
    if amount is None:
        raise problem("memory", f"memory `{value}` has an invalid format", allowed, shorter(value))
    if amount > ENGINE_MAXIMUM:
        raise problem("memory", f"memory `{value}` is more than the engine can count", allowed)
    if amount < ENGINE_MINIMUM:
        raise problem(
            "memory", f"memory `{value}` is less than the engine's minimum of 6m", allowed
        )
    return value
