"""The command line's root, and the options that every command understands."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from jailoc.bin.config.session import Session
    from jailoc.bin.terminal.terminal import Terminal

app = App(
    name="jailoc",
    help="Sandboxes for headless OpenCode agents, compiled from one configuration file.",
    usage="Usage: jailoc [PATH] [OPTIONS]\n       jailoc COMMAND [OPTIONS] [ARGS]",
    # `jailoc.bin.cli.help` answers these: cyclopts would need rich for it.
    version_flags=(),
    help_flags=(),
    # An alias or a script may give an option that somebody gives again: the last one counts.
    default_parameter=Parameter(allow_repeating=True),
    # `jailoc.bin.cli.main` says the one line and knows the status.
    suppress_keyboard_interrupt=False,
)
app.meta.suppress_keyboard_interrupt = False

Switch = Annotated[bool, Parameter(negative=())]
"""A flag that is only ever given, never negated."""
Follow = Annotated[bool, Parameter(name=["--follow", "-f"], negative=())]


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
