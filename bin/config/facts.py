"""Gather the `Host` record: the one place that asks the operating system about itself."""

import errno
import hashlib
import ipaddress
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from jailoc.bin.config import agent_files, build_context, repositories, user
from jailoc.bin.engine import endpoint, ping, stats
from jailoc.bin.host import regular, unseen
from jailoc.bin.host.links import Links
from jailoc.bin.host.paths import base, cache_directory, config_file, home, state_directory
from jailoc.generators.config.mentioned import Mentioned
from jailoc.model.address import written
from jailoc.model.agents.known import CONFIGURED, LOGINS, PRIVATE
from jailoc.model.forbidden_paths import guarded
from jailoc.model.host import TABLES, FileKind, Host
from jailoc.model.special_ranges import LINK_LENGTH, PUBLIC

__all__ = [
    "cache_directory", "config_file", "fetched", "following", "gather", "home", "state_directory",
]  # fmt: skip


LARGEST, SMALL = 8, 16
"""Bits of an IPv4 network that a machine is in, at least, and those from which on one is no part of
the internet that a tunnel may stand for."""


def gather(mentioned: Mentioned) -> Host:
    """Ask everything that the compiler may know about what a configuration names."""
    places = mentioned.places
    with unseen.collected() as blind:
        kinds = {path: kind for path in places if (kind := _kind(path)) is not None}
    texts = {path: text for path in mentioned.files if (text := _read(path)) is not None}
    for url in mentioned.urls:
        if (text := _read(str(fetched(url)))) is not None:
            texts[url] = text
    config_home, private = base("XDG_CONFIG_HOME", ".config"), agent_files.find(PRIVATE)
    git = repositories.gather(mentioned.searches, home(), config_home, mentioned.work)
    ipv4 = routes(_kernel("/proc/net/fib_trie"))
    host = Host(
        home=home(),
        config_home=config_home,
        cache_home=base("XDG_CACHE_HOME", ".cache"),
        data_home=base("XDG_DATA_HOME", ".local/share"),
        today=datetime.now(tz=UTC).date(),
        ipv6=_ipv6(),
        networks=tuple(sorted({*addresses(ipv4), *networks(_kernel("/proc/net/if_inet6"))})),
        neighbours=tuple(sorted(neighbours(ipv4))),
        tables=tables(),
        kinds=kinds,
        unread={
            path: f"it cannot be looked into ({says})"
            for path, says in blind.items()
            if unseen.another_users(path) is None
        },
        files=texts,
        suffixes=_suffixes(mentioned.wildcards),
        contexts={
            path: found for path in mentioned.contexts if (found := build_context.digest(path))
        },
        bases=_bases(),
        trees=git.trees,
        named=git.named,
        git=git.git,
        sockets=endpoint.sockets(),
        agent_socket=_agent_socket(),
        private=private,
        logins=(*agent_files.find(LOGINS), *agent_files.holding_keys(CONFIGURED, private)),
        profiles=not ping.podman(),
        engine=stats.platform() if mentioned.ssh_agent else "",
    )
    host = user.gather(host, places, mentioned.worked)
    links = [path for each in git.git.links for path in (each.directory, each.common)]
    files = [each.path for each in git.git.files]
    return host.model_copy(
        update=_ways((*places, *guarded(host), host.agent_socket or "/", *links, *files))
    )


class _Ways(TypedDict):
    links: dict[str, str]
    hops: dict[str, tuple[str, ...]]


def following(host: Host, paths: Iterable[str]) -> Host:
    """Return a machine with where further paths lead."""
    ways = _ways(paths)
    return host.model_copy(
        update={"links": host.links | ways["links"], "hops": host.hops | ways["hops"]}
    )


def _ways(paths: Iterable[str]) -> _Ways:
    """Return where paths lead, and over what."""
    links = Links()
    found = {path: links.trace(path) for path in paths}
    return {
        "links": {path: real for path, (real, _) in found.items() if real != path},
        "hops": {path: hops for path, (_, hops) in found.items() if hops},
    }


def fetched(url: str) -> Path:
    """Return where the text of a remote Dockerfile is kept."""
    return cache_directory() / "dockerfiles.fetched" / hashlib.sha256(url.encode()).hexdigest()


def recorded(reference: str) -> Path:
    """Return where it is kept what the engine had under the name of an image."""
    return cache_directory() / "images.bases" / hashlib.sha256(reference.encode()).hexdigest()


