"""The command line's root, and the options that every command understands."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from jailoc import __version__

if TYPE_CHECKING:
    from jailoc.bin.terminal import Terminal

app = App(
    name="jailoc",
    help="Sandboxes for headless OpenCode agents, compiled from one configuration file.",
    usage="Usage: jailoc [PATH] [OPTIONS]\n       jailoc COMMAND [OPTIONS] [ARGS]",
    version=__version__,
    version_flags=["--version", "-v"],
    help_flags=["--help", "-h"],
    # An interrupt is told by `cli.run`, with the exit status of an error.
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


def terminal() -> "Terminal":
    """Return the streams of this run."""
    from jailoc.bin.terminal import Terminal

    return Terminal(color=Options.color)
