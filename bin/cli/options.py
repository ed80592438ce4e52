"""The options that every command understands, and what a command is given. Light: no parser."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jailoc.bin.config.session import Session
    from jailoc.bin.terminal.terminal import Terminal


TAKE_TASKS = {
    "acp", "apply", "attach", "blocked", "destroy", "down", "exec", "explain", "graph", "logs",
    "plan", "refresh", "restart", "shell", "status", "up", "verify",
}  # fmt: skip
"""Commands that take WORKSPACE/TASK where they take a workspace."""


class Options:
    """The flags that every command understands; set once, before the command runs."""

    config: str | None = None
    workspace: str | None = None
    color: bool = True
    verbose: bool = False
    command: str = ""
    """The name of the command that runs."""


def terminal() -> "Terminal":
    """Return the streams of this run."""
    from jailoc.bin.terminal.terminal import Terminal

    return Terminal(color=Options.color, verbose=Options.verbose)


def session(workspace: str | None = None, *, config: str | None = None) -> "Session":
    """Return what a command is given.

    Args:
        workspace: The one that the command's own argument names; `--workspace` counts otherwise.
        config: The file that the command's own argument names; `--config` counts otherwise.
    """
    from jailoc.bin.config.session import Session

    return Session(
        terminal(),
        config or Options.config,
        _meant(workspace or Options.workspace),
        report=_report,
        command=Options.command,
    )


def _report(error: Exception, shown: "Terminal") -> int:
    from jailoc.bin.cli.errors import report

    return report(error, shown)


def wanted(workspaces: tuple[str, ...]) -> tuple[str, ...]:
    """Return the workspaces that are named by arguments, or else by `--workspace`."""
    every = workspaces or ((Options.workspace,) if Options.workspace else ())
    return tuple(found for each in every if (found := _meant(each)) is not None)


def _meant(text: str | None) -> str | None:
    """Return the sandbox that is meant by WORKSPACE or WORKSPACE/TASK.

    Raises:
        Refused: it is a task, and the command is about a workspace's configuration.
    """
    from jailoc.model.sandbox import task_of, untyped

    name = untyped(text) if text else text
    if name and task_of(name) and Options.command not in TAKE_TASKS:
        from jailoc.model.diagnostic import refuse

        raise refuse(
            "task-command",
            f"`{Options.command}` is about a workspace, not about a task of one",
            hint=f"name the workspace: {name.partition('_')[0]}",
        )
    return name
