"""Which files of a build context do not belong to it: `.dockerignore`.

Source: https://docs.docker.com/build/concepts/context/#dockerignore-files, and the pattern matcher
of BuildKit where that page is silent.
"""

import posixpath
import re

from jailoc.model.base import Model


class Pattern(Model):
    """One line: what it matches is left out, or with `!` kept after all."""

    keep: bool
    regex: str

    def matches(self, path: str) -> bool:
        """Tell whether a path, relative to the context, or a directory above it is meant."""
        parts = path.split("/")
        return any(
            re.fullmatch(self.regex, "/".join(parts[:end]), re.DOTALL)
            for end in range(1, len(parts) + 1)
        )


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
        if place in {"", "."} or not (regex := _regex(place)):
            continue
        found.append(Pattern(keep=keep, regex=regex))
    return tuple(found)


def ignored(patterns: tuple[Pattern, ...], path: str) -> bool:
    """Tell whether a path is left out: the last pattern that matches decides."""
    for pattern in reversed(patterns):
        if pattern.matches(path):
            return not pattern.keep
    return False


def _regex(pattern: str) -> str | None:
    """Translate the wildcards of Go's filepath.Match, and `**` for any number of directories."""
    words: list[str] = []
    place = 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "*":
            if not pattern.startswith("*", place):
                words.append("[^/]*")
                continue
            place += 1
            if pattern.startswith("/", place):
                place += 1
            words.append("(.*/)?" if place < len(pattern) else ".*")
        elif char == "?":
            words.append("[^/]")
        elif char == "\\" and place < len(pattern):
            words.append(re.escape(pattern[place]))
            place += 1
        elif char == "[":
            inner = re.match(r"(\^?)((?:[^\]\\]|\\.)+)\]", pattern[place:], re.DOTALL)
            if not inner:
                return None
            place += inner.end()
            body = re.sub(r"\\(.)", r"\1", inner[2], flags=re.DOTALL)
            # A hyphen stands for a range; every other character for itself.
            words.append(f"[{inner[1]}{re.escape(body).replace(chr(92) + '-', '-')}]")
        else:
            words.append(re.escape(char))
    regex = "".join(words)
    try:
        re.compile(regex)
    except re.error:
        return None
    return regex
