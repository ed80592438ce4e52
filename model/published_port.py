"""Ports of the sandbox that are published on this machine: their notation and their limits."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from jailoc.model.base import Model
from jailoc.model.config_values import describe
from jailoc.model.field_error import problem
from jailoc.model.sandbox import DNS_PORT, FIRST_PORT

FORMS = (
    "PORT, HOST:INSIDE, or ranges of one length, such as 3000, 8080:80, 5173-5180 and "
    "8000-8007:3000-3007"
)
MOST = 100
"""Ports of one workspace: the engine has a process for each."""
RESERVED = {
    FIRST_PORT: "the agent's server has it, which `port` publishes",
    DNS_PORT: "the resolver has it",
}
"""Ports inside the sandbox that are taken."""

_RANGE = r"([0-9]{1,5})(?:-([0-9]{1,5}))?"


class PortMapping(Model):
    """Some consecutive ports of this machine, each with a port inside, in the same order."""

    first: int
    """On 127.0.0.1 of the machine."""
    last: int
    inside: int
    """Where the first one leads."""

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Return each port of the machine with the one inside."""
        step = self.inside - self.first
        return tuple((each, each + step) for each in range(self.first, self.last + 1))

    @property
    def text(self) -> str:
        """Return it in the shortest notation.

        >>> PortMapping(first=8000, last=8001, inside=80).text
        '8000-8001:80-81'
        """
        here, there = (
            f"{first}-{first + self.last - self.first}" if self.last > self.first else f"{first}"
            for first in (self.first, self.inside)
        )
        return here if here == there else f"{here}:{there}"


def spelt(pairs: Iterable[tuple[int, int]]) -> str:
    """Spell ports of this machine with those inside, neighbours together.

    >>> spelt([(8080, 80), (3000, 3000), (5173, 5173), (5174, 5174)])
    '3000, 5173-5174, 8080:80'
    """
    return ", ".join(each.text for each in _runs(pairs))


def reached(pairs: Iterable[tuple[int, int]]) -> str:
    """Spell where ports of this machine are reached, to be copied, neighbours together.

    >>> reached([(8080, 80), (3000, 3000), (5173, 5173), (5174, 5174)])
    '127.0.0.1:3000, 127.0.0.1:5173-5174, 127.0.0.1:8080 (80 inside)'
    """
    found = []
    for each in _runs(pairs):
        here, _, there = each.text.partition(":")
        found.append(f"127.0.0.1:{here}{f' ({there} inside)' if there else ''}")
    return ", ".join(found)


def _runs(pairs: Iterable[tuple[int, int]]) -> list[PortMapping]:
    runs: list[PortMapping] = []
    for port, inside in sorted(pairs):
        last = runs[-1] if runs else None
        if last and (port, inside) == (last.last + 1, last.inside + last.last + 1 - last.first):
            runs[-1] = last.model_copy(update={"last": port})
        else:
            runs.append(PortMapping(first=port, last=port, inside=inside))
    return runs


def parse_ports(value: object) -> PortMapping:
    """Read one entry of `ports`.

    Raises:
        PydanticCustomError: it is none, or a port inside is taken.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise problem("type", f"expected a string, found {describe(value)}", FORMS)
    text = str(value)
    match = re.fullmatch(rf"{_RANGE}(?::{_RANGE})?", text)
    if not match:
        raise problem("ports", f"`{text}` is no port to publish", FORMS, _advice(text))
    first, last = _range(text, match[1], match[2])
    inside, end = _range(text, match[3], match[4]) if match[3] else (first, last)
    if last - first != end - inside:
        raise problem(
            "ports",
            f"`{text}` has {last - first + 1} on one side and {end - inside + 1} on the other",
            "two ranges of one length, or one for both sides",
        )
    if last - first >= MOST:
        raise problem(
            "ports", f"`{text}` is {last - first + 1} ports", f"at most {MOST} in a workspace"
        )
    for port, reason in RESERVED.items():
        if inside <= port <= end:
            raise problem(
                "ports-reserved",
                f"port {port} inside the sandbox cannot be published: {reason}",
                f"other ports inside than {' and '.join(map(str, sorted(RESERVED)))}",
            )
    return PortMapping(first=first, last=last, inside=inside)


def _range(text: str, low: str, high: str | None) -> tuple[int, int]:
    first, last = int(low), int(high or low)
    if not 1 <= first <= 65535 or not 1 <= last <= 65535:
        raise problem("ports", f"`{text}` names a port that there is not", "1 to 65535")
    if last < first:
        raise problem("ports", f"`{text}` ends before it begins", "FIRST-LAST")
    return first, last


def _advice(text: str) -> str | None:
    if re.search(r"/(tcp|udp|sctp)$", text):
        return "only TCP is published, so leave `/tcp` out"
    if re.match(r"(\[?[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*\]?|localhost|\*):[0-9]", text):
        return "ports are published on 127.0.0.1 and nowhere else, so no address is chosen"
    return None


Ports = Annotated[
    PortMapping,
    BeforeValidator(parse_ports),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "string",
                    "pattern": r"^[0-9]{1,5}(-[0-9]{1,5})?(:[0-9]{1,5}(-[0-9]{1,5})?)?$",
                    "not": {"pattern": rf"^(.*:)?0*({'|'.join(map(str, sorted(RESERVED)))})$"},
                },
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 65535,
                    "not": {"enum": sorted(RESERVED)},
                },
            ]
        }
    ),
]
