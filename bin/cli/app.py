"""The root of what cyclopts parses: each command adds itself to it."""

from enum import StrEnum
from typing import Annotated

from cyclopts import App, Parameter

from jailoc.bin.cli.options import Options, session, terminal, wanted

__all__ = ["Follow", "Options", "Switch", "TargetName", "app", "session", "terminal", "wanted"]

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


class TargetName(StrEnum):
    """What a configuration is compiled for, beside the engine of this machine."""

    KUBERNETES = "kubernetes"
