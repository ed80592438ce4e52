"""The directories that a repository takes objects from, and those that these do in turn.

They stand in `objects/info/alternates` (gitrepository-layout(5)): a line each, or in quotes.
"""

import re
from collections import deque
from collections.abc import Iterator

from jailoc.bin.host.entries import text

MOST, DEEPEST = 200, 6
"""Directories that are followed of one repository, and how many may follow each other: Git goes as
far as the sixth."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\(?:[abfnrtv"\\]|[0-3][0-7]{2}))*)"')
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-7]{3})")
_MEANT = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))


def borrowed(file: str, objects: str) -> tuple[tuple[str, ...], bool]:
    """Return those directories, absolute, as they are spelt; also say whether these are all.

    Args:
        file: What names the first of them.
        objects: The directory that they are relative to.
    """
    waiting, found = deque([(file, objects, 1)]), dict[str, None]()
    while waiting:
        file, objects, depth = waiting.popleft()
        for each in entries(text(file) or ""):
            place = each if each[0] == "/" else f"{objects}/{each}"
            if place in found:
                continue
            if len(found) >= MOST:
                return tuple(found), False
            found[place] = None
            if depth < DEEPEST:
                waiting.append((f"{place}/info/alternates", place, depth + 1))
    return tuple(found), True


def entries(data: str) -> Iterator[str]:
    """Yield the paths in the text of such a file, as Git takes it apart (odb.c).

    >>> [*entries('/a' + chr(10) + '# b' + chr(10) + '"/c' + chr(92) + '040d"')]
    ['/a', '/c d']
    """
    data = data.partition("\0")[0]
    at = 0
    while at < len(data):
        if match := _QUOTED.match(data, at):
            end, path = match.end(), _unquoted(match[1])
        else:
            end = data.find("\n", at)
            end = len(data) if end < 0 else end
            path = data[at:end] if data[at] != "#" else ""
        at = end + 1
        if path and "\0" not in path:
            yield path


def _unquoted(words: str) -> str:
    def meant(match: re.Match[bytes]) -> bytes:
        word = match[1]
        return bytes([int(word, 8) if len(word) == 3 else _MEANT[word[0]]])

    return _ESCAPE.sub(meant, words.encode(errors="surrogateescape")).decode(errors="replace")
