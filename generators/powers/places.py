"""What lies in ranges of addresses and behind ports and names, in words of the world."""

import ipaddress
from collections.abc import Iterable

from jailoc.model.address import AddressSet, Family, Network, is_single, written
from jailoc.model.power import Rank
from jailoc.model.sandbox import engines_name
from jailoc.model.special_names import METADATA_NAMES, holds, leads_anywhere
from jailoc.model.special_ranges import ENGINE_POOLS, METADATA, PUBLIC, SPECIAL

NETWORK = {Family.IPV4: 20, Family.IPV6: 56}
"""Up to this length a network may hold one that an engine gives out, whole."""
MANY = (1 << 15) + 1
"""Addresses from which on a range is a network of its own kind: more than half of a /16, so that it
stays one with some of it denied."""

_WHOLE: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(text), words)
    for text, words in (
        ("10.0.0.0/8", "the private network 10.0.0.0/8"),
        ("172.16.0.0/12", "the private network 172.16.0.0/12"),
        ("192.168.0.0/16", "the private network 192.168.0.0/16"),
        ("100.64.0.0/10", "the carriers' network 100.64.0.0/10, where Tailscale has its machines"),
        ("fc00::/7", "the private networks of IPv6"),
        ("fd00::/8", "the private networks of IPv6"),
    )
)
_KNOWN: tuple[tuple[Network, str, Rank], ...] = tuple(
    (ipaddress.ip_network(text), words, rank)
    for text, words, rank in (
        ("172.17.0.1/32", "172.17.0.1, this machine on Docker's bridge", Rank.CRITICAL),
        ("10.0.2.2/32", "10.0.2.2, this machine behind user-mode networks", Rank.CRITICAL),
        ("192.168.65.254/32", "192.168.65.254, this machine of Docker Desktop", Rank.CRITICAL),
        ("172.17.0.0/16", "Docker's default network with the machine's other containers",
         Rank.HIGH),
        ("10.96.0.1/32", "10.96.0.1, the usual API of Kubernetes", Rank.HIGH),
        ("100.100.100.100/32", "100.100.100.100, Tailscale's resolver", Rank.MEDIUM),
        ("192.168.0.1/32", "192.168.0.1, a usual router", Rank.MEDIUM),
        ("192.168.1.1/32", "192.168.1.1, a usual router", Rank.MEDIUM),
        ("10.0.0.1/32", "10.0.0.1, a usual router", Rank.MEDIUM),
    )
)  # fmt: skip
_GATEWAYS = tuple(ipaddress.ip_network(f"172.{each}.0.1/32") for each in range(18, 32))
"""Where this machine is in the networks that Docker makes for projects."""
_NOTED = 3
"""Places in a range that are told."""

PORTS = {
    21: "FTP", 22: "SSH", 23: "Telnet", 25: "mail", 53: "DNS", 80: "HTTP", 111: "NFS",
    389: "LDAP", 443: "HTTPS", 445: "Windows shares", 631: "printing", 1433: "SQL Server",
    2049: "NFS", 2375: "Docker's API: root on the machine", 2376: "Docker's API",
    2379: "etcd", 3306: "MySQL", 3389: "remote desktop", 5432: "PostgreSQL", 5672: "RabbitMQ",
    5900: "remote desktop", 6379: "Redis", 6443: "Kubernetes' API", 8200: "Vault",
    9000: "an object store", 9200: "Elasticsearch", 9222: "a browser's debugger",
    10250: "the kubelet: root on the node", 11211: "memcached", 11434: "Ollama",
    27017: "MongoDB",
}  # fmt: skip
_HANDING_OVER = {2375, 2376, 9222, 10250}
"""Ports at which whoever speaks becomes somebody else: root, or the user in their browser."""

SHARED_HOSTS = (
    "amazonaws.com", "appspot.com", "azurewebsites.net", "azureedge.net", "b-cdn.net",
    "blob.core.windows.net", "cdn.jsdelivr.net", "cloudapp.azure.com", "cloudfront.net",
    "cloudfunctions.net", "codeberg.page", "digitaloceanspaces.com", "duckdns.org", "dyndns.org",
    "fastly.net", "firebaseapp.com", "fly.dev", "gist.github.com", "gist.githubusercontent.com",
    "github.io", "gitlab.io", "glitch.me", "googleusercontent.com", "herokuapp.com",
    "hf.space", "hooks.slack.com", "loca.lt", "localhost.run", "lvh.me", "myshopify.com",
    "netlify.app", "ngrok-free.app", "ngrok.app", "ngrok.io", "nip.io", "no-ip.org",
    "oast.fun", "onrender.com", "pages.dev", "pastebin.com", "pythonanywhere.com",
    "r2.cloudflarestorage.com", "r2.dev", "raw.githubusercontent.com", "railway.app", "repl.co",
    "replit.app", "run.app", "s3.amazonaws.com", "serveo.net", "sslip.io", "storage.googleapis.com",
    "surge.sh", "translate.goog", "transfer.sh", "trycloudflare.com", "vercel.app", "web.app",
    "webhook.site", "windows.net", "workers.dev", "xip.io",
)  # fmt: skip
"""Where everybody can have a name or a page, and so an end for what leaves the sandbox."""
_PRIVATE_NAMES = (
    "corp", "home", "home.arpa", "internal", "intranet", "intra", "lan", "local", "localdomain",
    "private", "svc", "cluster.local", "docker.internal",
)  # fmt: skip


