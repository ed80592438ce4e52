"""What of the host no sandbox may have, however the path to it is spelt.

One list for workspace paths and mounts: what steers jailoc, what proves who the user is, what hands
over the machine. It is asked for the cleaned path and for the place behind symbolic links, about
what lies in such a directory and about what holds one. What is on it may be a link itself: then the
place behind that, and every link on the way, count as well. Where the file system may ignore case,
another case is the same place; it is taken for one everywhere.
"""

from functools import lru_cache

from jailoc.model.host import Host
from jailoc.model.path import clean, first_within, within
from jailoc.model.repository import fold

SYSTEM = ("/boot", "/dev", "/etc", "/private", "/proc", "/sys", "/run", "/var")
"""Directories of the system."""

CREDENTIALS = (".ssh", ".gnupg", ".aws", ".local/share/keyrings")
"""Directories below the home directory that prove who the user is."""

ENGINES = (
    ".docker/run", ".docker/desktop", ".colima", ".lima", ".orbstack/run", ".rd",
    ".local/share/containers/podman",
)  # fmt: skip
"""Directories below the home directory where engines keep their sockets."""

SOCKET_NAMES = ("docker.sock", "podman.sock", "containerd.sock")


def trespass(path: str, host: Host) -> str | None:
    """Say why a directory or file of the host must stay outside of every sandbox; None if it may.

    Args:
        path: Absolute and clean.
        host: The machine.
    """
    return next(filter(None, (_reason(each, host) for each in spellings(path, host))), None)


def precious(path: str, host: Host) -> str | None:
    """Say why a file of the user's is more than a secret among others; None if it is not.

    Directories of the system do not count: secrets may well lie there.
    """
    return next(filter(None, (_kept_out(each, host) for each in spellings(path, host))), None)


def spellings(path: str, host: Host) -> tuple[str, ...]:
    """Return a path and, where symbolic links lead elsewhere, the place they lead to."""
    return tuple(dict.fromkeys((clean(path), host.real(clean(path)))))


@lru_cache(1 << 16)
def folded(path: str) -> str:
    """Return a clean path as the most tolerant file system compares it.

    >>> folded("/Home/alice/.SSH")
    '/home/alice/.ssh'
    """
    return "/".join(map(fold, path.split("/")))


def _reason(path: str, host: Host) -> str | None:
    if path == "/":
        return "`/` is the whole machine"
    if folded(path) in SYSTEM:
        return f"`{path}` is the system's"
    if inside := first_within(folded(path), SYSTEM):
        return f"`{path}` lies in `{inside}`, which is the system's"
    return _kept_out(path, host)


def _kept_out(path: str, host: Host) -> str | None:
    mine = folded(path)
    if mine.rpartition("/")[2] in SOCKET_NAMES or mine in map(folded, host.sockets):
        return f"`{path}` is an engine's socket, which is the whole machine"
    kept = [(place, each, why) for each, why in _kept(host) for place in host.places(each)]
    for place, each, why in kept:
        if mine == folded(place) and place == each:
            return f"`{path}` is a place {why}"
        if within(mine, folded(place)):
            return f"`{path}` lies in `{place}`{_leads(place, each)}, {why}"
    if mine in map(folded, host.places(host.home)):
        return f"`{path}` is the home directory, with credentials and what controls the sandbox"
    held = [(place, host.home) for place in host.places(host.home)]
    held += [(place, each) for place, each, _ in kept]
    for place, each in held:
        if within(folded(place), mine):
            return (
                f"`{path}` holds `{place}`{_leads(place, each)}, with what controls the sandbox or "
                "credentials"
            )
    return None


def guarded(host: Host) -> tuple[str, ...]:
    """Return the paths whose real places have to be known, because nobody may reach them."""
    return (host.home, *(each for each, _ in _kept(host)))


def _kept(host: Host) -> tuple[tuple[str, str], ...]:
    """Return what is kept out of every sandbox, as it is spelt, each with the reason."""
    controls = (host.config, host.cache, host.data)
    engines = (*(f"{host.home}/{name}" for name in ENGINES), *host.sockets)
    return (
        *((each, "which controls the sandbox") for each in controls),
        *((f"{host.home}/{each}", "which holds credentials") for each in CREDENTIALS),
        *((each, "where an engine's socket is") for each in engines),
    )


def _leads(place: str, each: str) -> str:
    return "" if place == each else f", on the way of `{each}`"
