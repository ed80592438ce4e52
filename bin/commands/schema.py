"""`schema`: print a JSON Schema by its name."""

from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import refuse
from jailoc.model.text import meant
from jailoc.schemas import NAMES
from jailoc.schemas import text as schema_text


def run(terminal: Terminal, name: str) -> int:
    """Print a JSON Schema."""
    if name not in NAMES:
        raise refuse(
            "schema",
            f"there is no schema `{name}`",
            allowed=", ".join(NAMES),
            hint=meant(name, NAMES),
        )
    terminal.result(schema_text(name))
    return 0
