"""How a task becomes a workspace: the same configuration, with a clone where the project was.

Nothing of the project is mounted from the host, so what `protect` covers has no place in it. What
every sandbox may write unasked is not there either: over a socket in it (unix(7)) the workspace's
agent could hand the task's a directory of its project, and what covers files there holds nothing in
another mount namespace. All else, its rules, secrets, images and limits, is what the workspace has.
"""

from collections.abc import Collection, Iterable

from jailoc.generators.config.resolve import mounts_of, port_of, resolve
from jailoc.model.base import Model
from jailoc.model.config import Config, TaskConfig
from jailoc.model.diagnostic import refuse
from jailoc.model.host import Host
from jailoc.model.mount import Mode, Mount, MountSpec
from jailoc.model.network_settings import NetworkSettings
from jailoc.model.path import first_within, within
from jailoc.model.sandbox import typed
from jailoc.model.size import size
from jailoc.model.task import Task
from jailoc.model.task_settings import DEFAULT_LIMIT, DEFAULT_MEMORY, DEFAULT_PORTS


class Bounds(Model):
    """How many tasks a workspace may have, what they may use together, and at which ports."""

    limit: int
    memory: str
    ports: tuple[int, int]


def bounds(config: Config, workspace: str) -> Bounds:
    """Return what bounds the tasks of a workspace."""
    mine, defaults = config.workspaces[workspace].tasks, config.defaults.tasks
    ports = mine.ports or defaults.ports or DEFAULT_PORTS
    return Bounds(
        limit=mine.limit or defaults.limit or DEFAULT_LIMIT,
        memory=mine.memory or defaults.memory or DEFAULT_MEMORY,
        ports=(ports[0], ports[1]),
    )


def with_tasks(config: Config, tasks: Iterable[Task], host: Host) -> Config:
    """Return a configuration that has tasks beside its workspaces; no workspace changes.

    Those of a workspace that it does not have (any more) are passed over.
    """
    made = {
        each.sandbox: _as_workspace(config, each, host)
        for each in tasks
        if each.workspace in config.order
    }
    if not made:
        return config
    return config.model_copy(update={"workspaces": {**config.workspaces, **made}})


def _as_workspace(config: Config, task: Task, host: Host) -> TaskConfig:
    mine = config.workspaces[task.workspace]
    gone = tuple(
        MountSpec(host=None, container=each.container, mode=Mode.READ_WRITE)
        for each in _gone(config, task, host)
    )
    return TaskConfig.model_construct(
        **{
            **dict(mine),
            "workspace": task.workspace,
            "repository": task.repository,
            "port": task.port,
            "paths": (),
            "ports": (),
            "mounts": (*mine.mounts, *gone),
            "network": NetworkSettings(mtu=mine.network.mtu),
        }
    )


def _gone(config: Config, task: Task, host: Host) -> tuple[Mount, ...]:
    """Return the mounts of a workspace that its task does not have.

    Those that hold, or are, something of its project: on the host's side, so that none leads back
    to it; in the container, so that none covers the clone. And those that can be written and that
    nobody has asked for.
    """
    places = {
        place
        for path in (*config.workspaces[task.workspace].paths, task.repository)
        for place in host.places(path)
    }
    return tuple(
        each
        for each in mounts_of(config, task.workspace, host)
        if _writable_unasked(each)
        or _meets(each.container, {task.repository})
        or any(_meets(place, places) for place in host.places(each.host))
    )


def _writable_unasked(mount: Mount) -> bool:
    return mount.mode is Mode.READ_WRITE and mount.origin == "built-in"


def _meets(path: str, places: Collection[str]) -> bool:
    return first_within(path, places) is not None or any(within(each, path) for each in places)


def left_out(config: Config, task: Task, host: Host) -> tuple[str, ...]:
    """Say what of its workspace a task does not have, in words."""
    mine = config.workspaces[task.workspace]
    network = mine.network.subnet or config.defaults.network.subnet
    others = [path for path in mine.paths if path != task.repository]
    return (
        *(f"the path {path}" for path in others),
        *(f"the mount of {each.host}" for each in _gone(config, task, host)),
        *(f"the published port {each.text}" for each in mine.ports),
        *((f"the subnet {network}",) if network else ()),
    )


def both_write(config: Config, task: Task, host: Host) -> tuple[str, ...]:
    """Say what a task and its workspace can both write, in words."""
    mine = resolve(config, task.workspace, host)
    gone = _gone(config, task, host)
    return (
        *(each.host for each in mine.mounts if each.mode is Mode.READ_WRITE and each not in gone),
        *(f"the shared volume `{each.name}`" for each in mine.volumes if each.shared),
    )


def repository_of(config: Config, workspace: str, at: str) -> str:
    """Return the path of a workspace that its tasks are clones of: the one that holds a directory.

    Args:
        config: The configuration.
        workspace: The workspace.
        at: The directory; where it is in none of the paths, the first one counts.

    Raises:
        Refused: it has no path.
    """
    paths = config.workspaces[workspace].paths
    if not paths:
        raise refuse(
            "task-repository",
            f"workspace `{workspace}` has no path, so there is nothing to clone",
            hint="give it the repository in `paths`",
        )
    holding = [path for path in paths if within(at, path)]
    return max(holding, key=len) if holding else paths[0]


def taken(config: Config, tasks: Iterable[Task]) -> frozenset[int]:
    """Return the ports of this machine that the configuration and the tasks there are have."""
    every = {port_of(config, name) for name in config.order}
    every |= {
        port for each in config.workspaces.values() for one in each.ports for port, _ in one.pairs
    }
    return frozenset(every | {each.port for each in tasks})


def too_much(config: Config, workspace: str, memory: str, running: Collection[str]) -> str | None:
    """Say why one more task may not run beside those that do; None if it may.

    Args:
        config: The configuration.
        workspace: The workspace.
        memory: The limit of each of its sandboxes.
        running: Its tasks that run.
    """
    most = bounds(config, workspace).memory
    needed = (size(memory) or 0) * (len(running) + 1)
    if needed <= (size(most) or 0):
        return None
    names = ", ".join(map(typed, sorted(running)))
    beside = f" beside {names}" if names else ""
    return f"with {memory}{beside} its tasks could use more than {most}"
