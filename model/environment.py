"""Environment variables of the agent."""

import re
from collections.abc import Iterable

from jailoc.model.agents import known
from jailoc.model.base import Model
from jailoc.model.field_error import problem
from jailoc.model.text import without_mark

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


class Doubt(Model):
    """A line of an env file that may not mean what its author had in mind."""

    line: int
    what: str
    """Never the line itself: it may hold a secret."""


class EnvFile(Model):
    """An env file: where it is, and what it sets."""

    path: str
    entries: tuple[EnvEntry, ...]
    doubts: tuple[Doubt, ...] = ()


def parse_env_file(path: str, text: str) -> EnvFile:
    r"""Read an env file: `KEY=VALUE` a line, after `export` or not, and `#` comments.

    A value in quotes ends at the next one that is not escaped, on a later line too; in double
    quotes `\"` is a quote. Nothing is expanded, and nothing else is escaped.

    Raises:
        PydanticCustomError: naming every line that cannot be used.
    """
    entries: list[EnvEntry] = []
    doubts: list[Doubt] = []
    wrong: list[str] = []
    lines = without_mark(text).split("\n")
    after = 0
    for number, line in enumerate(lines, 1):
        if len(line.encode()) >= LINE_LIMIT:
            wrong.append(f"line {number}: it is longer than 64 KiB")
            continue
        stripped = strip(line)
        if number <= after or not stripped or stripped.startswith("#"):
            continue
        if "=" not in stripped:
            doubts.append(Doubt(line=number, what="it has no `=`, so it sets nothing"))
            continue
        name, _, rest = stripped.partition("=")
        key = _EXPORT.sub("", strip(name))
        value, more, doubt = _value(strip(rest), lines[number:])
        after = number + more
        if doubt is None and any(map(_blank, key)):
            doubt = f"the name `{key}` has a blank in it"
        if doubt:
            doubts.append(Doubt(line=number, what=doubt))
        try:
            entries.append(parse_env(f"{key}={value}"))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise problem(
            "env-file-entry",
            f"env file `{path}` cannot be used: {'; '.join(wrong)}",
            "KEY=VALUE a line, with keys that jailoc does not set itself",
        )
    return EnvFile(path=path, entries=tuple(entries), doubts=tuple(doubts))


_EXPORT = re.compile(r"^export[ \t]+")


def _value(text: str, below: list[str]) -> tuple[str, int, str | None]:
    """Read the value that a trimmed text begins.

    Returns:
        The value, how many of the lines below belong to it, and what is doubtful about it.
    """
    quote = text[:1]
    if not quote or quote not in "\"'":
        return text.partition(" #")[0].rstrip(" \t"), 0, None
    inner = text[1:]
    end = _end(inner, quote)
    if end is not None and _nothing(inner[end + 1 :]):
        return _plain(inner[:end], quote), 0, None
    first, closed, rest = inner.partition(quote)
    if closed and _nothing(rest):
        # The last character before the quote is a backslash of its own.
        return first, 0, None
    if end is None:
        parts = [inner]
        for count, line in enumerate((each.rstrip("\r") for each in below), 1):
            end = _end(line, quote)
            if end is None:
                parts.append(line)
            elif _nothing(line[end + 1 :]):
                return _plain("\n".join((*parts, line[:end])), quote), count, None
            else:
                break
    if closed:
        return first, 0, "text after the closing quote is left out"
    return first, 0, f"the quote {quote} is never closed"


def _end(text: str, quote: str) -> int | None:
    """Return where a quoted text ends; in double quotes a backslash takes the next sign along."""
    pattern = r'(?:[^"\\]|\\.)*"' if quote == '"' else "[^']*'"
    match = re.match(pattern, text, re.DOTALL)
    return match.end() - 1 if match else None


def _plain(text: str, quote: str) -> str:
    return text.replace('\\"', '"') if quote == '"' else text


def _nothing(rest: str) -> bool:
    """Tell whether what follows a value says nothing: blanks, or a comment."""
    return not rest or (_blank(rest[0]) and strip(rest)[:1] in {"", "#"})


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


def merge_env(layers: Iterable[tuple[str, EnvEntry]]) -> tuple[Variable, ...]:
    """Merge entries by key: the last value wins, the first position is kept.

    Args:
        layers: Each entry with the configuration entry it comes from, weakest first.
    """
    found: dict[str, Variable] = {}
    for origin, entry in layers:
        found[entry.key] = Variable(key=entry.key, value=entry.value, origin=origin)
    return tuple(found.values())
