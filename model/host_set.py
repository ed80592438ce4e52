"""Sets of hosts that are allowed by one word: `@NAME` in `allow`, the hosts in `[sets.NAME]`."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from jailoc.model.allow_entry import is_date
from jailoc.model.base import Model
from jailoc.model.config_values import AllowedHost, Array, describe, text_of
from jailoc.model.field_error import problem
from jailoc.model.schema_patterns import string

NAME = "[a-z0-9][a-z0-9-]{0,39}"
"""Of a set: short, since rules say which one they come from."""
_MARK = re.compile(r" \(set (?P<name>[a-z0-9-]+)[^)]*\)$")


def origin_of(place: str, name: str, day: date | None) -> str:
    """Say where a host of a set comes from: the entry that names the set, and the set.

    >>> origin_of("workspaces.api.allow[0]", "github", date(2026, 11, 26))
    'workspaces.api.allow[0] (set github of 2026-11-26)'
    """
    return f"{place} (set {name}{f' of {day}' if day else ''})"


def entry_of(origin: str) -> str:
    """Return the entry of an origin, without the set."""
    return _MARK.sub("", origin)


def set_of(origin: str) -> str | None:
    """Return the set that an origin names, if it names one."""
    found = _MARK.search(origin)
    return found["name"] if found else None


def _reference(value: object) -> str:
    text = text_of(value)
    if not re.fullmatch(f"@{NAME}", text):
        raise problem(
            "set-name",
            f"`{text}` is not the name of a set",
            "@ and lower-case letters, digits and hyphens, such as @github",
            "hosts go into allowed_hosts, networks into allowed_networks",
        )
    return text.removeprefix("@")


def _name(value: str) -> str:
    if not re.fullmatch(NAME, value):
        raise problem(
            "set-name",
            f"`{value}` is not the name of a set",
            "lower-case letters, digits and hyphens, at most 40, without the @",
        )
    return value


def _date(value: object) -> object:
    if value is not None and not is_date(value):
        raise problem("type", f"expected a date, found {describe(value)}", "2027-01-31")
    return value


SetReference = Annotated[str, BeforeValidator(_reference), string(f"^@{NAME}$")]
SetName = Annotated[str, AfterValidator(_name)]


class HostSet(Model):
    """Hosts that are allowed together."""

    about: str = Field(default="", description="What they are, for those who read it.")
    as_of: Annotated[date | None, BeforeValidator(_date), WithJsonSchema({})] = Field(
        default=None, description="The day on which they were looked at, as 2026-11-26."
    )
    hosts: Annotated[tuple[AllowedHost, ...], Array] = Field(
        default=(), description="Host names or addresses, as in allowed_hosts."
    )
