"""What of the host no sandbox may have, however the path to it is spelt.

One list for workspace paths and mounts: what steers jailoc, what proves who the user is, what hands
over the machine. It is asked for the cleaned path and for the place behind symbolic links, about
what lies in such a directory and about what holds one.
"""

from jailoc.model.host import Host
from jailoc.model.path import clean, first_within, within

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


def spellings(path: str, host: Host) -> tuple[str, ...]:
    """Return a path and, where symbolic links lead elsewhere, the place they lead to."""
    return tuple(dict.fromkeys((clean(path), host.real(clean(path)))))


def _reason(path: str, host: Host) -> str | None:
    if path == "/":
        return "`/` is the whole machine"
    if inside := first_within(path, SYSTEM):
        return f"`{path}` lies in `{inside}`, which is the system's"
    if path.rpartition("/")[2] in SOCKET_NAMES or path in host.sockets:
        return f"`{path}` is an engine's socket, which is the whole machine"
    controls = (host.config, host.cache, host.data)
    credentials = tuple(f"{host.home}/{name}" for name in CREDENTIALS)
    engines = (*(f"{host.home}/{name}" for name in ENGINES), *host.sockets)
    if inside := first_within(path, controls):
        return f"`{path}` lies in `{inside}`, which controls the sandbox"
    if inside := first_within(path, credentials):
        return f"`{path}` lies in `{inside}`, which holds credentials"
    if inside := first_within(path, engines):
        return f"`{path}` lies in `{inside}`, where an engine's socket is"
    if path == host.home:
        return f"`{path}` is the home directory, with credentials and what controls the sandbox"
    held = next((each for each in (host.home, *controls, *credentials, *engines)
                 if within(each, path)), None)  # fmt: skip
    if held:
        return f"`{path}` holds `{held}`, with what controls the sandbox or credentials"
    return None