def range_rank(
    family: Family, found: AddressSet, ports: Iterable[int | None], once: AddressSet
) -> Rank:
    """Return how grave it is to reach addresses through ports.

    Args:
        family: That of the addresses.
        found: What is reached.
        ports: Through which; None is every other.
        once: What else is open through them.
    """
    special = AddressSet.networks(family, (network for network, _ in SPECIAL))
    every = set(ports)
    ranks = [Rank.MEDIUM]
    if found & AddressSet.networks(family, METADATA) or wholes(family, found, once):
        ranks.append(Rank.CRITICAL)
    ranks += [rank for _, rank in _known(family, found)]
    if are_many(family, found):
        ranks.append(Rank.HIGH)
    if every & _HANDING_OVER and found & special:
        ranks.append(Rank.HIGH)
    worst = min(ranks, key=lambda each: each.order)
    return Rank.HIGH if every <= {53} and worst is Rank.CRITICAL else worst


def are_many(family: Family, found: AddressSet) -> bool:
    """Tell whether addresses are so many that they are a network of its own kind."""
    special = AddressSet.networks(family, (network for network, _ in SPECIAL))
    public = AddressSet.networks(family, PUBLIC) - special
    return (found & special).size >= MANY or (found & public).size >= MANY << 8


def wholes(family: Family, found: AddressSet, once: AddressSet) -> list[str]:
    """Name the private networks that are now open as a whole, or for the most part."""
    words = []
    for network, text in _WHOLE:
        if network.version != family.value:
            continue
        whole = AddressSet.networks(family, (network,))
        if whole & found and (share := _share(whole, found | once)) != _share(whole, once):
            words.append(f"{share} of {text}")
    return list(dict.fromkeys(words))


def in_wholes(family: Family, found: AddressSet) -> bool:
    """Tell whether some of what is found is of a private network."""
    return any(
        network.version == family.value and AddressSet.networks(family, (network,)) & found
        for network, _ in _WHOLE
    )


def _share(whole: AddressSet, found: AddressSet) -> str:
    """Say that addresses are all or most of a network; nothing if they are less."""
    left = (whole - found).size
    return "all" if not left else "most" if left * 2 < whole.size else ""


def _known(family: Family, found: AddressSet) -> list[tuple[str, Rank]]:
    """Name the places that addresses are, or hold; a machine's own address is closed in a range."""
    known = []
    for network, text, rank in _KNOWN:
        place = AddressSet.networks(family, (network,))
        single = is_single(network)
        if network.version == family.value and not place - found and (not single or found == place):
            known.append((text, rank))
    for network in _GATEWAYS:
        if family is Family.IPV4 and found == AddressSet.networks(family, (network,)):
            address = written(network.network_address)
            known.append((f"{address}, often this machine on a network of Docker", Rank.HIGH))
    return known


def contents(family: Family, found: AddressSet, once: AddressSet) -> str:
    """Say what lies in addresses.

    Args:
        family: Theirs.
        found: The addresses that are told.
        once: What else is open.
    """
    words = [
        f"holds the metadata address {written(network.network_address)}, where a cloud hands out "
        "the machine's credentials"
        for network in METADATA
        if network.version == family.value and not AddressSet.networks(family, (network,)) - found
    ][:1]
    for text in wholes(family, found, once)[:1]:
        alone = text in wholes(family, found, AddressSet(family))
        words.append(text if alone else f"with what was open, {text}")
    words += [text for text, _ in _known(family, found)]
    if not words:
        words += [
            f"in the range {written(network)}, {text}"
            for network, text in SPECIAL
            if network.version == family.value
            and not found - AddressSet.networks(family, (network,))
        ][:1]
    return "; ".join(words[:_NOTED])


def machine_words(family: Family, network: Network) -> str:
    """Say that a range that may hold the machine does not open it."""
    near = bool(AddressSet.networks(family, (network,)) & AddressSet.networks(family, ENGINE_POOLS))
    return ", none of this machine" if near and network.prefixlen <= NETWORK[family] else ""


