"""What the agents of two workspaces can write, so that one changes what the other works with."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.resolve import agent_of, built_in_mounts, names
from jailoc.model.base import Model
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.host import Host
from jailoc.model.mount import Mode, MountSpec
from jailoc.model.path import upwards

MOST_NAMED = 20
"""Workspaces that are named beside the first, where the last is not."""
_WORKSPACE: Path = ("workspaces", "NAME")


class Writable(Model):
    """A place of the host that the agent of a workspace can write."""

    path: str
    real: str
    place: str | None
    """Where a mount has it; None for a path of the workspace."""
    workspace: str
    where: Path
    """The entry that makes it so; the workspace where none does."""


def shared_places(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield each place that is writable in several workspaces."""
    seen: list[Writable] = []
    reach: dict[str, list[int]] = {}
    """What was seen at a place or below it, by its number."""
    there: dict[str, list[int]] = {}
    told: dict[tuple[str, Path | None], tuple[Writable, list[str]]] = {}
    for name in names(config):
        mine = tuple(_writable(config, name, host))
        for each in mine:
            # What no entry makes writable is told once for all workspaces.
            entry = each.where if len(each.where) > len(_WORKSPACE) else None
            if entry is None and (each.path, None) in told:
                told[each.path, None][1].append(name)
                continue
            numbers = {*reach.get(each.real, ())}
            for place in upwards(each.real):
                numbers.update(there.get(place, ()))
            if numbers:
                holders = [seen[number].workspace for number in sorted(numbers)]
                told.setdefault((each.path, entry), (each, []))[1].extend((*holders, name))
        for number, each in enumerate(mine, len(seen)):
            there.setdefault(each.real, []).append(number)
            for place in upwards(each.real):
                reach.setdefault(place, []).append(number)
        seen += mine
    for (path, entry), (each, owners) in told.items():
        first, *others, last = dict.fromkeys(owners)
        if each.place is None:
            message = f"path `{path}` is in workspace `{first}` and in `{last}`"
        else:
            every = "".join(f", `{other}`" for other in others[:MOST_NAMED])
            more = len(others) + 1 - MOST_NAMED
            end = f"`{last}`" if more <= 1 else f"{more} others"
            message = f"`{path}` can be written by the agents of `{first}`{every} and {end}"
        hint = "the two agents can change each other's files"
        if entry is None:
            hint = "every sandbox has it by default; each can change what the others find there, " \
                   "also by links; to leave it out: " \
                   f'mounts = [":{each.place}"]'  # fmt: skip
        yield found(document, each.where, "path-shared", message, hint=hint, at_key=entry is None)


def _writable(config: Config, name: str, host: Host) -> Iterator[Writable]:
    mine: Path = ("workspaces", name)
    for index, path in enumerate(config.workspaces[name].paths):
        yield Writable(
            path=path,
            real=host.real(path),
            place=None,
            workspace=name,
            where=(*mine, "paths", index),
        )
    layers: list[tuple[Path, MountSpec]] = [
        (mine, each) for each in built_in_mounts(host, agent_of(config, name))
    ]
    for at, scope in ((("defaults",), config.defaults), (mine, config.workspaces[name])):
        layers += [((*at, "mounts", index), each) for index, each in enumerate(scope.mounts)]
    for where, each in {each.container: (where, each) for where, each in layers}.values():
        if each.host and each.mode is Mode.READ_WRITE:
            yield Writable(
                path=each.host, real=host.real(each.host), place=each.container, workspace=name,
                where=where,
            )  # fmt: skip
