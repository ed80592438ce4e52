"""The address of what a plan is about: `service.dind`, `file.wall/rules.v4`, `firewall.rules`.

One class a kind, one way to write it and one to read it. People, JSON and the patterns of
`ignore_drift` see the text; everything else here sees the class.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from jailoc.model.field_error import problem
from jailoc.model.sandbox import AGENT
from jailoc.model.text import visible


@dataclass(frozen=True)
class PlanAddress:
    """What all kinds share: a word, and after it the fields in their order."""

    WORD: ClassVar[str]

    def __str__(self) -> str:
        """Return the address as people and JSON see it."""
        return ".".join((self.WORD, *(getattr(self, each.name) for each in fields(self))))


@dataclass(frozen=True)
class ServiceAddress(PlanAddress):
    """A container, by its service; one that is no service of ours may have any name."""

    WORD = "service"
    name: str


@dataclass(frozen=True)
class FieldAddress(PlanAddress):
    """One value of a service of ours, such as `memory`, `mounts./data` or `environment.A`."""

    WORD = "service"
    service: str
    """It has no dot."""
    field: str


@dataclass(frozen=True)
class FileAddress(PlanAddress):
    """A generated file, by its path below the workspace's directory."""

    WORD = "file"
    path: str


@dataclass(frozen=True)
class ImageAddress(PlanAddress):
    """An image: `jailoc-NAME` if it is built here, else its reference."""

    WORD = "image"
    name: str


@dataclass(frozen=True)
class VolumeAddress(PlanAddress):
    """A named volume, without the project."""

    WORD = "volume"
    name: str


@dataclass(frozen=True)
class SecretAddress(PlanAddress):
    """One secret of the configuration."""

    WORD = "secret"
    name: str


@dataclass(frozen=True)
class CredentialAddress(PlanAddress):
    """One credential that the proxy holds."""

    WORD = "credential"
    name: str


@dataclass(frozen=True)
class CredentialsAddress(PlanAddress):
    """What the proxy holds in memory of all credentials."""

    WORD = "credentials"


@dataclass(frozen=True)
class PasswordAddress(PlanAddress):
    """The password of the agent's server."""

    WORD = "password"


@dataclass(frozen=True)
class SecretsAddress(PlanAddress):
    """What the wall holds in memory of all secrets."""

    WORD = "secrets"


@dataclass(frozen=True)
class RulesAddress(PlanAddress):
    """The rules in the kernel."""

    WORD = "firewall.rules"


@dataclass(frozen=True)
class NetworkAddress(PlanAddress):
    """The project's network."""

    WORD = "network"


@dataclass(frozen=True)
class FilesAddress(PlanAddress):
    """All generated files together."""

    WORD = "files"


@dataclass(frozen=True)
class VolumesAddress(PlanAddress):
    """All volumes together."""

    WORD = "volumes"


@dataclass(frozen=True)
class RecordAddress(PlanAddress):
    """The note of what was applied last."""

    WORD = "record"


_Kind = TypeVar("_Kind", bound=PlanAddress)


def parse(text: str, kinds: Iterable[type[_Kind]]) -> _Kind:
    """Read an address of one of several kinds; the inverse of `str`.

    The kinds tell `service.a.b` apart: among changes it is the service `a.b`, in drift the value
    `b` of the service `a`.

    Raises:
        PydanticCustomError: it is none of them.
    """
    known = tuple(kinds)
    for kind in known:
        count = len(fields(kind))
        make: Callable[..., _Kind] = kind
        head, *parts = _split(text, kind.WORD, count)
        if head == kind.WORD and len(parts) == count:
            return make(*parts)
    raise problem(
        "plan-address",
        f"`{visible(text[:80])}` is no address that a plan has here",
        ", ".join(
            ".".join((each.WORD, *(field.name.upper() for field in fields(each)))) for each in known
        ),
    )


def _split(text: str, word: str, count: int) -> list[str]:
    """Split an address into a word, which may hold dots, and at most so many fields."""
    if not count or not text.startswith(f"{word}."):
        return [text]
    return [word, *text[len(word) + 1 :].split(".", count - 1)]


class _AsText:
    """Has pydantic write a union of addresses as their text, and read it from there."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        kinds: tuple[type[PlanAddress], ...] = get_args(source)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(
                lambda text: parse(text, kinds), core_schema.str_schema()
            ),
            python_schema=core_schema.is_instance_schema(kinds),
            serialization=core_schema.to_string_ser_schema(when_used="always"),
        )


ChangeAddress = Annotated[
    ServiceAddress
    | FileAddress
    | ImageAddress
    | VolumeAddress
    | SecretAddress
    | PasswordAddress
    | SecretsAddress
    | CredentialAddress
    | CredentialsAddress
    | RulesAddress
    | NetworkAddress
    | FilesAddress
    | RecordAddress,
    _AsText(),
]
"""What something is done to."""

DriftAddress = Annotated[FieldAddress | FileAddress | ImageAddress | RulesAddress, _AsText()]
"""What may be found otherwise than it was left."""

FoundAddress = Annotated[
    ServiceAddress
    | FileAddress
    | ImageAddress
    | VolumesAddress
    | RulesAddress
    | NetworkAddress
    | RecordAddress,
    _AsText(),
]
"""What a plan has looked at."""


DRIFT_PATTERN = r"^[^\s.]+(\.[^\n]+)+$"
"""What a pattern of drift looks like, for editors."""


def drift_pattern(value: str) -> str:
    """Return a pattern of addresses of drift, in which `*` stands for anything.

    Raises:
        PydanticCustomError: no address of drift can look like that.
    """
    if not re.fullmatch(DRIFT_PATTERN.removeprefix("^").removesuffix("$"), value):
        raise problem(
            "drift",
            f"`{value}` is no address of drift",
            f"addresses such as {ServiceAddress(AGENT)}.memory, file.wall/*, firewall.rules",
            "`jailoc plan` shows the address of each drift that it finds",
        )
    return value


def matches(address: DriftAddress, patterns: Iterable[str]) -> bool:
    """Tell whether an address is one of those that patterns stand for."""
    return any(fnmatchcase(str(address), pattern) for pattern in patterns)
