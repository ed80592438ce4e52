"""What a sandbox may never reach, whatever is allowed: entries of `denied_hosts` and so on."""

from typing import Annotated, TypeVar

from pydantic import BeforeValidator

from jailoc.model.allow_entry import (
    HostEntry,
    NetworkEntry,
    parse_any_network,
    parse_host,
    parse_table,
)
from jailoc.model.config_values import text_of
from jailoc.model.field_error import problem
from jailoc.model.schema_patterns import HOST, HOST_NEVER, NETWORK, entry

DENIED_TABLE = 'a table such as { to = "10.1.0.0/16", ports = [22], why = "production" }'

NAME_WITH_PORT = r"^[^:#\[]*[A-Za-z_][^:#]*: *[0-9]+ *(#.*)?$"

Entry = TypeVar("Entry", HostEntry, NetworkEntry)


def parse_denied_host(value: object) -> HostEntry:
    """Read one entry of `denied_hosts`: a name is closed whole, an address may have ports.

    Raises:
        PydanticCustomError: it is neither, or a name has a port.
    """
    found = _lasting(
        parse_table(value, parse_host)
        if isinstance(value, dict)
        else parse_host(text_of(value, DENIED_TABLE))
    )
    if found.is_name and found.ports:
        raise problem(
            "deny-port",
            f"`{found.name}` is a name, which is closed by not resolving: a single port of it "
            "cannot be",
            "NAME or *.NAME without a port, or an address with one",
            "deny the network that it is in, with the port, in denied_networks",
        )
    return found


def parse_denied_network(value: object) -> NetworkEntry:
    """Read one entry of `denied_networks`; `0.0.0.0/0` and `::/0` are networks, too.

    Raises:
        PydanticCustomError: it is no network.
    """
    return _lasting(
        parse_table(value, parse_any_network)
        if isinstance(value, dict)
        else parse_any_network(text_of(value, DENIED_TABLE))
    )


def _lasting(found: Entry) -> Entry:
    if found.until is not None:
        raise problem(
            "deny", "`until` opens something by itself: what is denied has no end", DENIED_TABLE
        )
    return found


DeniedHost = Annotated[
    HostEntry,
    BeforeValidator(parse_denied_host),
    entry(HOST, *HOST_NEVER, NAME_WITH_PORT, ends=False),
]
DeniedNetwork = Annotated[
    NetworkEntry, BeforeValidator(parse_denied_network), entry(NETWORK, ends=False)
]
