"""What of this machine the agents of a configuration can change, by any path or mount of theirs."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jailoc.bin.host import bind_mounts, links, records
from jailoc.bin.host.links import Links
from jailoc.generators.config.resolve import names, roots
from jailoc.model.config import Config
from jailoc.model.forbidden_paths import folded
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.path import clean, first_within, outermost, upwards, within
from jailoc.model.sandbox import AGENT


class Recorded:
    """Tells whether an agent that was started decides what is at a place.

    It needs no configuration: what agents were given is written down.
    """

    def __init__(self) -> None:
        """Look at nothing before somebody asks."""
        self._links = Links()

    @cached_property
    def _areas(self) -> frozenset[str]:
        return _areas(dict.fromkeys(self._writable()))

    def _writable(self) -> Iterable[str]:
        return _given()

    def trusts(self, _: str, /) -> bool:
        """Tell whether somebody has said that what an agent makes of it is fine."""
        return False

    def __call__(self, place: str) -> bool:
        """Tell it of an absolute path: of the place, of what leads there, and of where it leads."""
        real, hops = self._links.trace(place)
        if self.trusts(place):
            return False
        return _within((clean(place), *hops, real), self._areas)


class Changeable(Recorded):
    """Tells whether any agent of a configuration does, or one that was started by another one."""

    def __init__(self, config: Config, host: Host) -> None:
        """Look at nothing before somebody asks.

        Args:
            config: The configuration, with all its workspaces.
            host: The machine that it is for.
        """
        super().__init__()
        self._config, self._host = config, host

    def _writable(self) -> Iterable[str]:
        for name in names(self._config):
            for each in roots(self._config, name, self._host):
                if each.writable:
                    yield each.path
        yield from _given()

    def trusts(self, place: str, /) -> bool:
        """Tell whether `trust` names a place, or where it leads."""
        real, _ = self._links.trace(place)
        return any(first_within(each, self._config.trust) for each in (place, real))

    def leads_astray(self, place: str) -> bool:
        """Tell whether a link leads from a place to where an agent can write; it is no such place.

        Args:
            place: An absolute path.
        """
        _, hops = self._links.trace(place)
        return bool(hops) and self(place)


def _areas(places: Iterable[str]) -> frozenset[str]:
    """Return where places are, each also as it is called on its file system."""
    real = {links.real(each) for each in places}
    return frozenset(folded(name) for each in outermost(real) for name in bind_mounts.called(each))


def _within(ways: Iterable[str], areas: Collection[str]) -> bool:
    """Tell whether one of some places lies in an area, by whichever mount it is seen."""
    return bool(areas) and any(
        above in areas
        for each in ways
        for name in bind_mounts.called(each)
        for above in upwards(folded(name))
    )


def could_make(place: str) -> bool:
    """Tell whether an agent that was started could make or change a file, as it is written down.

    Args:
        place: An absolute path. Where something read-only lies over it, none could.
    """
    real = links.real(place)
    for started in _started():
        over = [(at, mode) for each, mode in started.mounts if within(real, at := links.real(each))]
        if over and max(over, key=lambda each: len(each[0]))[1] == Mode.READ_WRITE:
            return True
    return False


def starter(place: str, but: str | None = None) -> str | None:
    """Return the workspace whose agent was last started with a place, to be changed by it, if any.

    Args:
        place: An absolute path.
        but: A configuration file whose workspaces do not count.
    """
    own = but and links.real(but)
    real, hops = Links().trace(place)
    for name, config, mounts in _started():
        if own and links.real(config) == own:
            continue
        areas = _areas(at for at, mode in mounts if mode == Mode.READ_WRITE)
        if _within((clean(place), *hops, real), areas):
            return name
    return None


def writable(file: str, own: Iterable[str], *, others: bool) -> tuple[tuple[str, str], ...]:
    """Return what agents were last started with, to be changed by them.

    Args:
        file: A configuration file.
        own: Its workspaces; one of the same name is started in the place of another.
        others: Whether of those of other configurations, or of its own.

    Returns:
        Workspaces with places, each as it was named and as it really is.
    """
    here, mine = links.real(file), {*own}
    return tuple(
        (name, place)
        for name, config, mounts in _started()
        if (name not in mine and links.real(config) != here) is others
        for at, mode in mounts
        if mode == Mode.READ_WRITE
        for place in dict.fromkeys((at, links.real(at)))
    )


def _given() -> Iterator[str]:
    """Yield what agents were last started with and can write, as it is written down."""
    for started in _started():
        yield from (place for place, mode in started.mounts if mode == Mode.READ_WRITE)


class _Start(NamedTuple):
    """What an agent was last started with."""

    workspace: str
    config: str
    """The configuration file."""
    mounts: tuple[tuple[str, str], ...]
    """Places here that it has, with modes."""


def _started() -> Iterator[_Start]:
    """Yield what agents were last started with, as it is written down.

    A workspace that has left the configuration is among them until it is destroyed.
    """
    for name, place in records.starts():
        with suppress(OSError):
            there = place.stat()
            # It is replaced whenever it changes, so its inode and its time say which one it is.
            if found := _start(name, place, (there.st_ino, there.st_mtime_ns, there.st_size)):
                yield found


@lru_cache
def _start(name: str, record: Path, _: tuple[int, int, int]) -> _Start | None:
    """Read a record once a run; None of one of another version, or of none."""
    try:
        found: Any = json.loads(record.read_bytes())
        mounts = found["compose"]["services"][AGENT]["mounts"]
        given = tuple(
            (str(each["source"]["text"]), str(each["mode"])) for each in mounts if "source" in each
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return _Start(name, str(found.get("config") or "/"), given)
