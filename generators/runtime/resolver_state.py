"""Read what a wall's resolver knows. It reads what comes from outside, so its word is no fact."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from jailoc.model.address import written
from jailoc.model.base import Model
from jailoc.model.evidence import LATEST, MOST

LONGEST = 253
"""Characters of a name (RFC 1035)."""


def _address(text: str) -> str:
    return written(ipaddress.ip_address(text))


Name = Annotated[str, Field(max_length=LONGEST)]
Address = Annotated[str, Field(max_length=64), AfterValidator(_address)]


class RefusedName(Model):
    """A name that was not resolved."""

    count: int = Field(ge=1, le=MOST)
    last: int = Field(ge=0, le=LATEST)
    """Seconds since the epoch."""


class ResolverState(Model):
    """What a resolver wrote down last."""

    digest: str = Field(default="", max_length=128)
    names: dict[Name, tuple[Address, ...]] = Field(default_factory=dict)
    """Allowed names with the addresses that are open under them."""
    seen: dict[Address, Name] = Field(default_factory=dict)
    """Addresses with the name under which they were asked for."""
    refused: dict[Name, RefusedName] = Field(default_factory=dict)
    readable: bool = Field(default=True, exclude=True)
    """Whether it was written as a resolver writes it; nothing is known then."""

    @property
    def lost(self) -> tuple[str, ...]:
        """Return the allowed names that have no address; a wildcard never needs one."""
        return tuple(each for each, found in self.names.items() if not found and each[:2] != "*.")


def resolver_state(text: str) -> ResolverState:
    """Read it strictly: of a text in any other form nothing counts."""
    try:
        found = ResolverState.model_validate_json(text)
    except ValidationError:
        return ResolverState(readable=False)
    return found if found.readable else ResolverState(readable=False)
