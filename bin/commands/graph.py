"""`graph`: draw who may reach what, and what is mounted how."""

import sys

from jailoc.bin.config.session import Session
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.views import diagram
from jailoc.generators.views.svg import svg
from jailoc.generators.views.tree import tree


def run(session: Session, form: str | None) -> int:
    """Draw who may reach what, and what is mounted how, as it is compiled now."""
    origin, terminal = session.source(expectations=False), session.terminal
    name = session.chosen(origin)
    bundle = compile_workspace(origin.config, name, origin.host)
    match form or ("terminal" if sys.stdout.isatty() else "mermaid"):
        case "mermaid":
            terminal.result(diagram.mermaid(bundle))
        case "svg":
            terminal.result(svg(diagram.draw(bundle)))
        case _:
            # A terminal scrolls: nothing is left out.
            terminal.result(tree(diagram.draw(bundle, most=diagram.ALL), terminal.width))
    return 0
