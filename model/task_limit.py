"""How many processes and threads a container may have."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from jailoc.model.field_error import problem

DEFAULT = 2048
"""An agent and its tool servers have 60 to 90 threads each; a build has some dozens a processor."""
LEAST, MOST = 128, 4_194_304
"""What the agent, or its Docker, needs to start; the kernel's own most (PID_MAX_LIMIT)."""


def _pids(value: int) -> int:
    if not LEAST <= value <= MOST:
        raise problem("pids", f"pids `{value}` is out of range", f"{LEAST} to {MOST}")
    return value


Pids = Annotated[
    int,
    AfterValidator(_pids),
    WithJsonSchema({"type": "integer", "minimum": LEAST, "maximum": MOST}),
]
