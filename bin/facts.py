"""Gather the `Host` record: the one place that asks the operating system about itself."""

import hashlib
import ipaddress
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

from jailoc.bin import context, gauge
from jailoc.generators.load import Mentioned
from jailoc.model.diagnostic import refuse
from jailoc.model.host import Host, Kind

FILE_LIMIT = 1 << 20
"""Bytes that are read of a file the configuration refers to."""


def home() -> str:
    """Return the home directory.

    Raises:
        Refused: `HOME` is unset or relative; a guess would put files into the wrong place.
    """
    text = os.environ.get("HOME", "")
    if not text.startswith("/"):
        raise refuse(
            "home",
            "the home directory is unknown: HOME is not set to an absolute path",
            hint="set HOME",
        )
    return os.path.normpath(text)


def config_file(flag: str | None) -> Path:
    """Return the configuration file: the flag, else `JAILOC_CONFIG`, else the XDG place."""
    chosen = flag or os.environ.get("JAILOC_CONFIG")
    if chosen:
        return Path(chosen).absolute()
    return Path(_base("XDG_CONFIG_HOME", ".config")) / "jailoc" / "config.toml"


def state_directory() -> Path:
    """Return the directory of what must survive a cleaned cache: passwords."""
    return Path(_base("XDG_DATA_HOME", ".local/share")) / "jailoc"


def cache_directory() -> Path:
    """Return the directory of generated files and locks."""
    return Path(_base("XDG_CACHE_HOME", ".cache")) / "jailoc"


def gather(mentioned: Mentioned) -> Host:
    """Ask everything that the compiler may know about what a configuration names."""
    links = {path: real for path in mentioned.paths if (real := os.path.realpath(path)) != path}
    kinds = {path: kind for path in mentioned.paths if (kind := _kind(path)) is not None}
    texts = {path: text for path in mentioned.files if (text := _read(path)) is not None}
    for url in mentioned.urls:
        if (text := _read(str(fetched(url)))) is not None:
            texts[url] = text
    return Host(
        home=home(),
        config_home=_base("XDG_CONFIG_HOME", ".config"),
        cache_home=_base("XDG_CACHE_HOME", ".cache"),
        data_home=_base("XDG_DATA_HOME", ".local/share"),
        today=datetime.now(tz=UTC).date(),
        ipv6=_ipv6(),
        networks=_networks(),
        links=links,
        kinds=kinds,
        files=texts,
        contexts={path: found for path in mentioned.contexts if (found := context.digest(path))},
        sockets=_sockets(),
        agent_socket=_agent_socket(),
        engine=gauge.platform() if mentioned.ssh_agent else "",
    )


def fetched(url: str) -> Path:
    """Return where the text of a remote Dockerfile is kept."""
    return cache_directory() / "fetched" / hashlib.sha256(url.encode()).hexdigest()


def _kind(path: str) -> Kind | None:
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.DIRECTORY
    return Kind.SOCKET if stat.S_ISSOCK(mode) else Kind.OTHER


def _sockets() -> tuple[str, ...]:
    """Return the sockets of the engine that `DOCKER_HOST` names, as it is spelt and really."""
    address = os.environ.get("DOCKER_HOST", "")
    if not address.startswith("unix:///"):
        return ()
    path = os.path.normpath(address.removeprefix("unix://"))
    return tuple(sorted({path, os.path.realpath(path)}))


def _agent_socket() -> str | None:
    """Return the socket of the SSH agent (ssh-agent(1)), if it is one."""
    path = os.environ.get("SSH_AUTH_SOCK", "")
    return path if path.startswith("/") and _kind(path) is Kind.SOCKET else None


def _base(variable: str, default: str) -> str:
    """Return an XDG base directory; a relative value is ignored, as the specification says."""
    value = os.environ.get(variable, "")
    return os.path.normpath(value) if value.startswith("/") else f"{home()}/{default}"


def _ipv6() -> bool:
    try:
        return Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").read_text().strip() == "0"
    except OSError:
        return False


def _networks() -> tuple[str, ...]:
    """Return the machine's IPv4 addresses and IPv6 networks, as the kernel lists them (proc(5)).

    An IPv6 network is taken whole: its other machines are neighbours, and the machine's own
    address in it may change every day (RFC 8981). Elsewhere than on Linux the list is empty.
    """
    found = {f"{each}/32" for each in re.findall(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL",
                                                 _read("/proc/net/fib_trie") or "")}  # fmt: skip
    for line in (_read("/proc/net/if_inet6") or "").splitlines():
        address, _, length, *_ = line.split()
        network = ipaddress.IPv6Network((int(address, 16), int(length, 16)), strict=False)
        found.add(str(network))
    return tuple(sorted(found))


def _read(path: str) -> str | None:
    """Read a small regular text file; None if it is anything else."""
    try:
        if not Path(path).is_file():
            return None
        # Line ends as they are: what the compiler is given is what is in the file.
        with Path(path).open(encoding="utf-8", newline="") as file:
            text = file.read(FILE_LIMIT + 1)
    except (OSError, UnicodeDecodeError):
        return None
    return text if len(text) <= FILE_LIMIT else None
