"""What a sandbox may reach by name: hosts, addresses and networks, with or without one port."""

import ipaddress
import re
from collections.abc import Callable, Container, Mapping
from datetime import date
from typing import TypeVar

from pydantic_core import PydanticCustomError

from jailoc.model.address import Network
from jailoc.model.base import Model
from jailoc.model.field_error import problem
from jailoc.model.special_ranges import nobody

HOST_FORMS = (
    "NAME, *.NAME, ADDRESS or [IPv6], each with :PORT or without, such as git.example.com:22"
)
NETWORK_FORMS = "ADDRESS/LENGTH or ADDRESS/LENGTH:PORT, such as 10.1.0.0/16 or [fd00:1::]/32:443"
TABLE_FORM = (
    'a table such as { to = "10.1.0.0/16", ports = [5432], why = "staging", until = 2027-01-31 }'
)
_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?"
)

_NETWORK = re.compile(r"\[([^\]]*)\]/([0-9]+)(?::([0-9]+))?|([^/]*)/([0-9]+)(?::([0-9]+))?")


class HostEntry(Model):
    """A host name, `*.` and the names below one, or a literal address.

    An entry that was only a comment has an empty name.
    """

    name: str
    ports: tuple[int, ...] = ()
    """Every port, if none is given."""
    why: str | None = None
    until: date | None = None
    """The last day, in UTC, on which it holds."""

    @property
    def address(self) -> Network | None:
        """Return the network of one that a literal address is; None for a name."""
        try:
            return ipaddress.ip_network(self.name)
        except ValueError:
            return None

    @property
    def is_name(self) -> bool:
        """Tell whether it is a name: neither a literal address nor only a comment."""
        return bool(self.name) and self.address is None


class NetworkEntry(Model):
    """A network."""

    network: Network
    ports: tuple[int, ...] = ()
    why: str | None = None
    until: date | None = None


Entry = TypeVar("Entry", HostEntry, NetworkEntry)


def network_of(entry: HostEntry | NetworkEntry) -> Network | None:
    """Return the addresses that an entry names by themselves; None for a name."""
    return entry.network if isinstance(entry, NetworkEntry) else entry.address


def holds(one: HostEntry | NetworkEntry, other: HostEntry | NetworkEntry) -> bool:
    """Tell whether an entry opens all that another one for the same place does, and as long.

    >>> holds(parse_host("a.example.com"), parse_host("A.example.com:443"))
    True
    """
    longer = one.until is None or (other.until is not None and other.until <= one.until)
    ports = not one.ports or (bool(other.ports) and {*other.ports} <= {*one.ports})
    return _place(one) == _place(other) and longer and ports


def _place(entry: HostEntry | NetworkEntry) -> Network | str:
    if isinstance(entry, NetworkEntry):
        return entry.network
    return entry.address or entry.name.lower().rstrip(".")


