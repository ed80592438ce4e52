"""The content of a build context as one number, so that an unchanged image is never built twice."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jailoc.model.ignore import Pattern, ignored, parse

MOST_BYTES, MOST_FILES = 256 << 20, 20_000
"""Larger contexts are left to the engine, which compares them at every build."""
IGNORE_LIMIT = 1 << 20


def digest(directory: str) -> str | None:
    """Return the SHA-256 of what the engine would be sent, in hexadecimal.

    Names, permissions, links and contents count; times and owners do not, as in the engine's own
    cache. None if the context is too large or cannot be read.
    """
    root = Path(directory)
    try:
        patterns = _patterns(root)
        state, left = hashlib.sha256(), MOST_BYTES
        for count, (path, mode) in enumerate(_entries(root, patterns)):
            if count >= MOST_FILES:
                return None
            place = root / path
            head = f"{len(os.fsencode(path))}:{mode:o}:".encode() + os.fsencode(path)
            if stat.S_ISLNK(mode):
                body = os.fsencode(place.readlink())
            elif stat.S_ISREG(mode):
                left -= place.stat().st_size
                if left < 0:
                    return None
                with place.open("rb") as file:
                    body = hashlib.file_digest(file, "sha256").digest()
            else:
                body = b""
            state.update(head + f"{len(body)}:".encode() + body)
    except OSError:
        return None
    return state.hexdigest()


def _patterns(root: Path) -> tuple[Pattern, ...]:
    try:
        with (root / ".dockerignore").open("rb") as file:
            return parse(file.read(IGNORE_LIMIT).decode(errors="surrogateescape"))
    except FileNotFoundError:
        return ()


def _entries(root: Path, patterns: tuple[Pattern, ...]) -> Iterator[tuple[str, int]]:
    """Yield every path that is sent, with its mode, in byte order within each directory."""
    keeping = any(each.keep for each in patterns)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(root / folder) as found:
            entries = sorted(found, key=lambda each: os.fsencode(each.name))
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            out = bool(patterns) and ignored(patterns, path)
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode) and (not out or keeping):
                waiting.append(path)
            if not out and not stat.S_ISSOCK(mode):
                yield path, mode
