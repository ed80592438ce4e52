"""Host names that are allowed or denied, and which names they cover."""

import hashlib
from collections.abc import Iterator
from datetime import date

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.sandbox import MACHINE

BEGUN = 1
"""The mark of a connection that begins: what the four numbers of an earlier one opened is over."""


def covering(name: str) -> Iterator[str]:
    """Yield the keys of all patterns that cover a host name or a wildcard, itself first.

    >>> list(covering("a.b.example"))
    ['a.b.example', '*.b.example', '*.example']
    """
    asked = name.rstrip(".").lower()
    if "\\" in asked:  # a label with a dot or another odd character in it (RFC 4343, 2.1)
        return
    yield asked
    at = asked.find(".", 1)
    while at > 0:
        if asked[:at] != "*":
            yield f"*{asked[at:]}"
        at = asked.find(".", at + 1)


class NamePattern(Model):
    """A host name, or with `*.` all names below one."""

    name: str = Field(pattern=r"^(\*\.)?[A-Za-z0-9._-]{1,254}$")
    origin: str

    @property
    def key(self) -> str:
        """Return the name as it is compared: RFC 4343, without a final dot."""
        return self.name.rstrip(".").lower()

    def covers(self, name: str) -> bool:
        """Tell whether a host name is this one, or below it for a wildcard."""
        asked = name.rstrip(".").lower()
        if "\\" in asked:  # a label with a dot or another odd character in it (RFC 4343, 2.1)
            return False
        if self.key.startswith("*."):
            return asked.endswith(self.key[1:]) and len(asked) >= len(self.key)
        return asked == self.key

    def includes(self, other: "NamePattern") -> bool:
        """Tell whether every name that another pattern covers is covered by this one."""
        return other.key == self.key or self.covers(other.key.removeprefix("*."))


class ClosedName(NamePattern):
    """A host name that does not resolve in the sandbox, and that opens no address."""


class Name(NamePattern):
    """A host name that is let through at whatever addresses it has; `*.` covers all below it."""

    port: int | None = Field(default=None, ge=1, le=65535)
    until: date | None = None
    service: bool = False
    """Whether it is a service beside the agent, whose network alone can have its address."""

    @property
    def place(self) -> str:
        """Return what the kernel's lists of its addresses are called, without the family."""
        if len(self.key) <= 180:
            return self.key
        return f"sha256-{hashlib.sha256(self.key.encode()).hexdigest()}"

    @property
    def door(self) -> tuple[int, int]:
        """Return the two UDP ports that the resolver knocks with: source, and even destination.

        They follow from the name alone, so that a resolver that has not yet heard of new rules
        can never open an address under another name.
        """
        number = int.from_bytes(hashlib.sha256(f"door {self.key}".encode()).digest()[:4])
        return 1024 + (number >> 16) % 64000, 1024 + (number & 0xFFFF) % 32000 * 2

    @property
    def mark(self) -> int:
        """Return the mark of connections that this entry has opened; none of those without one."""
        text = f"mark {self.key} {self.port}"
        return max(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]), BEGUN + 1)

    def opens(self, own: bool) -> bool:
        """Tell whether it opens its addresses: those of the machine only the machine's name."""
        return not own or self.key == MACHINE