_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/@]*@)?([^/?#\s]+)(?:[/?#].*)?")


def _bare(text: str) -> str | None:
    """Return the host of a URL, or of a name with a path behind it; None if that is neither."""
    found = _URL.fullmatch(text.strip())
    if found is None or found[1] == text or not re.search("://|^[^/]*/$|^[^/]*/[A-Za-z]", text):
        return None
    try:
        return found[1] if parse_host(found[1]).name else None
    except PydanticCustomError:
        return None


def _as_host(text: str) -> str | None:
    """Return what to do about a URL where a host or a network belongs."""
    host = _bare(text)
    scheme = text.partition("://")[0] + "://" if "://" in text else ""
    behind = "/" if "/" in text.removeprefix(scheme) else ""
    without = " and ".join(each for each in (scheme, behind) if each)
    return f"write `{host}`, without {without}" if host else None


def _meant(name: str) -> str:
    """Return what to do about a name that is none."""
    if re.fullmatch(r"[0-9.]+", name):
        return "an address has four numbers, each up to 255, such as 10.1.2.3"
    if "*" in name:
        return "`*.` stands for all that is below a name, at its beginning alone"
    if not name.isascii():
        return "write names with other letters in their xn-- form"
    if "/" in name:
        return "networks go into allowed_networks"
    return "a name is of letters, digits, `-` and `_`, in parts of up to 63 with dots between"


def _written(text: str) -> str:
    """Return an entry of `allowed_hosts` without its comment."""
    return text.split("#", 1)[0].strip(" ")


def parted(text: str) -> str | None:
    """Return what an entry of `allowed_hosts` with a blank in it is read as; None without one.

    >>> parted("a.example.com b.example.com"), parted(" a.example.com # b")
    ('a.example.comb.example.com', None)
    """
    entry = _written(text)
    return entry.replace(" ", "") if " " in entry else None


def parse_host(text: str) -> HostEntry:
    """Read one entry of `allowed_hosts`; blanks and a `# comment` never counted.

    Raises:
        PydanticCustomError: it is neither a name nor an address.
    """
    entry = _written(text).replace(" ", "")
    if not entry:
        return HostEntry(name="")
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\]:([0-9]+)|([^:]+):([0-9]+)", entry)
    name, number = (match[1] or match[3], match[2] or match[4]) if match else (entry, None)
    ports = _ports(text, number)
    # A zone is part of one machine, not of a rule.
    literal = "%" not in name and HostEntry(name=name).address is not None and "/" not in name
    bare = name.removeprefix("*.")
    if literal or (_NAME.fullmatch(bare) and not re.fullmatch(r"[0-9.]+", bare)):
        return HostEntry(name=name, ports=ports)
    raise problem(
        "host-name",
        f"`{text}` is not a host name",
        HOST_FORMS,
        _as_host(text) or _meant(name),
    )


def parse_network(text: str) -> NetworkEntry:
    """Read one entry of `allowed_networks`.

    Raises:
        PydanticCustomError: it is no network, or it is every address there is.
    """
    entry = parse_any_network(text)
    if entry.network.prefixlen == 0:
        raise problem(
            "network-everything",
            f"`{text}` is every address there is: it would switch the firewall off",
            NETWORK_FORMS,
            "name the networks that are needed; public addresses are open without it",
        )
    return entry


def parse_any_network(text: str) -> NetworkEntry:
    """Read a network, also one that is every address there is.

    Raises:
        PydanticCustomError: it is no network.
    """
    match = re.fullmatch(
        r"\[([^\]]*)\]/([0-9]+)(?::([0-9]+))?|([^/]*)/([0-9]+)(?::([0-9]+))?", text
    )
    try:
        if not match:
            raise ValueError
        address, length = match[1] or match[4], match[2] or match[5]
        if not address or "%" in address:
            raise ValueError
        network = ipaddress.ip_network(f"{address}/{int(length)}", strict=False)
    except ValueError:
        hint = _as_host(text)
        if hint is not None:
            hint += " (it is a host, no network)"
        raise problem("network", f"`{text}` is not a network", NETWORK_FORMS, hint) from None
    return NetworkEntry(network=network, ports=_ports(text, match[3] or match[6]))


def host_bits(text: str) -> Network | None:
    """Return the network that an entry opens, if its address has bits that do not count.

    >>> host_bits("10.1.2.3/16")
    IPv4Network('10.1.0.0/16')
    >>> host_bits("10.1.0.0/16:443")

    Raises:
        PydanticCustomError: it is no network.
    """
    network = parse_network(text).network
    address = text.partition("/")[0].strip("[]")
    return None if ipaddress.ip_address(address) == network.network_address else network


LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
"""Names of whoever asks (RFC 6761, section 6.3, and what Debian puts in hosts(5))."""
_LOOPBACK = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))
METADATA_NAMES = ("metadata", "metadata.google.internal", "instance-data")


def itself(entry: HostEntry | NetworkEntry) -> bool:
    """Tell whether an entry is whoever asks: what is sent there never leaves the sandbox.

    >>> itself(parse_host("127.0.0.2:80")), itself(parse_host("db.localhost"))
    (True, True)
    >>> itself(parse_network("::1/128")), itself(parse_network("0.0.0.0/1"))
    (True, False)
    """
    if isinstance(entry, NetworkEntry) or entry.address is not None:
        network = network_of(entry)
        ends = (network.network_address, network.broadcast_address) if network is not None else ()
        return any(all(end in each for end in ends) for each in _LOOPBACK)
    return _local(entry.name.lower().rstrip(".").removeprefix("*."))


def _local(name: str) -> bool:
    return name in LOCAL_NAMES or name.endswith(".localhost")


