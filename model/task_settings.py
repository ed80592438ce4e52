"""How many tasks a workspace may have beside it, how large they are together, at which ports."""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from jailoc.model.base import Model
from jailoc.model.config_values import Array, Memory, Port
from jailoc.model.field_error import problem

DEFAULT_LIMIT, MOST = 4, 100
"""Tasks of one workspace."""
DEFAULT_MEMORY = "16g"
DEFAULT_PORTS = (4600, 4699)
"""Far from where workspaces are counted from, so that no task moves one."""


def _limit(value: int) -> int:
    if not 1 <= value <= MOST:
        raise problem("task-limit", f"limit `{value}` is out of range", f"1 to {MOST}")
    return value


def _ports(value: tuple[int, ...]) -> tuple[int, int]:
    match value:
        case (first, last) if first <= last:
            return first, last
    raise problem(
        "task-ports",
        f"`{list(value)}` is no range of ports",
        "the first port and the last one, such as [4600, 4699]",
    )


Limit = Annotated[
    int, AfterValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST})
]
PortRange = Annotated[
    tuple[Port, ...],
    Array,
    AfterValidator(_ports),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 65535},
            "minItems": 2,
            "maxItems": 2,
        }
    ),
]


class TaskSettings(Model):
    """What bounds the tasks of a workspace."""

    limit: Limit | None = Field(
        default=None, description=f"Number of tasks (default {DEFAULT_LIMIT})."
    )
    memory: Memory | None = Field(
        default=None,
        description=f"What the limits of those that run may come to (default {DEFAULT_MEMORY}).",
    )
    ports: PortRange | None = Field(
        default=None,
        description="First and last port that their servers are published at, on 127.0.0.1 of the "
        f"host (default {list(DEFAULT_PORTS)}).",
    )
