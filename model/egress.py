"""How far a sandbox may go when nothing is said about a destination."""

from enum import StrEnum


class Egress(StrEnum):
    """What is open without being named."""

    PUBLIC = "public"
    """The public internet."""
    ALLOWLIST = "allowlist"
    """Nothing; names that are not allowed do not even resolve."""
    NONE = "none"
    """Nothing, and nothing can be named."""
