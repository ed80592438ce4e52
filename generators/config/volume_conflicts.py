"""Volumes against all else that is mounted: none covers what is, and none lies in it."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.resolve import agent_of, names, resolve
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.host import Host
from jailoc.model.path import within
from jailoc.model.sandbox import AGENT_HOME
from jailoc.model.volume import MADE, SHARED, VolumeSpec
from jailoc.model.workspace import NamedVolume, Workspace


def volume_conflicts(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield every volume that is where something else is, in any workspace."""
    told: set[Path] = set()
    for name in names(config):
        if not (config.defaults.volumes or config.workspaces[name].volumes):
            continue
        workspace = resolve(config, name, host)
        for volume in workspace.volumes:
            where = _where(name, config, volume)
            if where in told:
                continue
            if reason := _taken(workspace, config, volume):
                told.add(where)
                yield found(
                    document,
                    where,
                    "volume-place",
                    f"volume `{volume.name}` of workspace `{name}` cannot be at `{volume.place}`: "
                    f"{reason}",
                    "a directory of its own",
                )


def volume_doubts(document: Document, config: Config) -> Iterator[Diagnostic]:
    """Yield what is worth a word about volumes: who else writes there, and who owns the way."""
    scopes: list[tuple[Path, tuple[VolumeSpec, ...]]] = [(("defaults",), config.defaults.volumes)]
    scopes += [(("workspaces", name), config.workspaces[name].volumes) for name in names(config)]
    for at, volumes in scopes:
        for index, each in enumerate(volumes):
            place: Path = (*at, "volumes", index)
            if each.shared:
                yield found(
                    document,
                    place,
                    "volume-shared",
                    f"volume `{each.name}` is shared: what the agent of one workspace writes in "
                    "it, the agents of all others that name it read, and may execute",
                    hint=f"leave `{SHARED}:` out for a volume of the workspace's own",
                )
            below = each.place.removeprefix(f"{AGENT_HOME}/")
            parent = below.rpartition("/")[0]
            covered = any(within(each.place, one.place) for one in volumes if one is not each)
            if below != each.place and parent and parent not in MADE and not covered:
                if parent.startswith(".cache/"):
                    continue  # a volume of the agent's own, in which the way is made for it
                top = below.partition("/")[0] if not below.startswith(".local/") else parent
                yield found(
                    document,
                    place,
                    "volume-parent",
                    f"`{AGENT_HOME}/{parent}` is not in the image that jailoc builds, so the "
                    "engine makes it, and the agent cannot write beside the volume",
                    hint=f"mount the whole directory: {each.name}:~/{top}; with an image that has "
                    "it, all is well",
                )


def _where(name: str, config: Config, volume: NamedVolume) -> Path:
    """Return the place of the entry that a volume comes from."""
    mine = [each.place for each in config.workspaces[name].volumes]
    if volume.place in mine:
        return ("workspaces", name, "volumes", _last(mine, volume.place))
    return ("defaults", "volumes", _last([e.place for e in config.defaults.volumes], volume.place))


def _last(places: list[str], place: str) -> int:
    return max(index for index, each in enumerate(places) if each == place)


def _taken(workspace: Workspace, config: Config, volume: NamedVolume) -> str | None:
    """Say what is at a volume's place, around it or in it; None if nothing is."""
    agent = agent_of(config, workspace.name)
    fixed = [(each.path, f"the workspace path `{each.path}`") for each in workspace.paths]
    fixed += [(each.container, f"the mount at `{each.container}`") for each in workspace.mounts]
    # What is mounted where the host has it is in the way on every machine.
    fixed += [
        (f"{AGENT_HOME}/{each.path}", f"the mount at `{AGENT_HOME}/{each.path}`")
        for each in agent.mounts
    ]
    for place, what in fixed:
        if volume.place == place:
            return f"there is {what}"
        if within(volume.place, place):
            return f"it lies in {what}"
        if within(place, volume.place):
            return f"it would cover {what}"
    for other in workspace.volumes:
        # Other agents could lead it away in the moment in which it is mounted.
        if other.shared and other.place != volume.place and within(volume.place, other.place):
            return f"it lies in the volume `{other.name}` at `{other.place}`, which is shared"
    for each in agent.volumes:
        own = f"{AGENT_HOME}/{each.path}"
        if within(own, volume.place):
            return f"{agent.name} has a volume of its own at `{own}`"
    return None
