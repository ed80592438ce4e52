"""The network of a workspace: how large its packets may be, and which addresses it has."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from jailoc.model.base import Model
from jailoc.model.config_values import text_of
from jailoc.model.field_error import problem
from jailoc.model.schema_patterns import BYTE, string

LEAST_MTU = 1280
"""Bytes that every link must carry (RFC 8200, section 5)."""
MOST_MTU = 65535
WIDEST, NARROWEST = 16, 29
"""Lengths of a subnet: room for the gateway and some containers, and for other networks."""
PRIVATE = tuple(
    map(
        ipaddress.IPv4Network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"),
    )
)
"""Where nobody is reached on the internet: RFC 1918, RFC 6598, RFC 2544."""


def _mtu(value: int) -> int:
    if not LEAST_MTU <= value <= MOST_MTU:
        raise problem(
            "mtu",
            f"mtu `{value}` is out of range",
            f"{LEAST_MTU} (the least that IPv6 works with) to {MOST_MTU}; a VPN has 1280 to 1450",
        )
    return value


def _subnet(value: object) -> str:
    text = text_of(value)
    allowed = f"an IPv4 network of length {WIDEST} to {NARROWEST}, such as 10.200.0.0/24"
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        raise problem(
            "subnet", f"`{text}` is no IPv4 network, or has bits of a host", allowed
        ) from None
    if "/" not in text or not WIDEST <= network.prefixlen <= NARROWEST:
        raise problem("subnet", f"`{text}` is too large or too small", allowed)
    if not any(network.subnet_of(each) for each in PRIVATE):
        raise problem(
            "subnet",
            f"`{text}` holds addresses of the internet, which the sandbox could not reach then",
            f"a network in {', '.join(map(str, PRIVATE))}",
        )
    return str(network)


Mtu = Annotated[
    int,
    AfterValidator(_mtu),
    WithJsonSchema({"type": "integer", "minimum": LEAST_MTU, "maximum": MOST_MTU}),
]
Subnet = Annotated[
    str,
    BeforeValidator(_subnet),
    string(rf"^{BYTE}\.{BYTE}\.{BYTE}\.{BYTE}/(1[6-9]|2[0-9])$"),
]


class NetworkSettings(Model):
    """What the engine is told of a workspace's network."""

    mtu: Mtu | None = Field(
        default=None,
        description="Bytes of a packet at most; by default the engine's, mostly 1500. Behind a VPN "
        "it may have to be less.",
    )
    subnet: Subnet | None = Field(
        default=None,
        description="IPv4 network of the sandbox, such as 10.200.0.0/24; by default the engine "
        "takes one of its pools.",
    )
