"""Amounts as people read them: bytes, times, shares."""

import re

_BINARY = ("KiB", "MiB", "GiB")
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_AMOUNT = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?) ?([kmgtp]?)(i?)b", re.IGNORECASE)


def size_text(number: int) -> str:
    """Write bytes with one decimal, in units of 1024 and none above GiB.

    >>> size_text(1023), size_text(1536), size_text(5 << 40)
    ('1023 B', '1.5 KiB', '5120.0 GiB')
    """
    if number < 1024:
        return f"{number} B"
    power = next((each for each in (1, 2) if number < 1024 ** (each + 1)), 3)
    return f"{number / 1024**power:.1f} {_BINARY[power - 1]}"


def duration_text(seconds: int) -> str:
    """Write a time from its largest unit on; from one day on, seconds are left out.

    >>> duration_text(90061), duration_text(3661), duration_text(90), duration_text(-5)
    ('1d 1h 1m', '1h 1m 1s', '1m 30s', '0s')
    """
    left = max(seconds, 0)
    days, left = divmod(left, 86_400)
    hours, left = divmod(left, 3_600)
    minutes, left = divmod(left, 60)
    if days:
        return f"{days}d {hours}h {minutes}m"
    if hours:
        return f"{hours}h {minutes}m {left}s"
    return f"{minutes}m {left}s" if minutes else f"{left}s"


def share_text(part: float, whole: float) -> str:
    """Write a part of a whole as a percentage with one decimal; of nothing it is none."""
    return f"{part / whole * 100 if whole > 0 else 0:.1f}%"


def amount(text: str) -> int | None:
    """Return the bytes of an amount as docker prints it: `596.6MiB`, `1.2kB`, `0B`; else None."""
    match = _AMOUNT.fullmatch(text.strip())
    if not match:
        return None
    base = 1024 if match[3] else 1000
    factor: int = base ** _UNITS[match[2].lower()]
    return round(float(match[1]) * factor)