def port_words(port: int | None) -> str:
    """Name a port.

    >>> port_words(5432), port_words(4711), port_words(None)
    ('port 5432 (PostgreSQL)', 'port 4711', 'every port')
    """
    if port is None:
        return "every port"
    return f"port {port} ({PORTS[port]})" if port in PORTS else f"port {port}"


def machine_rank(port: int | None) -> Rank:
    """Return how grave it is to reach a port of this machine."""
    return Rank.CRITICAL if port is None or port in _HANDING_OVER else Rank.HIGH


def through(rank: Rank, ports: Iterable[int | None]) -> Rank:
    """Return how grave it is to reach somebody through ports, where nobody knows the address."""
    over = [Rank.HIGH] if any(each in _HANDING_OVER for each in ports) else []
    return min((rank, *over), key=lambda each: each.order)


def private_name(name: str) -> bool:
    """Tell whether a name is one of a private network, or of this machine."""
    bare = name.removeprefix("*.")
    return "." not in bare or any(
        bare == each or bare.endswith(f".{each}") for each in _PRIVATE_NAMES
    )


def leads_inwards(name: str) -> bool:
    """Tell whether a name, or one below it, opens more than the public internet would.

    Args:
        name: As it is compared: small letters, no final dot; `*.` for all below it.

    >>> [leads_inwards(each) for each in ("*.nip.io", "*.corp", "*.azure.com", "*.example.com")]
    [True, True, True, False]
    """
    bare = name.removeprefix("*.")
    if private_name(name) or engines_name(name) or leads_anywhere(bare) or _metadata(name):
        return True
    return name != bare and holds(bare) is not None


def _metadata(name: str) -> bool:
    """Tell whether a name is, or holds, one at which a cloud hands out credentials."""
    bare = name.removeprefix("*.")
    return any(
        bare == each or (name != bare and each.endswith(f".{bare}")) for each in METADATA_NAMES
    )


def name_words(name: str, *, public: bool) -> tuple[Rank, str]:
    """Say who decides where a name leads, and how grave that is.

    Args:
        name: As it is compared: small letters, no final dot; `*.` for all below it.
        public: Whether the public internet is open anyway.
    """
    bare = name.removeprefix("*.")
    wild = name != bare
    below = "every name below it" if wild else ""
    shared = next((each for each in SHARED_HOSTS if f".{bare}".endswith(f".{each}")), None)
    held = next((each for each in SHARED_HOSTS if wild and each.endswith(f".{bare}")), None)
    parts = bare.split(".")
    if wild and (len(parts) == 1 or _is_suffix(parts)):
        return Rank.HIGH, f"every name below `{bare}`, where everybody can have one"
    if _metadata(name):
        return Rank.HIGH, "where a cloud hands out the machine's credentials, by name"
    if engines_name(name):
        return Rank.HIGH, (
            "this machine, or the one that the engine runs in: open where it leads to an address "
            "that the wall does not know for this machine's"
        )
    if leads_anywhere(bare):
        return Rank.HIGH, "such a name leads to any address that it contains, private ones too"
    if held is not None:
        return Rank.HIGH, f"{below}, with {held}, where everybody can have a place"
    if shared is not None:
        return (Rank.HIGH if wild else Rank.MEDIUM), "; ".join(
            filter(None, (below, f"at {shared} everybody can have a place: others decide"))
        )
    if private_name(name):
        return Rank.MEDIUM, "; ".join(filter(None, ("a name of a private network", below)))
    also = "whoever controls its DNS zone can point it into private networks" if public else ""
    foreign = _decoded(bare)
    also = "; ".join(filter(None, (f"it is read as {foreign}" if foreign else "", also)))
    rank = Rank.MEDIUM if wild or foreign or not public else Rank.LOW
    return rank, "; ".join(filter(None, (below, also)))


def _decoded(name: str) -> str | None:
    """Return how a name with letters of other scripts is shown (RFC 3492), if it has any.

    >>> _decoded("xn--bcher-kva.example")
    'bücher.example'
    """
    if not any(part.startswith("xn--") for part in name.split(".")):
        return None
    try:
        return ".".join(
            part.removeprefix("xn--").encode().decode("punycode")
            if part.startswith("xn--")
            else part
            for part in name.split(".")
        )
    except UnicodeError:
        return "nothing that can be shown"


_SECOND = {"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"}


def _is_suffix(parts: list[str]) -> bool:
    """Tell whether it looks like a suffix of a country, such as co.uk (publicsuffix.org)."""
    return len(parts) == 2 and parts[0] in _SECOND and len(parts[1]) == 2
