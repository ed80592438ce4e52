"""What a team commits of a workspace, as models, and how it differs from what is compiled."""

import json
from enum import StrEnum
from typing import Literal

from pydantic import Field, JsonValue, field_validator

from jailoc.model.base import Model
from jailoc.model.compose import Compose
from jailoc.model.firewall import Firewall
from jailoc.model.power import Power, PowerChange, Sides
from jailoc.model.power_rules import RULES

LONGEST_PATH = 1024
BUNDLE_FILE = "bundle.json"
SCHEMA: Literal["https://jailoc.dev/schemas/bundle.schema.json"] = (
    "https://jailoc.dev/schemas/bundle.schema.json"
)


class Written(Model):
    """A generated file that stands beside; `path` is relative to the workspace's folder."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        if not path or set(path.split("/")) & {"", ".", ".."} or "\0" in path:
            raise ValueError("a path inside the folder")
        if len(path) > LONGEST_PATH or max(len(each.encode()) for each in path.split("/")) > 255:
            raise ValueError("a path that a disk can have")
        return path


class Image(Model):
    """An image that is built for the workspace."""

    name: str
    tag: str
    base: str | None = None
    directory: str | None = None
    """Directory of the host that is its build context."""


class Snapshot(Model):
    """A compiled workspace as models: what `bundle.json` holds. No secret is in it."""

    schema_: Literal["https://jailoc.dev/schemas/bundle.schema.json"] = Field(
        default=SCHEMA, alias="$schema"
    )
    workspace: str
    compose: Compose
    firewall: Firewall
    builds: tuple[Image, ...]
    stated: tuple[Power, ...]
    """Powers that neither containers nor rules tell: where secrets come from, guards."""
    files: tuple[Written, ...]

    @field_validator("stated")
    @classmethod
    def _known(cls, stated: tuple[Power, ...]) -> tuple[Power, ...]:
        if any(each.rule not in RULES for each in stated):
            raise ValueError("a power of another version")
        return stated

    @property
    def sides(self) -> Sides:
        """Return what of it decides what the sandbox may do."""
        return Sides(compose=self.compose, firewall=self.firewall, stated=self.stated)


class State(StrEnum):
    """How a committed workspace stands to its configuration."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    """It is in the configuration alone."""
    REMOVED = "removed"
    """It is among the committed files alone."""
    UNREADABLE = "unreadable"
    """Its models cannot be read back, so what it was is not known."""


class FileState(StrEnum):
    """How a committed file stands to the generated one."""

    CHANGED = "changed"
    EDITED = "edited"
    """It is not what was once generated, either."""
    MISSING = "missing"
    STALE = "stale"
    """It was generated once, and is not any more."""


class FileDifference(Model):
    """A file that is not as it should be."""

    path: str
    state: FileState
    before: str
    after: str


class ValueChange(Model):
    """One value of the models that differs."""

    path: str
    before: JsonValue = None
    """None where there was none."""
    after: JsonValue = None

    @property
    def text(self) -> str:
        """Return it as one line."""
        return f"{self.path}: {_json(self.before)} -> {_json(self.after)}"


def _json(value: JsonValue) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


class Difference(Model):
    """One workspace: what is committed against what the configuration becomes."""

    name: str
    state: State
    powers: tuple[PowerChange, ...] = ()
    changes: tuple[ValueChange, ...] = ()
    files: tuple[FileDifference, ...] = ()

    @property
    def first(self) -> str | None:
        """Return what has to be known before all else."""
        if self.state is State.UNREADABLE:
            return f"{self.name}: {BUNDLE_FILE} cannot be read, so what it was is not known"
        if edited := [each.path for each in self.files if each.state is FileState.EDITED]:
            more = f" and {len(edited) - 3} more" if len(edited) > 3 else ""
            return f"{self.name}: changed by hand: {', '.join(edited[:3])}{more}"
        return None

    @property
    def listed(self) -> tuple[FileDifference, ...]:
        """Return the files that are worth a line; of a workspace that comes or goes, none."""
        return () if self.state in {State.ADDED, State.REMOVED} else self.files
