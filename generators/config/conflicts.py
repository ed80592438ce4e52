"""Checks between the keys of a configuration: what is right by itself and wrong together.

They read the document as it stands, without believing it, so that they find their problems also
where other values are wrong.
"""

from collections.abc import Iterator
from typing import Any

from pydantic_core import PydanticCustomError

from jailoc.model.address import AddressSet, Family, Network, written
from jailoc.model.allow_entry import parse_network, parse_table
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path, dotted
from jailoc.model.egress import Egress
from jailoc.model.host import FileKind, Host
from jailoc.model.path import clean, expand, trusting
from jailoc.model.special_ranges import SPECIAL

Table = dict[str, Any]
WIDEST = 8
"""The shortest prefix of a network that opens without a word."""


def conflicts(document: Document, host: Host) -> tuple[Diagnostic, ...]:
    """Return every conflict between keys of a document."""
    return (
        *_images(document),
        *_dockerfiles(document, host),
        *_secrets(document),
        *_everything(document),
        *_shut(document),
        *_plain_http(document),
    )


def table(data: Table, *keys: str) -> Table:
    """Return the table at a path of keys, empty if there is none."""
    for key in keys:
        value = data.get(key)
        data = value if isinstance(value, dict) else {}
    return data


def workspaces(data: Table) -> Iterator[tuple[str, Table]]:
    """Yield the tables of the workspaces, in byte order of their names."""
    for name, value in sorted(table(data, "workspaces").items()):
        if isinstance(value, dict):
            yield name, value


def scopes(data: Table) -> Iterator[tuple[Path, Table]]:
    """Yield `[defaults]` and every workspace, each with its path in the document."""
    yield ("defaults",), table(data, "defaults")
    for name, value in workspaces(data):
        yield ("workspaces", name), value


def texts(value: object) -> list[tuple[int, str]]:
    """Return the strings of a list with their places in it; of anything else, none."""
    if not isinstance(value, list):
        return []
    return [(index, each) for index, each in enumerate(value) if isinstance(each, str)]


def absolute(text: object, home: str) -> str | None:
    """Return the clean absolute path that a text means; None if it is none."""
    if not isinstance(text, str) or "\0" in text:
        return None
    path = expand(text, home)
    return clean(path) if path.startswith("/") else None


def found(
    document: Document,
    where: Path,
    code: str,
    message: str,
    allowed: str | None = None,
    hint: str | None = None,
    *,
    at_key: bool = False,
) -> Diagnostic:
    """Build the diagnostic of a value in a document, or of its key."""
    position = document.key(where) if at_key else document.value(where)
    return Diagnostic(
        code=code,
        message=message,
        file=document.file,
        position=position,
        where=dotted(where),
        text=document.line(position) if position else None,
        allowed=allowed,
        hint=hint,
    )


def _images(document: Document) -> Iterator[Diagnostic]:
    for name, workspace in workspaces(document.data):
        for other in ("dockerfile", "build_context"):
            if workspace.get("image") and workspace.get(other):
                yield found(
                    document,
                    ("workspaces", name, other),
                    "image-conflict",
                    f"workspace `{name}` cannot set both image and {other}",
                    "an image as it is, or a dockerfile laid over one",
                    "to lay a dockerfile over an image, set that image in [defaults]",
                )


def _dockerfiles(document: Document, host: Host) -> Iterator[Diagnostic]:
    """Find Dockerfiles of this machine that are built from and cannot be read."""
    data = document.data
    shared = table(data, "defaults").get("image")
    places: list[Path] = [
        ("workspaces", name, "dockerfile")
        for name, each in workspaces(data)
        if not each.get("image")
    ]
    if any(not each.get("image") and not shared for _, each in workspaces(data)):
        places.insert(0, ("base", "dockerfile"))
    for where in places:
        source = absolute(table(data, *map(str, where[:-1])).get("dockerfile"), host.home)
        if source is not None and not host.files.get(source, "").strip():
            what = {
                None: "does not exist",
                FileKind.DIRECTORY: "is a directory",
                FileKind.FILE: "cannot be read",
            }.get(host.kinds.get(source), "is no file")
            if source in host.files:
                what = "is empty"
            yield found(
                document,
                where,
                "dockerfile-missing",
                f"Dockerfile `{source}` {what}",
                "UTF-8 text of at most 1 MiB",
                "check the path and its permissions",
            )


