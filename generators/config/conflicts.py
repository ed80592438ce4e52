"""Checks between the keys of a configuration: what is right by itself and wrong together.

They read the document as it stands, without believing it, so that they find their problems also
where other values are wrong.
"""

from collections.abc import Iterator
from typing import Any

from pydantic_core import PydanticCustomError

from jailoc.generators.config.resolve import built_in_mounts
from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.agents.known import DEFAULT
from jailoc.model.allow_entry import parse_network, parse_table
from jailoc.model.base import Model
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path, dotted
from jailoc.model.egress import Egress
from jailoc.model.forbidden_paths import spellings
from jailoc.model.host import Host, Kind
from jailoc.model.mount import Mode, merge, parse_mount
from jailoc.model.path import clean, expand, within
from jailoc.model.sandbox import FIRST_PORT

Table = dict[str, Any]


class Area(Model):
    """A directory of the host that an agent can write to."""

    path: str
    workspace: str


class Input(Model):
    """A file or directory that decides what the host does or what a sandbox is given."""

    path: str
    what: str
    where: Path
    whole: bool = False
    """A directory whose whole content counts, not only its name."""


def conflicts(document: Document, host: Host) -> tuple[Diagnostic, ...]:
    """Return every conflict between keys of a document."""
    return (
        *_images(document),
        *_dockerfiles(document, host),
        *_ports(document),
        *_secrets(document),
        *_everything(document),
        *_shut(document),
        *_steering(document, host),
        *_plain_http(document, host),
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
                Kind.DIRECTORY: "is a directory",
                Kind.FILE: "cannot be read",
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


def _ports(document: Document) -> Iterator[Diagnostic]:
    """Find pinned ports that another workspace has, too."""
    tables = dict(workspaces(document.data))
    ports = {
        name: value["port"] if isinstance(value.get("port"), int) else FIRST_PORT + index
        for index, (name, value) in enumerate(tables.items())
    }
    taken = set(ports.values())
    free = next(each for each in range(FIRST_PORT + len(tables), 1 << 17) if each not in taken)
    for name, value in tables.items():
        others = [other for other in tables if other != name and ports[other] == ports[name]]
        if "port" in value and others:
            yield found(
                document,
                ("workspaces", name, "port"),
                "port-twice",
                f"port {ports[name]} is also that of workspace `{others[0]}`",
                f"a port that no workspace has, such as {free}",
                f"a workspace without `port` has {FIRST_PORT} and its place in the order of names",
            )


def _shut(document: Document) -> Iterator[Diagnostic]:
    for at, scope in scopes(document.data):
        for key in ("allowed_hosts", "allowed_networks", "host_ports"):
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
                            f"with `{network}` every IPv{family.value} address there is would be "
                            "open: it would switch the firewall off",
                            "networks that leave something closed",
                            "name the networks that are needed; public addresses are open "
                            "without it",
                        )
                    break


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


def _plain_http(document: Document, host: Host) -> Iterator[Diagnostic]:
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
                f'or allow it by name, at the top of the file: trust = ["{value}"]',
            )


def _steering(document: Document, host: Host) -> Iterator[Diagnostic]:
    areas = tuple(_areas(document.data, host))
    trusted = [
        path
        for _, each in texts(document.data.get("trust"))
        if (path := absolute(each, host.home)) is not None
    ]
    for each in _inputs(document.data, host):
        if any(within(each.path, path) for path in trusted):
            continue
        area = next((area for area in areas if _writable(each, area, host)), None)
        if area is not None:
            yield found(
                document,
                each.where,
                "steering",
                f"{each.what} `{each.path}` {_relation(each, area, host)} `{area.path}`, which "
                f"the agent of workspace `{area.workspace}` can write: it would steer the host",
                "a place outside of every writable path and mount",
                f'move it, or allow it by name, at the top of the file: trust = ["{each.path}"]',
            )


def _writable(each: Input, area: Area, host: Host) -> bool:
    return any(
        within(mine, theirs) or (each.whole and within(theirs, mine))
        for mine in spellings(each.path, host)
        for theirs in spellings(area.path, host)
    )


def _relation(each: Input, area: Area, host: Host) -> str:
    inside = any(
        within(mine, theirs)
        for mine in spellings(each.path, host)
        for theirs in spellings(area.path, host)
    )
    return "lies in" if inside else "holds"


def _areas(data: Table, host: Host) -> Iterator[Area]:
    shared = _mounts(table(data, "defaults"), host)
    for name, workspace in workspaces(data):
        for _, text in texts(workspace.get("paths")):
            if path := absolute(text, host.home):
                yield Area(path=path, workspace=name)
        layers = (built_in_mounts(host, DEFAULT), shared, _mounts(workspace, host))
        for mount in merge(("", layer) for layer in layers):
            if mount.mode is Mode.READ_WRITE:
                yield Area(path=mount.host, workspace=name)


def _mounts(scope: Table, host: Host) -> list[Any]:
    parsed = []
    for _, text in texts(scope.get("mounts")):
        try:
            parsed.append(parse_mount(text, host))
        except PydanticCustomError:
            continue
    return parsed


def _inputs(data: Table, host: Host) -> Iterator[Input]:
    def given(text: object, what: str, *where: str | int, whole: bool = False) -> Iterator[Input]:
        if path := absolute(text, host.home):
            yield Input(path=path, what=what, where=where, whole=whole)

    base = table(data, "base")
    yield from given(base.get("dockerfile"), "Dockerfile", "base", "dockerfile")
    for index, text in texts(base.get("ca_certificates")):
        yield from given(text, "certificate", "base", "ca_certificates", index)
    for at, scope in scopes(data):
        for index, text in texts(scope.get("env_file")):
            yield from given(text, "env file", *at, "env_file", index)
        for kind in ("env", "file"):
            for name in sorted(table(scope, "secrets", kind)):
                source = table(scope, "secrets", kind, name).get("from_file")
                yield from given(source, "secret file", *at, "secrets", kind, name, "from_file")
        if at == ("defaults",):
            continue
        dockerfile = absolute(scope.get("dockerfile"), host.home)
        if dockerfile is None:
            continue
        yield Input(path=dockerfile, what="Dockerfile", where=(*at, "dockerfile"))
        if context := absolute(scope.get("build_context"), host.home):
            yield Input(
                path=context, what="build context", where=(*at, "build_context"), whole=True
            )
        else:
            yield Input(
                path=dockerfile.rpartition("/")[0] or "/",
                what="build context",
                where=(*at, "dockerfile"),
                whole=True,
            )
