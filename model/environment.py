"""Environment variables of the agent."""

from collections.abc import Iterable

from jailoc.model.agents import known
from jailoc.model.base import Model
from jailoc.model.field_error import problem

RESERVED = (
    *known.RESERVED,
    "DOCKER_HOST", "DOCKER_TLS_CERTDIR", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
    "SSH_AUTH_SOCK", "JAILOC", "JAILOC_WORKSPACE",
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


LINE_LIMIT = 64 * 1024
"""Bytes of one line of an env file."""


class EnvFile(Model):
    """An env file: where it is, and what it sets."""

    path: str
    entries: tuple[EnvEntry, ...]


def parse_env_file(path: str, text: str) -> EnvFile:
    """Read an env file: `KEY=VALUE` a line, `#` comments, quotes that end at the next one.

    Nothing is expanded and nothing is escaped. A line without `=` says nothing.

    Raises:
        PydanticCustomError: naming every line that cannot be used.
    """
    entries: list[EnvEntry] = []
    wrong: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if len(line.encode()) >= LINE_LIMIT:
            wrong.append(f"line {number}: it is longer than 64 KiB")
            continue
        stripped = strip(line)
        if not stripped or stripped.startswith("#") or "=" not in stripped:
            continue
        key, _, value = stripped.partition("=")
        try:
            entries.append(parse_env(f"{strip(key)}={unquote(strip(value))}"))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise problem(
            "env-file-entry",
            f"env file `{path}` cannot be used: {'; '.join(wrong)}",
            "KEY=VALUE a line, with keys that jailoc does not set itself",
        )
    return EnvFile(path=path, entries=tuple(entries))


def strip(text: str) -> str:
    """Trim white space as Unicode defines it; `str.strip` takes the separators 1C to 1F, too."""
    start, end = 0, len(text)
    while start < end and _blank(text[start]):
        start += 1
    while end > start and _blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _blank(char: str) -> bool:
    return char.isspace() and not "\x1c" <= char <= "\x1f"


def unquote(value: str) -> str:
    """Return the value of an env file's line, already trimmed."""
    if value[:1] in {'"', "'"}:
        return value[1:].partition(value[0])[0]
    return value.partition(" #")[0].rstrip(" \t")


def merge_env(layers: Iterable[tuple[str, EnvEntry]]) -> tuple[Variable, ...]:
    """Merge entries by key: the last value wins, the first position is kept.

    Args:
        layers: Each entry with the configuration entry it comes from, weakest first.
    """
    found: dict[str, Variable] = {}
    for origin, entry in layers:
        found[entry.key] = Variable(key=entry.key, value=entry.value, origin=origin)
    return tuple(found.values())
