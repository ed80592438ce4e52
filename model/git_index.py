"""Which paths a Git index names, and which of them are none of a working tree's.

Git looks at a path when it is added and not when an index is read: `git checkout .` writes what an
index names, wherever that is. The format is gitformat-index(5), read as read-cache.c reads it.
"""

import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from jailoc.model.repository import fold

MOST, MOST_NAMES = 4_000_000, 1 << 28
"""Entries of one index, and bytes of their names, which version 4 writes in fewer."""
LONGEST = 1024
"""Bytes of a name that some file system has (at most 255 units of UTF-16)."""
_HEAD = struct.Struct(">4sII")
_EXTENDED, _LENGTH = 0x4000, 0xFFF
_STAT = 40
"""Bytes of an entry before the name of its object."""
_AWAY = re.compile(rb"\0/|//|[\0/]\.{1,2}(?=[\0/])")
_ENDS = re.compile(rb"[\0/]")
_SHORT = re.compile(r"git~\d+")
"""What NTFS calls `.git` in short."""


def odd(paths: Iterable[bytes]) -> bytes | None:
    """Return the first path that leads out of a working tree or into its Git directory.

    >>> odd([b"a/b", b"..c", b".gitignore"])
    >>> odd([b"a", b"../x"]), odd([b"/x"]), odd([b"a/.GIT/hooks"])
    (b'../x', b'/x', b'a/.GIT/hooks')
    """
    text = b"\0" + b"\0".join(paths) + b"\0"
    found = _AWAY.search(text)
    place = found.start() + 1 if found else -1
    alike = next((each for each in set(_ENDS.split(text)) if _is_git(each)), None)
    if place < 0 and alike is not None:
        found = re.search(rb"[\0/]" + re.escape(alike) + rb"[\0/]", text)
        place = found.start() + 1 if found else 0
    if place < 0:
        return None
    return text[text.rfind(b"\0", 0, place) + 1 : text.find(b"\0", place)]


def _is_git(name: bytes) -> bool:
    """Tell whether some file system takes a name for `.git`."""
    if name.isascii():
        plain = name[:LONGEST].lower().rstrip(b". ")
        return plain == b".git" or (plain[:4] == b"git~" and plain[4:].isdigit())
    if len(name) > LONGEST:
        return False
    folded = fold(name.decode(errors="surrogateescape"))
    return folded == ".git" or _SHORT.fullmatch(folded) is not None


class Index(NamedTuple):
    """What an index names."""

    paths: list[bytes]
    shared: str = ""
    """The name of the other part, if it is split."""


def read(data: bytes, digest: int) -> Index:
    """Return the paths of an index; of a split one those that it has itself.

    Args:
        data: The file.
        digest: Bytes of a name of an object: 20 of SHA-1, 32 of SHA-256.

    Raises:
        ValueError: it is none, or one that Git may read in another way.
    """
    end = len(data) - digest
    if end < _HEAD.size:
        raise ValueError("too short")
    word, version, count = _HEAD.unpack_from(data)
    if word != b"DIRC" or version not in {2, 3, 4} or count > MOST:
        raise ValueError("no index")
    found: list[bytes] = []
    starts: dict[int, tuple[int, bool]] = {}
    blocks = b"IEOT" in data
    at, previous, size = _HEAD.size, b"", 0
    for index in range(count):
        flags_at = at + _STAT + digest
        if flags_at + 4 > end:
            raise ValueError("an entry that is cut off")
        flags = data[flags_at] << 8 | data[flags_at + 1]
        name_at = flags_at + (4 if flags & _EXTENDED else 2)
        kept = 0
        start = at
        if version == 4:
            strip, name_at = _number(data, name_at, end)
            kept = len(previous) - strip
            close = data.find(b"\0", name_at, end)
            if kept < 0 or close < 0:
                raise ValueError("a name that is cut off")
            previous = previous[:kept] + data[name_at:close]
            at = close + 1
        else:
            length = flags & _LENGTH
            if length == _LENGTH:
                length = data.find(b"\0", name_at, end) - name_at
            close = name_at + length
            if not 0 <= length < end - name_at or data[close]:
                raise ValueError("a name that is cut off")
            previous = data[name_at:close]
            if b"\0" in previous:
                raise ValueError("a name with NUL")
            at += (close - at + 8) & ~7
        if blocks:
            starts[start] = index, kept == 0
        size += len(previous)
        if size > MOST_NAMES:
            raise ValueError("too many names")
        found.append(previous)
    return Index(found, _extensions(data, at, end, digest, count, starts))


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of variable length (varint.c), and return where it ends."""
    value = -1
    for place in range(at, min(at + 9, end)):
        value = (value + 1) << 7 | (data[place] & 127)
        if not data[place] & 128:
            return value, place + 1
    raise ValueError("a number that is cut off")


def _extensions(
    data: bytes,
    at: int,
    end: int,
    digest: int,
    count: int,
    starts: dict[int, tuple[int, bool]],
) -> str:
    """Make sure that no table lets Git begin to read at another place; return the other part.

    Raises:
        ValueError: one does.
    """
    after, shared = at, ""
    tail = end - 12 - digest
    found = tail >= after and data[tail : tail + 4] == b"EOIE"
    if found and struct.unpack_from(">I", data, tail + 8)[0] != after:
        raise ValueError("a table that leads elsewhere")
    while at <= end - 8:
        word, size = struct.unpack_from(">4sI", data, at)
        if at + 8 + size > end:
            raise ValueError("an extension that is cut off")
        if word == b"IEOT":
            _table(data[at + 8 : at + 8 + size], count, starts)
        elif word == b"link":
            shared = data[at + 8 : at + 8 + min(size, digest)].hex()
        at += 8 + size
    return shared.strip("0") and shared


def _table(data: bytes, count: int, starts: dict[int, tuple[int, bool]]) -> None:
    if len(data) % 8 != 4 or data[:4] != b"\0\0\0\1":
        raise ValueError("a table that cannot be read")
    passed = 0
    for place, number in struct.iter_unpack(">II", data[4:]):
        if starts.get(place) != (passed, True):
            raise ValueError("a table that leads elsewhere")
        passed += number
    if passed != count:
        raise ValueError("a table that leads elsewhere")
