"""The command line. Thin: it parses, calls one function a command, and maps errors to exit codes.

Exit codes: 0 fine, 1 any error, 2 differences where they are asked for (`verify`). Nothing heavy is
imported before a command needs it.
"""

import signal
from collections.abc import Sequence
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from jailoc.bin.app import Options, app, terminal
from jailoc.bin.commands import (
    attachment,
    compilation,
    configuration,
    lifecycle,
    observation,
    wall,
)

__all__ = [
    "attachment",
    "compilation",
    "configuration",
    "lifecycle",
    "observation",
    "run",
    "wall",
]


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    workspace: Annotated[str | None, Parameter(name=["--workspace", "-w"])] = None,
    config: str | None = None,
    color: Annotated[bool, Parameter(name="--color", negative="--no-color", show=True)] = True,
) -> int:
    """Run a command with the options that all commands share.

    Parameters
    ----------
    *tokens
        The command and its own arguments.
    workspace
        The workspace to act on, instead of the one of the current directory.
    config
        The configuration file, instead of ~/.config/jailoc/config.toml.
    color
        Use colours where the output is a terminal.
    """
    Options.workspace, Options.config, Options.color = workspace, config, color
    result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    return int(result or 0)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit status; no error ever shows a traceback."""
    try:
        status = app.meta(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
        return int(status or 0)
    except KeyboardInterrupt:
        # A second one ends the process at once, whatever still has to be tidied up.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        terminal().say("interrupted", "yellow")
        return 1
    except (Exception, cyclopts.CycloptsError) as error:
        from jailoc.bin.failure import report

        return report(error, terminal())
