"""The command line. Thin: it parses, calls one function a command, and maps errors to exit codes.

Exit codes: 0 fine, 1 any error, 2 differences where they are asked for (`verify`). Nothing heavy is
imported before a command needs it: what cyclopts would ask of rich, `manual` answers.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from jailoc import __version__
from jailoc.bin.cli import completion, declarations, update
from jailoc.bin.cli import help as manual
from jailoc.bin.cli.app import Options, Switch, app, terminal
from jailoc.bin.host import log
from jailoc.model.palette import Meaning

QUIET = {declarations.help_.__name__, declarations.completion.__name__}
"""What leaves no trace in the log: commands about the command line itself."""


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    workspace: Annotated[str | None, Parameter(name=["--workspace", "-w"])] = None,
    config: str | None = None,
    color: Annotated[bool, Parameter(name="--color", negative="--no-color", show=True)] = True,
    verbose: Switch = False,
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
        No colours; without it they are used where standard output is a terminal.
    verbose
        Show on standard error what goes into the log, and what Compose says.
    """
    Options.workspace, Options.config = workspace, config
    Options.color, Options.verbose = color, verbose
    command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    Options.command = command.__name__.rstrip("_")
    if command.__module__ not in QUIET:
        log.start(verbose)
    log.info("start", version=__version__, command=Options.command)
    return int(command(*bound.args, **bound.kwargs) or 0)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit status; no error ever shows a traceback."""
    words = list(arguments)
    if words[:1] == [completion.ASK]:
        terminal().result(completion.answer(words[1:]))
        return 0
    with update.notice(words):
        try:
            if (text := manual.answer(words)) is not None:
                terminal().result(text)
                return 0
            status = app.meta(
                words, exit_on_error=False, print_error=False, result_action="return_value"
            )
            return int(status or 0)
        except KeyboardInterrupt:
            log.info("interrupted")
            with suppress(OSError):  # the terminal may be what is gone
                terminal().say("interrupted", Meaning.WARNS)
            return 1
        except (Exception, cyclopts.CycloptsError) as error:
            from jailoc.bin.cli.errors import report

            return report(error, terminal())
