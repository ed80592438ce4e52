"""The command that draws a sandbox: `graph`."""

import sys

from jailoc.bin.config import source
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.views import diagram
from jailoc.generators.views.svg import svg


def run(terminal: Terminal, config: str | None, wanted: str | None, form: str | None) -> int:
    """Draw who may reach what, and what is mounted how, as it is compiled now."""
    origin = source.read(config, expectations=False)
    bundle = compile_workspace(origin.config, origin.chosen(wanted), origin.host)
    match form or ("terminal" if sys.stdout.isatty() else "mermaid"):
        case "mermaid":
            terminal.result(diagram.mermaid(bundle))
        case "svg":
            terminal.result(svg(diagram.draw(bundle)))
        case _:
            # A terminal scrolls: nothing is left out.
            terminal.result(diagram.terminal(diagram.draw(bundle, most=diagram.ALL)))
    return 0
