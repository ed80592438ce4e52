"""What is valid and hardly meant: allows that open nothing or far too much, lines of env files."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.denials import denied
from jailoc.generators.config.resolve import shown
from jailoc.model.address import written
from jailoc.model.allow_entry import HostEntry, NetworkEntry, host_bits, meaningless, parted
from jailoc.model.config import Config, Scope
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.host import Host
from jailoc.model.size import size

LEAST_MEMORY = 512 << 20
"""Bytes; an agent's server took 520 MiB a minute after its start."""
MOST_LOGINS = 4
"""Files with logins of one workspace that are told."""


def doubts(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each entry that is hardly meant as it is written."""
    read: set[str] = set()
    for name, each in config.sets.items():
        for index, host_entry in enumerate(each.hosts):
            yield from _allow(document, ("sets", name, "hosts", index), host_entry, host)
            yield from _parted(document, ("sets", name, "hosts", index))
    for at, scope in scoped(config):
        yield from denied(document, config, at, scope)
        for index, entry in enumerate(scope.allowed_hosts):
            yield from _allow(document, (*at, "allowed_hosts", index), entry, host)
        for key in ("allowed_hosts", "denied_hosts"):
            for index in range(len(getattr(scope, key))):
                yield from _parted(document, (*at, key, index))
        for index, network in enumerate(scope.allowed_networks):
            yield from _allow(document, (*at, "allowed_networks", index), network, host)
            yield from _host_bits(document, (*at, "allowed_networks", index))
        if scope.memory is not None and (size(scope.memory) or 0) < LEAST_MEMORY:
            yield found(
                document,
                (*at, "memory"),
                "memory-little",
                f"`{scope.memory}` is little: an agent's server alone takes some 500 MiB, and is "
                "killed where it may not",
                hint='leave it out for "4g", or write "1g" or more',
            )
        for index, file in enumerate(scope.env_file):
            if file.path in read:
                continue
            read.add(file.path)
            place: Path = (*at, "env_file", index)
            for doubt in file.doubts:
                message = f"env file `{file.path}`, line {doubt.line}: {doubt.what}"
                yield found(document, place, "env-file-line", message, "KEY=VALUE a line")


def shown_logins(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield what a workspace's entries show of the host's agents: logins and keys to servers."""
    wanted = [each for each in shown(config, name, host, host.private) if each.named]
    wanted += shown(config, name, host, host.logins)
    if not wanted:
        return
    files = ", ".join(f"`{each.path}`" for each in wanted[:MOST_LOGINS])
    more = f" and {len(wanted) - MOST_LOGINS} more" if len(wanted) > MOST_LOGINS else ""
    yield found(
        document,
        ("workspaces", name),
        "logins-shown",
        f"the agent of `{name}` sees what the user is logged in with: {files}{more}",
        hint="mount what it needs and no more; it can log in by itself, and a key in a file of "
        "configuration can be named by `{env:NAME}` or `{file:PATH}`",
        at_key=True,
    )


def shown_tokens(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield the settings of the user's Git configuration that hold a password which agents see."""
    scope = config.workspaces[name]
    wanted = scope.git_config if scope.git_config is not None else config.defaults.git_config
    if wanted is False or not host.git.tokens:
        return
    told = ", ".join(f"`{each.key}` in `{each.path}`" for each in host.git.tokens[:MOST_LOGINS])
    more = len(host.git.tokens) - MOST_LOGINS
    yield found(
        document,
        ("workspaces", name),
        "git-token",
        f"the agent of `{name}` reads a password or token of Git's configuration: {told}"
        + (f" and {more} more" if more > 0 else ""),
        hint="keep it in a credential helper, or set `git_config = false`",
        at_key=True,
    )


def scoped(config: Config) -> Iterator[tuple[Path, Scope]]:
    """Yield `[defaults]` and every workspace in byte order, each with its path in the document."""
    yield ("defaults",), config.defaults
    for name, each in sorted(config.workspaces.items()):
        yield ("workspaces", name), each


def _allow(
    document: Document, place: Path, entry: HostEntry | NetworkEntry, host: Host
) -> Iterator[Diagnostic]:
    reason = meaningless(entry, host.suffixes)
    if reason is not None:
        text = entry.name if isinstance(entry, HostEntry) else written(entry.network)
        yield found(
            document,
            place,
            "allow-meaning",
            f"`{text}` {reason}",
            hint="remove it, or name what the agent needs",
        )


def _target(document: Document, place: Path) -> str:
    value = document.at(place)
    return str(value.get("to") if isinstance(value, dict) else value)


def _parted(document: Document, place: Path) -> Iterator[Diagnostic]:
    text = _target(document, place)
    if (read := parted(text)) is not None:
        yield found(
            document,
            place,
            "host-blank",
            f"`{text}` has a blank in it: it is read as `{read}`",
            hint="write each host as an entry of its own",
        )


def _host_bits(document: Document, place: Path) -> Iterator[Diagnostic]:
    text = _target(document, place)
    network = host_bits(text)
    if network is not None:
        bits = network.max_prefixlen - network.prefixlen
        many = f"{1 << bits:,}" if bits <= 32 else f"2^{bits}"
        yield found(
            document,
            place,
            "network-host-bits",
            f"`{text}` opens all of `{written(network)}`, {many} addresses",
            hint=f"write `{written(network)}`, or /{network.max_prefixlen} for the one address",
        )
