"""An organisation's rules over what sandboxes may do; they only ever tighten."""

import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from jailoc.model.address import Network
from jailoc.model.base import Model
from jailoc.model.field_error import problem
from jailoc.model.power_rules import RULES
from jailoc.model.text import meant


def _array(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _power(value: str) -> str:
    """Check the name of a power, or the `KIND.*` of all of a kind."""
    kinds = {f"{name.partition('.')[0]}.*" for name in RULES}
    if value in RULES or value in kinds:
        return value
    raise problem(
        "policy-power",
        f"`{value}` is no power",
        "one of docs/reference/powers.md, or KIND.*",
        meant(value, [*RULES, *kinds]),
    )


def _networks(value: object) -> object:
    if not isinstance(value, list):
        return value
    try:
        return tuple(ipaddress.ip_network(str(each)) for each in value)
    except ValueError as error:
        raise problem("policy-network", f"`to`: {error}", "networks such as 10.9.0.0/16") from None


_STRINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
Texts = Annotated[tuple[str, ...], BeforeValidator(_array), WithJsonSchema(_STRINGS)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_networks), WithJsonSchema(_STRINGS)]
PowerName = Annotated[
    str,
    AfterValidator(_power),
    WithJsonSchema({"enum": [*RULES, *sorted({f"{each.split('.')[0]}.*" for each in RULES})]}),
]


class PolicyRule(Model):
    """What all rules have in common: about which powers, of which workspaces, and why."""

    power: PowerName = Field(description="The power, or KIND.* for all of a kind.")
    workspaces: Texts = Field(
        default=("*",), description="Names of workspaces; * stands for anything."
    )
    why: str = Field(default="", description="A reason, which is told with the verdict.")


class Forbid(PolicyRule):
    """No workspace has such a power."""

    about: Texts = Field(
        default=("*",), description="What the power is about, such as a path; * for anything."
    )
    to: Networks = Field(
        default=(), description="For reach.network: addresses of which none may be reached."
    )


class Ask(Forbid):
    """A person has to agree to such a power."""


class Require(PolicyRule):
    """Something has to be there, or is all that may be there."""

    about: Texts = Field(
        default=(), description="For each of these a power has to be there, such as a guard."
    )
    only: Texts = Field(
        default=(), description="Every such power has to be one of these, such as an image."
    )
    until_within_days: int | None = Field(
        default=None, ge=1, description="For reach.*: every allow ends, so many days from today."
    )
    reason: bool = Field(default=False, description="For reach.*: every allow has a `why`.")


Forbids = Annotated[tuple[Forbid, ...], BeforeValidator(_array)]
Requires = Annotated[tuple[Require, ...], BeforeValidator(_array)]
Asks = Annotated[tuple[Ask, ...], BeforeValidator(_array)]


class OrganisationPolicy(Model):
    """The file."""

    forbid: Forbids = ()
    require: Requires = ()
    ask: Asks = ()
