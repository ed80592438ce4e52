"""Which paths a Git index names, and which of them are none of a working tree's.

Git looks at a path when it is added and not when an index is read: `git checkout .` writes what an
index names, wherever that is. The format is gitformat-index(5), read as read-cache.c reads it.
"""

import re
import struct
from collections.abc import Iterable

from jailoc.model.repository import fold

MOST = 4_000_000
"""Entries of one index."""
_HEAD = struct.Struct(">4sII")
_EXTENDED, _LENGTH = 0x4000, 0xFFF
_STAT = 40
"""Bytes of an entry before the name of its object."""
_AWAY = re.compile(rb"\0/|//|[\0/]\.{1,2}(?=[\0/])")
_LIKE_GIT = re.compile(rb"[^\0/]*[gG][^\0/a-zA-Z0-9]*[iI][^\0/a-zA-Z0-9]*[tT][^\0/]*")
"""What some file system may take for `.git`, and more."""
_SHORT = re.compile(r"git~\d+")
"""What NTFS calls `.git` in short."""


def odd(paths: Iterable[bytes]) -> bytes | None:
    """Return the first path that leads out of a working tree or into its Git directory.

    >>> odd([b"a/b", b"..c", b".gitignore"])
    >>> odd([b"a", b"../x"]), odd([b"/x"]), odd([b"a/.GIT/hooks"])
    (b'../x', b'/x', b'a/.GIT/hooks')
    """
    text = b"\0" + b"\0".join(paths) + b"\0"
    places = [found.start() + 1 for found in _AWAY.finditer(text)][:1]
    for each in {found[0] for found in _LIKE_GIT.finditer(text)}:
        name = fold(each.decode(errors="surrogateescape"))
        if name == ".git" or _SHORT.fullmatch(name):
            found = re.search(rb"[\0/]" + re.escape(each) + rb"[\0/]", text)
            places += [found.start() + 1] if found else []
    if not places:
        return None
    place = min(places)
    return text[text.rfind(b"\0", 0, place) + 1 : text.find(b"\0", place)]


def paths(data: bytes, digest: int) -> list[bytes]:
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
    at, previous = _HEAD.size, b""
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
        found.append(previous)
    _extensions(data, at, end, digest, count, starts)
    return found


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
) -> None:
    """Make sure that no table lets Git begin to read at another place.

    Raises:
        ValueError: one does.
    """
    after = at
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
        at += 8 + size


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