def meaningless(entry: HostEntry | NetworkEntry, suffixes: Container[str]) -> str | None:
    """Say why an entry opens nothing that can be meant, or far too much; None if it is ordinary.

    Args:
        entry: One of `allowed_hosts` or `allowed_networks`.
        suffixes: Public suffixes: everybody can have a name below one (https://publicsuffix.org).
    """
    if isinstance(entry, NetworkEntry) or entry.address is not None:
        network = network_of(entry)
        return nobody(network) if network is not None else None
    name = entry.name.lower().rstrip(".")
    bare = name.removeprefix("*.")
    if _local(bare):
        return "is the sandbox itself (RFC 6761)"
    if bare in METADATA_NAMES:
        return "is the metadata service of a cloud, which no allowed name opens"
    if bare == "invalid" or bare.endswith(".invalid"):
        return "is a name that never resolves (RFC 6761)"
    if name != bare and bare in suffixes:
        return f"is every name there is below `{bare}`, where everybody can have one"
    return None


def parse_table(table: Mapping[str, object], parse: Callable[[str], Entry]) -> Entry:
    """Read an entry that is a table: what to open, its ports, why, and until when.

    Args:
        table: `to`, and any of `ports`, `why` and `until`.
        parse: Reads `to`, as `parse_host` or `parse_network`.

    Raises:
        PydanticCustomError: a key is unknown, missing or wrong.
    """
    unknown = sorted(table.keys() - {"to", "ports", "why", "until"})
    if unknown:
        raise problem("unknown-key", f"unknown key `{unknown[0]}`", TABLE_FORM)
    to = table.get("to")
    if not isinstance(to, str):
        raise problem("allow", "`to` is missing, or no string", TABLE_FORM)
    entry = parse(to)
    if isinstance(entry, HostEntry) and not entry.name:
        raise problem("host-name", f"`{to}` names no host", HOST_FORMS)
    ports = table.get("ports", [])
    if not isinstance(ports, list) or ("ports" in table and not ports):
        raise problem("port", "`ports` must be an array of ports", TABLE_FORM)
    for port in ports:
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
            raise problem("port", f"`{port}` is not a port", "1 to 65535")
    if ports and entry.ports:
        raise problem("allow", f"`{to}` has a port, and `ports` beside it", "one of the two")
    why = table.get("why")
    if why is not None and not isinstance(why, str):
        raise problem("type", "`why` must be a string", TABLE_FORM)
    until = table.get("until")
    if until is not None and not is_date(until):
        raise problem("allow", f"`until` is `{until}`, which is no date", TABLE_FORM)
    changes = {"ports": tuple(dict.fromkeys(ports)) or entry.ports, "why": why, "until": until}
    return entry.model_copy(update=changes)


def is_date(value: object) -> bool:
    """Tell whether a value is a day alone; a date with a time is a date, too, for Python."""
    return isinstance(value, date) and not hasattr(value, "hour")


def _ports(text: str, number: str | None) -> tuple[int, ...]:
    if number is None:
        return ()
    port = int(number) if len(number) < 6 else 0
    if not 1 <= port <= 65535:
        raise problem("port", f"`{text}` has no port between 1 and 65535", "1 to 65535")
    return (port,)


class AskedTarget(Model):
    """Something that a sandbox may reach or not: a name, or a network of one address or more."""

    text: str
    name: str
    """Empty for a network."""
    network: Network | None
    port: int | None


def parse_target(text: str) -> AskedTarget:
    """Read a host or a network, with or without a port.

    Raises:
        PydanticCustomError: it is neither.
    """
    if "/" in text:
        # Here every address there is may be asked about.
        everything = re.fullmatch(r"(0\.0\.0\.0|::)/0", text)
        if everything:
            return AskedTarget(text=text, name="", network=ipaddress.ip_network(text), port=None)
        found = parse_network(text)
        return AskedTarget(
            text=text, name="", network=found.network, port=next(iter(found.ports), None)
        )
    host = parse_host(text)
    if not host.name:
        raise problem("host-name", f"`{text}` names no host", HOST_FORMS)
    return AskedTarget(
        text=text,
        name="" if host.address else host.name,
        network=host.address,
        port=next(iter(host.ports), None),
    )
