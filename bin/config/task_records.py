"""What is written down of tasks: a file each, which is there once the task is whole."""

import re
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from jailoc.bin.host import files, regular
from jailoc.bin.host.paths import state_directory
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import TASK, WORKSPACE
from jailoc.model.task import Task
from jailoc.model.text import meant

FOLDER, END = "tasks", ".json"


def place(workspace: str, name: str) -> Path:
    """Return where a task is written down."""
    return state_directory() / workspace / FOLDER / f"{name}{END}"


def every() -> tuple[Task, ...]:
    """Return all tasks that are written down, in order; what cannot be read is none."""
    found = []
    for file in sorted(state_directory().glob(f"*/{FOLDER}/*{END}")):
        workspace, name = file.parent.parent.name, file.name.removesuffix(END)
        if re.fullmatch(WORKSPACE, workspace) and re.fullmatch(TASK, name):
            with suppress(ValidationError, OSError, regular.NotRegular):
                task = Task.model_validate_json(regular.read(str(file)))
                if (task.workspace, task.name) == (workspace, name):
                    found.append(task)
    return tuple(found)


def of(workspace: str) -> tuple[Task, ...]:
    """Return the tasks of a workspace."""
    return tuple(each for each in every() if each.workspace == workspace)


def known(workspace: str, name: str) -> Task:
    """Return a task.

    Raises:
        Refused: there is none of that name.
    """
    mine = of(workspace)
    found = next((each for each in mine if each.name == name), None)
    if found is None:
        raise refuse(
            "task-unknown",
            f"workspace `{workspace}` has no task `{name}`",
            allowed=", ".join(each.name for each in mine) or "it has none",
            hint=meant(name, [each.name for each in mine])
            or "`jailoc task list` shows those that there are",
        )
    return found


def write(task: Task) -> None:
    """Write a task down: from then on there is one."""
    file = place(task.workspace, task.name)
    files.make_private(file.parent.parent)
    files.make_private(file.parent)
    files.write(file, task.model_dump_json() + "\n", 0o600)
