"""Secrets: what they are called, where they come from and where they go. Never their values."""

import re
from enum import StrEnum

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from jailoc.model.base import Model
from jailoc.model.environment import RESERVED
from jailoc.model.field_error import problem
from jailoc.model.host import Host
from jailoc.model.path import clean, expand

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FILE_NAME = re.compile(r"[A-Za-z0-9_-]+")
NOT_FOR_SECRETS = (*RESERVED, "HOME", "PATH")
ARGUMENT_LIMIT = 128 * 1024
"""Bytes of `NAME=value` with its closing zero that the kernel hands to a program (execve(2))."""
SECRETS_LIMIT = 16 << 20
"""Bytes of all secrets of a workspace; they are held in memory."""


class Destination(StrEnum):
    """How the agent sees a secret."""

    ENVIRONMENT = "env"
    FILE = "file"


_ONE_SOURCE: JsonDict = {
    "oneOf": [
        {"required": [key], "properties": {key: {"minLength": 1}}}
        for key in ("from_env", "from_file")
    ]
}


class Source(Model):
    """Where a value comes from: a variable of jailoc's own environment, or a file. One of the two.

    An empty text counts as none, as everywhere in the configuration.
    """

    model_config = ConfigDict(json_schema_extra=_ONE_SOURCE)

    from_env: str = Field(
        default="",
        description="Name of a variable of jailoc's environment.",
        json_schema_extra={"pattern": f"^({VARIABLE.pattern})?$"},
    )
    from_file: str = Field(
        default="",
        description="File of the host: an absolute path, or ~/...",
        json_schema_extra={"pattern": "^([/~][^$]*)?$"},
    )

    @field_validator("from_env")
    @classmethod
    def _variable(cls, value: str) -> str:
        if value and not VARIABLE.fullmatch(value):
            raise problem(
                "secret-variable",
                f"`{value}` is not the name of a variable",
                "letters, digits and _, not beginning with a digit",
            )
        return value

    @field_validator("from_file")
    @classmethod
    def _file(cls, value: str, info: ValidationInfo) -> str:
        host: Host = (info.context or {})["host"]
        path = expand(value, host.home)
        if "$" in path or "\0" in path:
            raise problem(
                "secret-file",
                f"secret file `{value}` holds a `$` or NUL character",
                "a path without them",
                "variables are not expanded in paths",
            )
        if path and not path.startswith("/"):
            raise problem(
                "secret-file",
                f"secret file `{value}` is relative",
                "an absolute path, or one beginning with ~",
            )
        return clean(path) if path else ""


class Secret(Model):
    """One secret of a workspace, resolved."""

    name: str
    destination: Destination
    from_env: str = ""
    from_file: str = ""
    origin: str


def check_name(name: str, destination: Destination) -> str:
    """Return a secret's name if it may be one.

    Raises:
        PydanticCustomError: it does not fit its destination.
    """
    if destination is Destination.FILE:
        if not FILE_NAME.fullmatch(name):
            raise problem(
                "secret-name",
                f"`{name}` is an invalid name of a secret file",
                "letters A-Z, a-z, digits, - and _",
            )
        return name
    if not VARIABLE.fullmatch(name):
        raise problem(
            "secret-name",
            f"`{name}` is not the name of a variable",
            "letters, digits and _, not beginning with a digit",
        )
    if name in NOT_FOR_SECRETS:
        raise problem(
            "secret-reserved",
            f"variable `{name}` is reserved: jailoc sets it",
            f"any name but {', '.join(NOT_FOR_SECRETS)}",
        )
    return name


def check_source(source: Source) -> Source:
    """Return a source that names exactly one place.

    Raises:
        PydanticCustomError: it names none, or both.
    """
    if not source.from_env and not source.from_file:
        raise problem("secret-source", "the secret has no source", "from_env or from_file")
    if source.from_env and source.from_file:
        raise problem(
            "secret-source",
            "from_env and from_file are mutually exclusive",
            "exactly one of from_env and from_file",
        )
    return source
