"""Names that are nobody's to allow for the asking: what they lead to is not what they say."""

import re
from ipaddress import IPv4Address

from jailoc.model.sandbox import ENGINE_NAMES, MACHINE, engines_name

METADATA_NAMES = (
    "metadata", "metadata.google.internal", "metadata.goog", "metadata.azure.internal",
    "metadata.azure.com", "metadata.platformequinix.com", "metadata.packet.net",
    "instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com",
)  # fmt: skip
"""Where clouds hand out the credentials of a machine."""
_ANYWHERE = (
    "1u.ms", "backname.io", "ddev.site", "fuf.me", "getxip.com", "lacolhost.com", "lndo.site",
    "local-ip.co", "local-ip.medicmobile.org", "local-ip.sh", "local.gd", "localho.st",
    "localhost.direct", "localtest.me", "lvh.me", "nip.io", "plex.direct", "rbndr.us",
    "rebind.network", "sslip.io", "traefik.me", "vcap.me", "xip.io",
)  # fmt: skip
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_CONTAINED = re.compile(rf"(?<![^.-]){_OCTET}([.-]){_OCTET}(?:\1{_OCTET}){{2}}(?![^.-])")
"""An IPv4 address in a name, with dots or hyphens between its numbers."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def holds(parent: str) -> str | None:
    """Return a name below another one that is nobody's to allow for the asking; None if none is.

    >>> holds("azure.com"), holds("io"), holds("example.com")
    ('metadata.azure.com', 'backname.io', None)
    """
    special = (*METADATA_NAMES, *_ANYWHERE, MACHINE, *ENGINE_NAMES)
    return next((each for each in special if each.endswith(f".{parent}")), None)


def leads_anywhere(name: str) -> bool:
    """Tell whether a name leads to the address that it contains, or to this machine.

    >>> leads_anywhere("10.0.0.1.nip.io"), leads_anywhere("snip.io")
    (True, False)
    """
    return any(f".{name}".endswith(f".{each}") for each in _ANYWHERE)


def unadvisable(name: str) -> str | None:
    """Say why nobody is told to allow a name that an agent asked for; None if it may be told.

    Args:
        name: As it is compared: small letters, no final dot.

    >>> unadvisable("0x7f.1"), unadvisable("a.test"), unadvisable("ec2-3-4-5-6.example.com")
    ('is read as an address', None, None)
    >>> unadvisable("ip-10-1-1-1.example.com")
    'contains an address that is not of the public internet, and may lead there'
    """
    # Whose last label is a number is an address (WHATWG URL, 3.5; inet_aton(3)).
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return "is read as an address"
    if f".{name}".endswith(".localhost"):
        return "is the sandbox itself"
    if name == MACHINE or engines_name(name):
        return "is a name of this machine, of which `host_ports` opens single ports"
    if name in METADATA_NAMES:
        return "is where a cloud hands out the machine's credentials"
    if leads_anywhere(name):
        return "leads to the address that such a name contains, private ones too"
    for found in _CONTAINED.finditer(name):
        if not IPv4Address(found[0].replace("-", ".")).is_global:
            return "contains an address that is not of the public internet, and may lead there"
    return None
