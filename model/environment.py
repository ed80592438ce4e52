"""Environment variables of the agent."""

from jailoc.model.base import Model
from jailoc.model.problem import problem

RESERVED = (
    "OPENCODE_LOG", "OPENCODE_SERVER_PASSWORD", "DOCKER_HOST", "DOCKER_TLS_CERTDIR",
    "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "SSH_AUTH_SOCK", "JAILOC", "JAILOC_WORKSPACE",
)  # fmt: skip
"""Names that jailoc sets itself."""


class EnvEntry(Model):
    """One `KEY=VALUE` of an `env` list, exactly as it was written."""

    key: str
    value: str


class Variable(Model):
    """A variable of the agent, with the configuration entry it comes from."""

    key: str
    value: str
    origin: str


def parse_env(text: str) -> EnvEntry:
    """Split an entry at its first `=`.

    Raises:
        PydanticCustomError: no `=`, an empty or a reserved key, or a NUL character.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise problem("env-entry", f"`{text}` has no `=`", "KEY=VALUE")
    if not key.strip("\n"):  # Compose refuses a name of line breaks alone, too
        raise problem("env-entry", f"`{text}` has an empty key", "KEY=VALUE, the key not empty")
    if "\0" in text:
        raise problem("env-entry", f"variable `{key}` holds a NUL character", "any other text")
    if key in RESERVED:
        raise problem(
            "env-reserved",
            f"variable `{key}` is reserved: jailoc sets it and it cannot be overridden",
            f"any name but {', '.join(RESERVED)}",
        )
    return EnvEntry(key=key, value=value)
