"""What the agents of two workspaces see and one of them can write: it joins the two.

One changes what the other works with. Over a socket there (unix(7); connect(2) asks no mount
whether it is read-only) it hands the other a directory that it has open, and what covers files of a
project holds nothing in another mount namespace.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.git_access import worktrees
from jailoc.generators.config.resolve import agent_of, built_in_mounts, mounts_of, names
from jailoc.model.base import Model
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path, dotted
from jailoc.model.host import Host
from jailoc.model.mount import Mode, MountSpec
from jailoc.model.path import upwards

MOST_NAMED = 20
"""Workspaces that are named beside the first, where the last is not."""
_WORKSPACE: Path = ("workspaces", "NAME")


class PlaceSeen(Model):
    """A place of the host that the agent of a workspace sees."""

    path: str
    real: str
    place: str | None
    """Where a mount has it; None for a path of the workspace."""
    workspace: str
    where: Path
    """The entry that makes it so; the workspace where none does."""
    writes: bool = True
    given: bool = False
    """Whether a built-in mount makes it so, which every sandbox has."""
    linked: bool = False
    """Whether it is the repository of a linked working tree, which no entry names."""


class _PlacesSeen:
    """Who is at a place, above it or below it."""

    def __init__(self) -> None:
        self._all: list[PlaceSeen] = []
        self._at: dict[str, list[int]] = {}
        self._below: dict[str, list[int]] = {}
        """What is at a place or below it, by its number."""
        self._alike: Counter[tuple[str, Path]] = Counter()

    def add(self, each: PlaceSeen) -> None:
        if not each.writes and (each.given or each.where[0] == "defaults"):
            # Few stand for all who read by it: who writes there, and may be one, meets them all.
            alike = each.real, () if each.given else each.where
            self._alike[alike] += 1
            if self._alike[alike] > 1 + each.given:
                return
        number = len(self._all)
        self._all.append(each)
        self._at.setdefault(each.real, []).append(number)
        for place in upwards(each.real):
            self._below.setdefault(place, []).append(number)

    def meeting(self, real: str) -> list[PlaceSeen]:
        numbers = {*self._below.get(real, ())}
        for place in upwards(real):
            numbers.update(self._at.get(place, ()))
        return [self._all[number] for number in sorted(numbers)]


def shared_places(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield each place that several workspaces have, and one can write."""
    writers, readers = _PlacesSeen(), _PlacesSeen()
    told: dict[tuple[str, Path | None], tuple[PlaceSeen, list[PlaceSeen]]] = {}
    every = {name: tuple(_seen(config, name, host)) for name in names(config)}
    for each in (one for mine in every.values() for one in mine if one.given and not one.writes):
        readers.add(each)  # before all others: it is told at the entry of who writes there
    for name, seen in every.items():
        mine = [each for each in seen if each.writes or not each.given]
        for each in mine:
            # What no entry makes writable is told once for all workspaces.
            entry = each.where if len(each.where) > len(_WORKSPACE) else None
            if entry is None and (each.path, None) in told:
                told[each.path, None][1].append(each)
                continue
            met = writers.meeting(each.real)
            if each.writes:
                met += [one for one in readers.meeting(each.real) if one.workspace != name]
            if met:
                told.setdefault((each.path, entry), (each, []))[1].extend((*met, each))
        for each in mine:
            (writers if each.writes else readers).add(each)
    for (_, entry), (each, owners) in told.items():
        message, hint = _told(each, owners)
        if entry is None:
            hint = "every sandbox has it by default; each can change what the others find there, " \
                   "also by links; to leave it out: " \
                   f'mounts = [":{each.place}"]'  # fmt: skip
        yield found(document, each.where, "path-shared", message, hint=hint, at_key=entry is None)


def _told(each: PlaceSeen, owners: Iterable[PlaceSeen]) -> tuple[str, str]:
    """Say who has a place, and what that means."""
    owners = tuple(owners)
    writing = {one.workspace for one in owners if one.writes}
    if reading := {one.workspace for one in owners} - writing:
        return (
            f"`{each.path}` can be written by {_few(writing)} and is seen by {_few(reading)}",
            "over a socket there, also where it is mounted read-only, the two agents can write "
            "what is covered in each other's projects",
        )
    first, *others, last = dict.fromkeys(one.workspace for one in owners)
    hint = "the two agents can change each other's files"
    if any(one.linked for one in owners):
        hint = "over a socket in what working trees of one repository have in common the agents " \
               "can write what is covered in each other's projects; a clone (`jailoc task`) has " \
               "nothing in common"  # fmt: skip
    if each.place is None:
        return f"path `{each.path}` is in workspace `{first}` and in `{last}`", hint
    every = "".join(f", `{other}`" for other in others[:MOST_NAMED])
    more = len(others) + 1 - MOST_NAMED
    end = f"`{last}`" if more <= 1 else f"{more} others"
    return f"`{each.path}` can be written by the agents of `{first}`{every} and {end}", hint


def _few(workspaces: Collection[str]) -> str:
    """Name workspaces; of many the first."""
    every = sorted(workspaces)
    more = len(every) - MOST_NAMED
    shown = ", ".join(f"`{each}`" for each in every[:MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def _seen(config: Config, name: str, host: Host) -> Iterator[PlaceSeen]:
    mine: Path = ("workspaces", name)
    for index, path in enumerate(config.workspaces[name].paths):
        yield PlaceSeen(
            path=path,
            real=host.real(path),
            place=None,
            workspace=name,
            where=(*mine, "paths", index),
        )
    given, _ = worktrees(config, name, mounts_of(config, name, host), host)
    entries = {
        dotted((*mine, "paths", index)): index
        for index, _ in enumerate(config.workspaces[name].paths)
    }
    # It writes some of the repository, and sees the rest, in which others may write.
    for tree in {each.common: each for each in given}.values():
        yield PlaceSeen(
            path=tree.common, real=host.real(tree.common), place=tree.common, workspace=name,
            where=(*mine, "paths", entries[tree.origin]), linked=True, writes=tree.writable,
        )  # fmt: skip
    layers: list[tuple[Path, MountSpec]] = [
        (mine, each) for each in built_in_mounts(host, agent_of(config, name))
    ]
    for at, scope in ((("defaults",), config.defaults), (mine, config.workspaces[name])):
        layers += [((*at, "mounts", index), each) for index, each in enumerate(scope.mounts)]
    for where, each in {each.container: (where, each) for where, each in layers}.values():
        if each.host:
            yield PlaceSeen(
                path=each.host, real=host.real(each.host), place=each.container, workspace=name,
                where=where, writes=each.mode is Mode.READ_WRITE, given=where == mine,
            )  # fmt: skip
