"""Whether a workspace may have one more task: its name, how many there are, memory and a port."""

import re

from jailoc.bin.config import task_records
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import host_ports
from jailoc.bin.engine import container_list
from jailoc.generators.config.resolve import resolve
from jailoc.generators.config.tasks import bounds, taken, too_much
from jailoc.model.config_values import LONGEST_NAME
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import TASK, task_of, task_sandbox
from jailoc.model.text import number_of


def named(workspace: str, name: str) -> None:
    """Refuse what can be no name of a task.

    Raises:
        Refused: with what can be one.
    """
    if task_of(workspace):
        raise refuse("task-name", "a task has no tasks", hint="name its workspace: -w")
    if re.fullmatch(TASK, name) is None:
        raise refuse(
            "task-name",
            f"`{name}` is no name of a task",
            allowed="a-z, 0-9 and -, 40 characters at most, the first no hyphen",
        )
    most = LONGEST_NAME - len(task_sandbox(workspace, ""))
    if len(name) > most:
        raise refuse(
            "task-name",
            f"`{name}` is too long beside `{workspace}`: volumes hold both names twice",
            allowed=f"{most} characters at most" if most > 0 else "a workspace with a shorter name",
        )


def room(origin: LoadedConfig, workspace: str, name: str) -> None:
    """Refuse a task that is there, and one more than there may be.

    Raises:
        Refused: with what to do.
        DockerError: the engine did not answer.
    """
    there = [each.name for each in task_records.of(workspace)]
    if name in there:
        raise refuse(
            "task-exists",
            f"workspace `{workspace}` has a task `{name}` already",
            hint=f"start it: `jailoc up {workspace}/{name}`; or give the new one another name",
        )
    most = bounds(origin.config, workspace).limit
    if len(there) >= most:
        raise refuse(
            "task-many",
            f"workspace `{workspace}` has {number_of(len(there), 'task')} already: "
            f"{', '.join(there)}",
            allowed=f"{most} at most",
            hint=f"`jailoc task rm {there[0]} -w {workspace}`, or raise `limit` in "
            f"[workspaces.{workspace}.tasks]",
        )
    may_run(origin, task_sandbox(workspace, name))


def may_run(origin: LoadedConfig, sandbox: str) -> None:
    """Refuse to start a task beside others that may use all the memory there is for them.

    Raises:
        Refused: with what runs.
        DockerError: the engine did not answer.
    """
    parts = task_of(sandbox)
    if parts is None or parts[0] not in origin.config.order:
        return
    workspace, config = parts[0], origin.config
    mine = (each.sandbox for each in task_records.of(workspace) if each.sandbox != sandbox)
    running = sorted(container_list.working().intersection(mine))
    memory = resolve(config, workspace, origin.host).memory
    if reason := too_much(config, workspace, memory, running):
        raise refuse(
            "task-memory",
            f"task `{parts[1]}` may not run: {reason}",
            hint=f"stop one, `jailoc down`; or raise `memory` in [workspaces.{workspace}.tasks]",
        )


def port(origin: LoadedConfig, workspace: str) -> int:
    """Return the lowest port for one more task that nobody has.

    Raises:
        Refused: there is none.
    """
    first, last = bounds(origin.config, workspace).ports
    gone = taken(origin.config, task_records.every())
    for each in range(first, last + 1):
        if each not in gone and host_ports.is_free(each):
            return each
    raise refuse(
        "task-many",
        f"no port of {first} to {last} is free",
        hint=f"widen `ports` in [workspaces.{workspace}.tasks]",
    )
