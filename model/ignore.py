"""Which files of a build context do not belong to it: `.dockerignore`.

Source: https://docs.docker.com/build/concepts/context/#dockerignore-files, and the pattern matcher
of BuildKit where that page is silent.
"""

import posixpath
import re

from jailoc.model.base import Model

MOST_CHOICES = 2
"""Choices of one pattern that are told apart by trying each."""


class Pattern(Model):
    """One line: what it matches is left out, or with `!` kept after all."""

    keep: bool
    regex: str
    choices: int = 0
    """How often something in it stands for a slash, or more: every one of a path is tried."""

    def matches(self, path: str) -> bool:
        """Tell whether a path, relative to the context, or a directory above it is meant."""
        parts = path.split("/")
        return any(
            re.fullmatch(self.regex, "/".join(parts[:end]), re.DOTALL)
            for end in range(1, len(parts) + 1)
        )

    def cost(self, path: str) -> int:
        """Return about how many microseconds a match may take."""
        parts, tried = path.count("/") + 1, len(path)
        for _ in range(self.choices):
            tried *= min(len(path), 256)
        return parts + parts * tried // 64


def parse(text: str) -> tuple[Pattern, ...]:
    """Read the text of a `.dockerignore`; a line that is no pattern leaves nothing out."""
    found = []
    for line in text.removeprefix("\ufeff").split("\n"):
        if line.startswith("#"):
            continue
        entry = line.strip()
        keep = entry.startswith("!")
        entry = entry.removeprefix("!").strip() if keep else entry
        if not entry:
            continue
        place = posixpath.normpath(entry).lstrip("/")
        if place in {"", "."} or not (pattern := _pattern(place, keep=keep)):
            continue
        found.append(pattern)
    return tuple(found)


def ignored(patterns: tuple[Pattern, ...], path: str) -> bool:
    """Tell whether a path is left out: the last pattern that matches decides."""
    for pattern in reversed(patterns):
        if pattern.matches(path):
            return not pattern.keep
    return False


def _pattern(pattern: str, *, keep: bool) -> Pattern | None:
    """Translate the wildcards of Go's filepath.Match, and `**` for any number of directories.

    Between two stars of one name the first place that fits is as good as any later one, so none is
    gone back to: else a name could take years.
    """
    words: list[str] = []
    begun = -1  # the last star of this name, in `words`
    place = choices = 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "*":
            if not pattern.startswith("*", place):
                if begun >= 0:
                    words[begun] = "(?>[^/]*?"
                    words.append(")")
                begun = len(words)
                words.append("[^/]*")
                continue
            place += 1
            begun, choices = -1, choices + 1
            if pattern.startswith("/", place):
                place += 1
            words.append("(?:[^/]*/)*" if place < len(pattern) else ".*")
        elif char == "?":
            words.append("[^/]")
        elif char == "\\" and place < len(pattern):
            words.append(re.escape(pattern[place]))
            place += 1
        elif char == "[":
            inner = re.match(r"(\^?)((?:[^\]\\]|\\.)+)\]", pattern[place:], re.DOTALL)
            members = _members(inner[2]) if inner else ""
            if not inner or not members:
                return None
            place += inner.end()
            words.append(f"[{inner[1]}{members}]")
            if re.match(words[-1], "/"):
                begun, choices = -1, choices + 1
        else:
            begun = begun if char != "/" else -1
            words.append(re.escape(char))
    regex = "".join(words)
    try:
        re.compile(regex)
    except re.error:
        return None
    return Pattern(keep=keep, regex=regex, choices=choices)


def _members(text: str) -> str:
    """Translate what stands between brackets; nothing if a range runs backwards.

    A hyphen between two characters stands for a range; every other character for itself.
    """
    body = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    found = ""
    for first, last, only in re.findall(r"(.)-(.)|(.)", body, re.DOTALL):
        if first > last:
            return ""
        found += re.escape(only) or f"{re.escape(first)}-{re.escape(last)}"
    return found
