"""What an agent must not decide: where the host's paths lead, and what it builds or hands over.

An agent that can write a directory can put a symbolic link in the place of anything below it. So
no place on the way to what the host reads or mounts may lie in what any agent can write, unless
`trust` names the path.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import PydanticCustomError

from jailoc.generators.config.conflicts import absolute, found, scopes, table, texts, workspaces
from jailoc.generators.config.resolve import built_in_mounts
from jailoc.model.agents.known import DEFAULT
from jailoc.model.base import Model
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.forbidden_paths import folded, trespass
from jailoc.model.host import Host
from jailoc.model.mount import Mode, MountSpec, parse_mount
from jailoc.model.path import first_within, outermost, trusting, upwards, within
from jailoc.model.repository import moved
from jailoc.model.text import visible

Table = dict[str, Any]


class Area(Model):
    """A directory of the host that an agent can write to."""

    path: str
    workspace: str
    where: Path | None
    """The entry that makes it one; None for a built-in mount, or in another configuration."""
    other: bool = False
    """Whether the workspace is one of another configuration."""


class Input(Model):
    """What the host reads or mounts."""

    path: str
    what: str
    where: Path | None
    """The entry that names it; None where none does."""
    whole: bool = False
    """A directory whose whole content counts, not only its name."""
    mounted: bool = False
    """It is no matter what is in it, only where it leads: what is mounted is itself no such
    place."""


def steering(document: Document, host: Host) -> tuple[Diagnostic, ...]:
    """Return every input of a document that an agent could swap or change."""
    # What is forbidden altogether is said elsewhere.
    theirs = [
        Area(path=at, workspace=name, where=None, other=True)
        for name, at in host.started
        if not trespass(at, host)
    ]
    mine = (each for each in _areas(document.data, host) if not trespass(each.path, host))
    areas, others = Areas((*mine, *theirs), host), Areas(theirs, host)
    asked = _untrusted(
        document,
        host,
        (*_inputs(document.data, host), *_mounts(document.data, host), *_own(host)),
    )
    # A credential that an agent of this configuration can read is refused whoever is trusted.
    keys = _untrusted(document, host, _credentials(document.data, host))
    said = [
        (each, _diagnostic(document, host, each, area, hit))
        for every, at in ((asked, areas), (keys, others))
        for each in every
        for area, hit in at.first(each)
    ]
    known = {each.path for each, _ in said}
    left = _left(document, (each for each in (*asked, *keys) if each.path not in known), host)
    every = dict.fromkeys((*(told for _, told in said), *left))
    return (*every, *_forbidden(document, host))


def open_to(document: Document, host: Host, workspace: str) -> Iterator[tuple[Input, str, str]]:
    """Yield what is read from where an agent could write when it was last started.

    While it runs so, it can put a link there between a look and the reading.

    Args:
        document: The configuration.
        host: The machine.
        workspace: The one that it is read for.

    Returns:
        What is read, the workspace and the place that was its own.
    """
    areas = {folded(at): (name, at) for name, at in reversed(host.left)}
    read = (*_inputs(document.data, host), *_credentials(document.data, host))
    for each in _untrusted(document, host, read):
        match each.where:
            case ("workspaces", name, *_) if name != workspace:
                continue
        ways = (above for way in host.places(each.path) for above in upwards(folded(way)))
        if (place := next((above for above in ways if above in areas), None)) is not None:
            yield (each, *areas[place])


def _untrusted(document: Document, host: Host, every: Iterable[Input]) -> list[Input]:
    trusted = [
        path
        for _, each in texts(document.data.get("trust"))
        if (path := absolute(each, host.home)) is not None
    ]
    return [each for each in every if not any(within(each.path, path) for path in trusted)]


def _left(document: Document, asked: Iterable[Input], host: Host) -> Iterator[Diagnostic]:
    """Yield what a link leads to that an agent may have left where it could write once.

    What is no link is only what the agent wrote itself. The place that was its own may be one: that
    lies above it.
    """
    areas = {folded(at): (name, at) for name, at in reversed(host.left)}
    for each in asked:
        for hop in host.hops.get(each.path, ()):
            mine = folded(hop)
            above = next((at for at in upwards(mine) if at != mine and at in areas), None)
            if above is not None:
                name, at = areas[above]
                real = host.real(each.path)
                way = "" if hop == each.path else f", by way of `{hop}`,"
                yield found(
                    document,
                    each.where or (),
                    "steering",
                    f"{each.what} `{each.path}`{way} leads to `{visible(real)}` by a link in "
                    f"`{at}`, which the agent of workspace `{name}` could write when it was last "
                    "started: it may have put it there",
                    "a way without a link that an agent could have made",
                    "name where it leads, if that is meant; else remove the link",
                )
                break


class Areas:
    """All that agents can write, found by what it holds and by what holds it.

    A look costs the depth of a path, whatever the number of areas.
    """

    def __init__(self, areas: Iterable[Area], host: Host) -> None:
        self._host = host
        self._areas = tuple(areas)
        self._at: dict[str, int] = {}
        """The first area at a place."""
        self._below: dict[str, int] = {}
        """The first area at a place or below it."""
        for index, area in enumerate(self._areas):
            for place in self._spelt(area):
                if self._at.setdefault(place, index) == index:
                    for above in upwards(place):
                        self._below.setdefault(above, index)

    def first(self, each: Input) -> Iterator[tuple[Area, str]]:
        """Yield the first area that an input is at the mercy of, with the place that lies there."""
        places = {place: folded(place) for place in self._host.places(each.path)}
        found = []
        for mine in places.values():
            found += [self._at[above] for above in upwards(mine)
                      if above in self._at and not (each.mounted and above == mine)]  # fmt: skip
            if each.whole and mine in self._below:
                found.append(self._below[mine])
        if not found:
            return
        area = self._areas[min(found)]
        for theirs in self._spelt(area):
            for place, mine in places.items():
                inside = within(mine, theirs) and not (each.mounted and mine == theirs)
                if inside or (each.whole and within(theirs, mine)):
                    yield area, place
                    return

    def _spelt(self, area: Area) -> Iterable[str]:
        return dict.fromkeys(map(folded, (area.path, self._host.real(area.path))))


def _diagnostic(document: Document, host: Host, each: Input, area: Area, hit: str) -> Diagnostic:
    where = each.where or area.where or ()
    way = "" if hit == each.path else f", by way of `{hit}`,"
    holds = each.whole and not within(folded(hit), folded(area.path))
    relation = "holds" if holds else "lies in"
    move = "put it into a directory of its own" if holds else "move it"
    whose = ", as another configuration has started it," if area.other else ""
    harm = "put another place of the host there" if each.mounted else "steer the host"
    # Nobody is to be told to trust all that is at home.
    named = (
        ""
        if within(host.home, each.path)
        else f", or allow it by name, at the top of the file: {trusting(each.path)}"
    )
    return found(
        document,
        where,
        "steering",
        f"{each.what} `{each.path}`{way} {relation} `{area.path}`, which the agent of workspace "
        f"`{area.workspace}`{whose} can write: it would {harm}",
        "a place outside of every writable path and mount",
        f"{move}{named}"
        + (f"; if that workspace is gone: `jailoc destroy {area.workspace}`" if area.other else ""),
    )


def _forbidden(document: Document, host: Host) -> Iterator[Diagnostic]:
    """Yield the built-in mounts that lead to a forbidden place; an entry says so by itself."""
    for name, workspace in workspaces(document.data):
        for where, mount in _effective(document.data, workspace, name, host):
            if where is None and mount.host and (reason := trespass(mount.host, host)):
                yield found(
                    document,
                    ("workspaces", name),
                    "mount-host",
                    f"host path `{mount.host}` of a built-in mount is forbidden: {reason}",
                    "a directory of its own",
                    f'leave the mount out: mounts = [":{mount.container}"]',
                    at_key=True,
                )


def _areas(data: Table, host: Host) -> Iterator[Area]:
    for name, workspace in workspaces(data):
        for index, text in texts(workspace.get("paths")):
            if path := absolute(text, host.home):
                where: Path = ("workspaces", name, "paths", index)
                yield Area(path=path, workspace=name, where=where)
        for at, mount in _effective(data, workspace, name, host):
            if mount.mode is Mode.READ_WRITE and mount.host:
                yield Area(path=mount.host, workspace=name, where=at)


def _effective(
    data: Table, workspace: Table, name: str, host: Host
) -> list[tuple[Path | None, MountSpec]]:
    """Return the mounts of a workspace: for one container path the last entry holds."""
    layers: list[tuple[Path | None, MountSpec]] = [
        (None, each) for each in built_in_mounts(host, DEFAULT)
    ]
    places: tuple[tuple[Path, Table], ...] = (
        (("defaults",), table(data, "defaults")), (("workspaces", name), workspace),
    )  # fmt: skip
    for at, scope in places:
        for index, text in texts(scope.get("mounts")):
            try:
                layers.append(((*at, "mounts", index), parse_mount(text, host)))
            except PydanticCustomError:
                continue
    return list({each.container: (where, each) for where, each in layers}.values())


def _mounts(data: Table, host: Host) -> Iterator[Input]:
    for name, workspace in workspaces(data):
        named = [
            (index, absolute(text, host.home)) for index, text in texts(workspace.get("paths"))
        ]
        # A path in another one of its workspace is not mounted: it is there already, unless a link
        # that its agent can make leads elsewhere.
        mounted = outermost(path for _, path in named if path)
        for index, path in named:
            outer = first_within(path or "", mounted)
            led = path and outer and host.real(path) != moved(path, outer, host.real(outer))
            if path and (path in mounted or led):
                where: Path = ("workspaces", name, "paths", index)
                yield Input(path=path, what="path", where=where, mounted=True)
        for at, mount in _effective(data, workspace, name, host):
            if mount.host:
                what = "the built-in mount of" if at is None else "mount of"
                yield Input(path=mount.host, what=what, where=at, mounted=True)


def _own(host: Host) -> Iterator[Input]:
    """Yield what no entry names, and the host reads or mounts all the same."""
    for what, path in (
        ("the user's Git configuration", host.git_config),
        ("the user's list of SSH host keys", host.known_hosts),
        ("the SSH agent's socket", host.agent_socket),
    ):
        if path:
            yield Input(path=path, what=what, where=None)


def _credentials(data: Table, host: Host) -> Iterator[Input]:
    for at, scope in scopes(data):
        for name in sorted(table(scope, "credentials")):
            given = table(scope, "credentials", name).get("from_file")
            if path := absolute(given, host.home):
                where = (*at, "credentials", name, "from_file")
                yield Input(path=path, what="credential file", where=where)


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
