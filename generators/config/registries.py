"""Where package clients fetch from: the hosts in the text of their own configuration.

Read are npm's `npmrc` (npmrc(5)), pip's `pip.conf` (https://pip.pypa.io, "Configuration"), apt's
`sources.list` and `*.sources` (sources.list(5)), and cargo's `config.toml` ("Configuration" and
"Source Replacement" of the Cargo book). What a client uses without being told stands in none of
them, and is not known here.
"""

import configparser
import re
import tomllib
from collections.abc import Callable, Iterator

CLIENTS = ("npm", "pip", "apt", "cargo")
_URL = re.compile(
    r"(?P<scheme>https?)://([^\s/?#@]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(:(?P<port>[0-9]{0,5}))?([/?#]|$)"
)
_PORTS = {"https": 443, "http": 80}


def door(url: str) -> str | None:
    """Return the host and port of a URL, as `allowed_hosts` has them; None if it has none.

    >>> door("https://alice@mirror.example.com/simple/")
    'mirror.example.com:443'
    >>> door("file:///srv/wheels")
    """
    found = _URL.match(url.strip().strip("\"'").removeprefix("sparse+"))
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else _PORTS[found["scheme"]]
    return f"{found['host'].lower()}:{port}" if 1 <= port <= 65535 else None


def npm(text: str) -> Iterator[str]:
    """Yield the registries of an npmrc, those of scopes too."""
    for line in text.splitlines():
        key, equals, value = (each.strip() for each in line.partition("="))
        if equals and not key.startswith((";", "#")) and re.fullmatch("(@[^:]+:)?registry", key):
            yield value


def pip(text: str) -> Iterator[str]:
    """Yield the indexes of a pip.conf."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        for key in ("index-url", "extra-index-url", "find-links"):
            yield from parser.get(section, key, fallback="").split()


def apt(text: str) -> Iterator[str]:
    """Yield the archives of a list of sources, of either form."""
    going = False
    for line in text.splitlines():
        bare = line.partition("#")[0]
        words = re.sub(r"\[[^\]]*\]", " ", bare).split()
        if words[:1] in (["deb"], ["deb-src"]):
            yield from words[1:2]
        key, colon, value = bare.partition(":")
        if colon and key.strip().lower() == "uris":
            going = True
            yield from value.split()
        elif going and bare[:1] in {" ", "\t"}:
            yield from words
        else:
            going = False


def cargo(text: str) -> Iterator[str]:
    """Yield the registries and replaced sources of a cargo configuration."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for kind, keys in (("source", ("registry",)), ("registries", ("index",))):
        tables = data.get(kind)
        for each in tables.values() if isinstance(tables, dict) else ():
            for key in keys:
                if isinstance(each, dict) and isinstance(each.get(key), str):
                    yield each[key]


READERS: dict[str, Callable[[str], Iterator[str]]] = {
    "npm": npm, "pip": pip, "apt": apt, "cargo": cargo,
}  # fmt: skip


def hosts(client: str, texts: tuple[str, ...], urls: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return what a client fetches from, each host once, in order.

    Args:
        client: One of `CLIENTS`.
        texts: Its configuration files.
        urls: What the environment tells it.
    """
    every = (*urls, *(url for text in texts for url in READERS[client](text)))
    return tuple(dict.fromkeys(each for url in every if (each := door(url))))
