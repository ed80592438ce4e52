"""The content of a build context as one number, so that an unchanged image is never built twice."""

import hashlib
import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from jailoc.bin.host import regular
from jailoc.model.ignore import MOST_CHOICES, Pattern, ignored, parse

MOST_BYTES, MOST_FILES = 256 << 20, 20_000
"""Larger contexts are left to the engine, which compares them at every build."""
MOST_LISTED = 200_000
"""Entries of one directory, left out or not: all are held in memory to be sorted."""
IGNORE_LIMIT = 1 << 16
MOST_PATTERNS = 500
"""As many as Python keeps translated (re, 512)."""
MOST_MATCHING = 10_000_000
"""Microseconds, by estimate, that its names may be compared with patterns."""
IGNORE = ".dockerignore"


class _TooMuchError(Exception):
    """It would take too long to tell what is sent."""


def digest(directory: str) -> str | None:
    """Return the SHA-256 of what the engine would be sent, in hexadecimal.

    Names, permissions, links and contents count; times and owners do not, as in the engine's own
    cache. None if the context is too large, is compared with too many patterns, or cannot be read.
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
                body, left = _content(place, left)
            else:
                body = b""
            state.update(head + f"{len(body)}:".encode() + body)
    except (OSError, regular.NotRegular, _TooMuchError):
        return None
    return state.hexdigest()


def _content(place: Path, left: int) -> tuple[bytes, int]:
    """Return the digest of a regular file, and how many bytes of those left it leaves."""
    kind = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(place, kind), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise regular.NotRegular("is no file any more")
        state = hashlib.sha256()
        while piece := file.read(1 << 20):
            left -= len(piece)
            if left < 0:
                raise _TooMuchError
            state.update(piece)
    return state.digest(), left


def endless(directory: str) -> str | None:
    """Return what would keep the engine's client waiting for ever, as a pipe does."""
    place = f"{directory}/{IGNORE}"
    try:
        regular.read(place, IGNORE_LIMIT, cut=True)
    except (OSError, regular.NotRegular) as error:
        return None if isinstance(error, FileNotFoundError) else f"`{place}` {error}"
    return None


def _patterns(root: Path) -> tuple[Pattern, ...]:
    try:
        text = regular.read(str(root / IGNORE), IGNORE_LIMIT)
    except FileNotFoundError:
        return ()
    if text.count(b"\n") > 2 * MOST_PATTERNS:
        raise _TooMuchError
    found = parse(text.decode(errors="surrogateescape"))
    if len(found) > MOST_PATTERNS or any(each.choices > MOST_CHOICES for each in found):
        raise _TooMuchError
    return found


def _entries(root: Path, patterns: tuple[Pattern, ...]) -> Iterator[tuple[str, int]]:
    """Yield every path that is sent, with its mode, in byte order within each directory."""
    keeping = any(each.keep for each in patterns)
    waiting, left = [""], MOST_MATCHING
    while waiting:
        folder = waiting.pop()
        with os.scandir(root / folder) as found:
            entries = [*islice(found, MOST_LISTED + 1)]
        if len(entries) > MOST_LISTED:
            raise _TooMuchError
        entries.sort(key=lambda each: os.fsencode(each.name))
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            left -= sum(each.cost(path) for each in patterns)
            if left < 0:
                raise _TooMuchError
            out = bool(patterns) and ignored(patterns, path)
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode) and (not out or keeping):
                waiting.append(path)
            if not out and not stat.S_ISSOCK(mode):
                yield path, mode
