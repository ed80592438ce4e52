"""The options that every command understands, and what a command is given. Light: no parser."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jailoc.bin.config.session import Session
    from jailoc.bin.terminal.terminal import Terminal


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
        workspace or Options.workspace,
        report=_report,
        command=Options.command,
    )


def _report(error: Exception, shown: "Terminal") -> int:
    from jailoc.bin.cli.errors import report

    return report(error, shown)


def wanted(workspaces: tuple[str, ...]) -> tuple[str, ...]:
    """Return the workspaces that are named by arguments, or else by `--workspace`."""
    return workspaces or ((Options.workspace,) if Options.workspace else ())