def _suffixes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those names that are public suffixes, as the list that is installed has them."""
    if not names:
        return ()
    from publicsuffixlist import PublicSuffixList

    # To encode all of the list takes as long as to read it, and matters to encoded names alone.
    encoded = any("xn--" in each for each in names)
    known = PublicSuffixList(accept_unknown=False, accept_encoded_idn=encoded)
    return tuple(each for each in names if known.publicsuffix(each) == each)


def _bases() -> dict[str, str]:
    found: dict[str, str] = {}
    with suppress(OSError):
        for place in recorded("").parent.iterdir():
            reference, _, identity = (_read(str(place)) or "").rstrip("\n").rpartition(" ")
            if reference and identity.startswith("sha256:"):
                found[reference] = identity
    return found


def _kind(path: str) -> FileKind | None:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 -- text: there may be very many
    except OSError as error:
        unseen.note(path, error, frozenset({errno.ELOOP, errno.ENAMETOOLONG}))
        return None
    if stat.S_ISREG(mode):
        return FileKind.FILE
    if stat.S_ISDIR(mode):
        return FileKind.DIRECTORY
    return FileKind.SOCKET if stat.S_ISSOCK(mode) else FileKind.OTHER


def _agent_socket() -> str | None:
    """Return the socket of the SSH agent (ssh-agent(1)), if it is one."""
    path = os.environ.get("SSH_AUTH_SOCK", "")
    return path if path.startswith("/") and _kind(path) is FileKind.SOCKET else None


def _ipv6() -> bool:
    try:
        return Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").read_text().strip() == "0"
    except OSError:
        return False


def networks(table: str) -> Iterator[str]:
    """Yield the IPv6 networks that the machine is in, of the kernel's table of its addresses.

    One is taken whole: its other machines are neighbours, and the machine's own address in it may
    change every day (RFC 8981). A public one has 64 bits at most (RFC 4291, section 2.5.4): an
    address may have been given by itself (RFC 8415), and the network that it is in by a router.
    """
    for address, _, length, *_ in map(str.split, table.splitlines()):
        number, bits = int(address, 16), int(length, 16)
        if any(ipaddress.IPv6Address(number) in each for each in PUBLIC):
            bits = min(bits, LINK_LENGTH)
        yield written(ipaddress.IPv6Network((number, bits), strict=False))


Routes = frozenset[tuple[str, str, str]]
"""Destinations of IPv4 with their lengths, and what is said of each: its scope and kind."""


def addresses(table: Routes) -> Iterator[str]:
    """Yield the machine's IPv4 addresses."""
    yield from (f"{place}/32" for place, *rest in table if rest == ["/32", "host LOCAL"])


def neighbours(table: Routes) -> Iterator[str]:
    """Yield the IPv4 networks that the machine is in.

    Of a network that it is in the kernel has the address for all of it, too, or what is sent there
    is small and holds an address of the machine. All there is may be sent by the link of a tunnel.
    """
    own = [*map(ipaddress.ip_network, addresses(table))]
    for place, length, kind in table:
        if kind == "link UNICAST":
            network = ipaddress.IPv4Network(f"{place}{length}", strict=False)
            everyone = str(network.broadcast_address), "/32", "link BROADCAST"
            if (network.prefixlen >= LARGEST and everyone in table) or (
                network.prefixlen >= SMALL and any(network.overlaps(each) for each in own)
            ):
                yield written(network)


def routes(text: str) -> Routes:
    """Take apart what the kernel says of them (`fib_trie` in proc(5)).

    Elsewhere than on Linux it says nothing.
    """
    found: set[tuple[str, str, str]] = set()
    place = ""
    for words in map(str.split, text.splitlines()):
        match words:
            case ["|--", place]:
                pass
            case [length, scope, kind, *_] if place and length.startswith("/"):
                found.add((place, length, f"{scope} {kind}"))
    return frozenset(found)


def tables() -> tuple[str, ...]:
    """Return the kernel's tables of the machine's addresses, where its engine can mount them.

    They are those of process 1, whatever network jailoc itself runs in: it decides nothing. Docker
    Desktop, and WSL with it, has an engine on a machine of its own, and mounts only what it is told
    to share.
    """
    if endpoint.desktop() or "microsoft" in _kernel("/proc/version").lower():
        return ()
    return tuple(each for each in TABLES if os.access(each, os.R_OK))


def _read(path: str) -> str | None:
    """Read a small regular text file, line ends as they are; None if it is anything else."""
    try:
        return regular.read(path).decode("utf-8")
    except (OSError, UnicodeDecodeError, regular.NotRegular):
        return None


def _kernel(path: str) -> str:
    """Read what the kernel says (proc(5)); nothing where it says nothing."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
