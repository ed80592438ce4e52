"""What a plan needs besides what is wanted and what is there."""

import hashlib
import hmac

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.power import Power, Sides

MASKED = ("environment.",)
"""Facets whose values are nobody's business."""


class Given(Model):
    """What a plan needs besides the bundle and the world."""

    config: str
    """Path of the configuration file."""
    names: tuple[str, ...]
    """All workspaces, in the order that ports follow."""
    pinned: frozenset[str] = frozenset()
    """Those whose port does not follow that order."""
    secrets: dict[str, str] = Field(default_factory=dict)
    """Keyed digests of all secrets, by name."""
    missing: tuple[str, ...] = ()
    """Secrets that have no value here."""
    credentials: dict[str, str] = Field(default_factory=dict)
    """Keyed digests of what the proxy is to hold, by the credential's name."""
    unread: tuple[str, ...] = ()
    """Credentials whose value is not known here."""
    stated: tuple[Power, ...] = ()
    """Powers that neither containers nor rules tell."""
    bare: Sides | None = None
    """A workspace of which a configuration says nothing: what a new one is compared with."""
    executes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What the host would execute by what is covered, by place in the agent's container."""
    committed: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    """What Git may write over that, by Git directory and path."""
    key: bytes = b""
    """Makes digests of values that cannot be guessed back; random, kept by the user."""
    ignore: tuple[str, ...] = ()
    """Patterns of drift that counts as noise."""
    networks: tuple[str, ...] = ()
    """The machine's addresses and networks."""
    home: str = ""
    local: bool = True
    """Whether the engine sees this machine's files."""

    def shown(self, facet: str, value: str) -> str:
        """Return the value of a facet as people may see it."""
        return f"digest {keyed(self.key, value)[:8]}" if facet.startswith(MASKED) else value


def keyed(key: bytes, value: str | bytes) -> str:
    """Return a digest that only shows whether two values are the same (RFC 2104)."""
    data = value.encode() if isinstance(value, str) else value
    return hmac.new(key, data, hashlib.sha256).hexdigest()[:16]
