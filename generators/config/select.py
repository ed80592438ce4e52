"""Choose the workspace that a directory belongs to, or refuse a name that none has."""

from collections.abc import Sequence

from jailoc.model.config import Config
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.path import within
from jailoc.model.sandbox import task_of
from jailoc.model.text import meant


def select(config: Config, directory: str) -> str | None:
    """Return the workspace whose path holds a directory; the path with most segments wins.

    A tie goes to the first workspace in byte order. Symbolic links are not followed on either side.

    Args:
        config: The configuration.
        directory: An absolute, clean path.
    """
    found = [
        (path.count("/"), name)
        for name, workspace in config.workspaces.items()
        for path in workspace.paths
        if within(directory, path)
    ]
    return min(found, key=lambda each: (-each[0], each[1]))[1] if found else None


def unknown_workspace(name: str, every: Sequence[str], other: str | None = None) -> Refused:
    """Return the refusal of a name that no workspace, or no task, has.

    Args:
        name: The name.
        every: The names that there are.
        other: What to do if it is none of them mistyped.
    """
    if task := task_of(name):
        return refuse(
            "task-unknown",
            f"workspace `{task[0]}` has no task `{task[1]}`",
            hint="`jailoc task list` shows those that there are",
        )
    return refuse(
        "workspace-unknown",
        f"workspace `{name}` not found",
        allowed=", ".join(every) or "none is configured",
        hint=meant(name, every) or other,
    )


NAMED = ("add", "allow")
"""Commands whose own argument is no workspace."""
OF_OTHERS = ("exec", "pause")
"""Those that run a command of the user's."""


def nameless_workspace(place: str, every: Sequence[str], command: str) -> Refused:
    """Return the refusal of what stands for no name, where no workspace is called so.

    Args:
        place: The directory that is in none.
        every: All workspaces.
        command: The command, for the hint; of some with what it was given.
    """
    other = every[0] if len(every) == 1 else "NAME"
    where = f"-w {other}" if command.startswith(NAMED) else other
    if command in OF_OTHERS:
        where += " -- COMMAND"
    also = "; `jailoc init --here` adds one for this directory"
    words = " ".join(each for each in ("jailoc", command.replace("attach", "-w"), where) if each)
    return refuse(
        "workspace-unknown",
        f"no workspace is named, and `{place}` is in none",
        allowed=", ".join(every) or "none is configured",
        hint=f"run `{words}`{also}"
        if every
        else "`jailoc init --here` adds one for this directory",
    )
