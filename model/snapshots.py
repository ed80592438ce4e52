"""Snapshots of what an agent works in: how they are bounded, how one looks, what an undo does."""

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from jailoc.model.base import Model
from jailoc.model.config_values import Array
from jailoc.model.field_error import problem
from jailoc.model.schema_patterns import string
from jailoc.model.size import ENGINE_MAXIMUM, shorter, size

MOST_KEPT, MOST_DAYS = 1000, 3650
LEAST_SIZE = 64 << 20
"""Bytes of a store; restic fills files of 16 MiB."""


_PART = r"[^/\[\]\\\x00-\x1f\x7f]"
_EXCLUDED = rf"(?!!){_PART}+(/{_PART}+)*"
_NEVER = r"(^|/)\.{1,2}(/|$)"


def _exclude(value: str) -> str:
    if not re.fullmatch(_EXCLUDED, value) or re.search(_NEVER, value):
        raise problem(
            "snapshots",
            f"`{value}` is no name of what snapshots leave out",
            "a name, or a path within the workspace paths, with * and ? as wildcards: "
            "node_modules, build/out, *.iso",
        )
    return value


def _size(value: str) -> str:
    amount = size(value)
    if amount is None or amount > ENGINE_MAXIMUM:
        raise problem(
            "snapshots",
            f"`{value}` is no size",
            "digits with an optional k, m or g, such as 512m or 10g",
            shorter(value),
        )
    return value


def _store(value: str) -> str:
    if (size(_size(value)) or 0) < LEAST_SIZE:
        raise problem("snapshots", f"a store of `{value}` is too small", "64m or more")
    return value


def _count(most: int) -> tuple[AfterValidator, WithJsonSchema]:
    def check(value: int) -> int:
        if not 1 <= value <= most:
            raise problem("snapshots", f"`{value}` is out of range", f"1 to {most}")
        return value

    return (
        AfterValidator(check),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": most}),
    )


_AMOUNT = string("^[1-9][0-9]*[kmgKMG]?$")
Excluded = Annotated[str, AfterValidator(_exclude), string(f"^{_EXCLUDED}$", _NEVER)]
FileSize = Annotated[str, AfterValidator(_size), _AMOUNT]
StoreSize = Annotated[str, AfterValidator(_store), _AMOUNT]
Kept = Annotated[int, *_count(MOST_KEPT)]
Days = Annotated[int, *_count(MOST_DAYS)]


class SnapshotSettings(Model):
    """What the configuration says of snapshots."""

    before_up: bool | None = Field(
        default=None,
        description="Take a snapshot of the workspace paths each time before the agent starts "
        "(default false).",
    )
    exclude: Annotated[tuple[Excluded, ...], Array] = Field(
        default=(),
        description="Names, or paths within the workspace paths, that snapshots leave out and an "
        "undo leaves alone, with * and ? as wildcards, such as node_modules.",
    )
    larger_than: FileSize | None = Field(
        default=None,
        description="Files larger than this are left out and left alone, too: digits with k, m or "
        "g (default 512m).",
    )
    keep: Kept | None = Field(
        default=None, description="Number of snapshots that are kept, the newest (default 20)."
    )
    days: Days | None = Field(
        default=None, description="Days after which a snapshot goes (default 14)."
    )
    size: StoreSize | None = Field(
        default=None,
        description="What all snapshots of a workspace may take on the disk: digits with k, m or g "
        "(default 10g).",
    )


class Snapshots(Model):
    """How snapshots of a workspace are taken and bounded."""

    before_up: bool = False
    exclude: tuple[str, ...] = ()
    larger_than: int = 512 << 20
    """Bytes of a file."""
    keep: int = 20
    days: int = 14
    size: int = 10 << 30
    """Bytes of the store."""
    configured: bool = False
    """Whether the configuration says anything of them."""


class Why(StrEnum):
    """Why a snapshot was taken; restic keeps it as a tag."""

    ASKED = "asked"
    BEFORE_START = "before-start"
    BEFORE_UNDO = "before-undo"


class StoredSnapshot(Model):
    """One, as restic tells it."""

    id: str
    time: float
    """Seconds since the epoch."""
    paths: tuple[str, ...]
    excludes: tuple[str, ...] = ()
    """What was left out by its name."""
    tags: tuple[str, ...] = ()
    tree: str
    """The digest of all that it holds."""
    files: int | None = None
    """Their number, if it was noted."""
    bytes: int | None = None
    """Of all its files together."""

    @property
    def short(self) -> str:
        """Return the part of its id that people use."""
        return self.id[:8]

    @property
    def why(self) -> str:
        """Say why it was taken."""
        return self.tags[0].replace("-", " ") if self.tags else "-"


class UndoJournal(Model):
    """An undo that has begun: written before anything is changed, gone when all is restored."""

    version: Literal[1] = 1
    snapshot: str
    """To whose state it returns."""
    before: str
    """The snapshot of what was there, by which it can be undone itself."""
    targets: tuple[str, ...]
    """Absolute paths that are restored, each a workspace path or below one."""
    started: bool
    """Whether the agent ran, so that it is made anew at the end."""
    restoring: bool = False
    """Whether anything may be changed: `before` has all that was there then."""
