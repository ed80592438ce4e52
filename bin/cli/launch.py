"""Parse a command line with cyclopts, and run its command."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated

from cyclopts import Parameter

from jailoc import __version__
from jailoc.bin.cli import declarations
from jailoc.bin.cli.app import Options, Switch, app
from jailoc.bin.host import log, programs

QUIET = {declarations.help_.__name__, declarations.completion.__name__}
"""What leaves no trace in the log: commands about the command line itself."""


def _recorded() -> Callable[[str], bool]:
    """Return what tells of the agents that were started; it is loaded where it is asked first."""

    @cache
    def known() -> Callable[[str], bool]:
        from jailoc.bin.config.changeable import Recorded

        return Recorded()

    def changeable(place: str) -> bool:
        return known()(place)

    return changeable


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
    Options.command = " ".join(app.parse_commands(tokens)[0]) or "attach"
    if command.__module__ not in QUIET:
        log.start(verbose)
    log.info("start", version=__version__, command=Options.command)
    programs.pass_over(_recorded())
    return int(command(*bound.args, **bound.kwargs) or 0)


def run(words: Sequence[str]) -> int:
    """Run the command that words name, and return its exit status.

    Raises:
        CycloptsError: they name none, or a wrong value.
    """
    status = app.meta(words, exit_on_error=False, print_error=False, result_action="return_value")
    return int(status or 0)