def _shut(document: Document) -> Iterator[Diagnostic]:
    for at, scope in scopes(document.data):
        for key in ("allow", "allowed_hosts", "allowed_networks", "host_ports"):
            if scope.get("egress") == Egress.NONE and scope.get(key):
                yield found(
                    document,
                    (*at, key),
                    "egress-none",
                    f'`{key}` opens something, and `egress = "none"` beside it opens nothing',
                    'egress = "allowlist" opens what is named and nothing else',
                    at_key=True,
                )


def _secrets(document: Document) -> Iterator[Diagnostic]:
    for at, scope in scopes(document.data):
        tables = table(scope, "secrets")
        for name in sorted(table(tables, "env").keys() & table(tables, "file").keys()):
            yield found(
                document,
                (*at, "secrets", "file", name),
                "secret-twice",
                f"secret `{name}` stands in secrets.env and in secrets.file",
                "a name in only one of the two",
            )


def _everything(document: Document) -> Iterator[Diagnostic]:
    """Find networks that together are every address there is, which none may be alone."""
    defaults = _networks(document, ("defaults",))
    for at, _ in scopes(document.data):
        mine = defaults if at == ("defaults",) else (*defaults, *_networks(document, at))
        for family in Family:
            open_ = AddressSet(family)
            if AddressSet.networks(family, (each for _, each in mine)) != ~open_:
                continue
            for where, network in mine:
                open_ |= AddressSet.networks(family, (network,))
                if open_ == AddressSet.everything(family):
                    if where[: len(at)] == at:
                        yield found(
                            document,
                            where,
                            "network-everything",
                            f"with `{written(network)}` every IPv{family.value} address there is "
                            "would be open: it would switch the firewall off",
                            "networks that leave something closed",
                            "name the networks that are needed; public addresses are open "
                            "without it",
                        )
                    break


def wide(document: Document) -> Iterator[Diagnostic]:
    """Find networks that together hold more than a /8 of what is no special range."""
    defaults = _networks(document, ("defaults",))
    for at, _ in scopes(document.data):
        mine = _networks(document, at)
        every = mine if at == ("defaults",) else (*defaults, *mine)
        for family in Family:
            whole = AddressSet.networks(family, (each for _, each in every)).collapse()
            for network in whole:
                if network.prefixlen >= WIDEST or any(holds(each, network) for each, _ in SPECIAL):
                    continue
                # Said where the scope's own last piece of it stands; `[defaults]` says its own.
                parts = [where for where, each in mine if holds(network, each)]
                if parts:
                    yield found(
                        document,
                        parts[-1],
                        "network-wide",
                        f"all of `{written(network)}` is open on every port: that is hardly "
                        "a firewall",
                        hint="name the networks that are needed; public addresses are open without "
                        "it, and this machine stays closed in any range",
                    )


def holds(network: Network, other: Network) -> bool:
    """Tell whether a network holds another one, or is it."""
    family = Family(network.version)
    return other.version == network.version and not (
        AddressSet.networks(family, (other,)) - AddressSet.networks(family, (network,))
    )


def _networks(document: Document, at: Path) -> tuple[tuple[Path, Network], ...]:
    """Return the networks that a scope opens on every port."""
    parsed = []
    entries = table(document.data, *map(str, at)).get("allowed_networks")
    for index, value in enumerate(entries if isinstance(entries, list) else []):
        try:
            if isinstance(value, dict):
                entry = parse_table(value, parse_network)
            else:
                entry = parse_network(str(value))
        except PydanticCustomError:
            continue
        if not entry.ports:
            parsed.append(((*at, "allowed_networks", index), entry.network))
    return tuple(parsed)


def _plain_http(document: Document) -> Iterator[Diagnostic]:
    named = {each for _, each in texts(document.data.get("trust"))}
    places: list[tuple[Path, object]] = [
        (("base", "dockerfile"), table(document.data, "base").get("dockerfile")),
        *(((*at, "dockerfile"), scope.get("dockerfile")) for at, scope in scopes(document.data)),
    ]
    for where, value in places:
        if isinstance(value, str) and value.startswith("http://") and value not in named:
            yield found(
                document,
                where,
                "steering",
                f"Dockerfile `{value}` comes over plain http: whoever is on the way can change it, "
                "and the host builds it",
                "an https:// URL",
                f"or allow it by name, at the top of the file: {trusting(value)}",
            )
