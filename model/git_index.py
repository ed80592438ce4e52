"""Read Git's index (gitformat-index(5)) for paths that no honest one holds, and for what it hides.

Git checks a path when it is added to an index, not when an index is read: whoever writes the file
says what `git checkout .` writes and what `git add -u` reads. Pure, and bounded: an agent may have
written every byte.
"""

import re
from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

SHA1, SHA256 = 20, 32
"""Bytes of an object's name."""
MOST_BYTES = 128 << 20
"""Of one index; those of the largest known projects are half as large."""
MOST_NAME = 4096
"""Bytes of one path, PATH_MAX of Linux; Git opens none that is longer."""
MOST_TIMES = 8
"""Bytes of all paths for each of the file: version 4 writes them shorter than they are."""
MOST_BLOCKS, MOST_EXTENSIONS = 10_000, 100
MOST_TOLD = 20
"""Paths that are told of one index."""
MOST_INNER = 10_000
"""Submodules of one index."""

_STAT = 40
"""Bytes of an entry before the name of its object."""
_AT_ONCE = 20_000
"""Paths that are searched at once."""
_EXTENDED, _ASSUME_VALID, _SKIP_WORKTREE, _LENGTH = 0x4000, 0x8000, 0x4000, 0xFFF
_DIRECTORY, _SUBMODULE, _KIND = 0x40, 0xE0, 0xF0
"""The first byte of the mode of a directory that is not there (`index.sparse`), that of a
submodule, and what of it Git looks at then (S_IFMT)."""
_IGNORED = (
    b"(?:\xc2\xad|\xcd\x8f|\xd8\x9c|\xe1(?:\x85[\x9f\xa0]|\x9e[\xb4\xb5]|\xa0[\x8b-\x8f])"
    b"|\xe2(?:\x80[\x8b-\x8f\xaa-\xae]|\x81[\xa0-\xaf])|\xe3\x85\xa4"
    b"|\xef(?:\xb8[\x80-\x8f]|\xbb\xbf|\xbe\xa0|\xbf[\xb0-\xb8])"
    b"|\xf0(?:\x9b\xb2[\xa0-\xa3]|\x9d\x85[\xb3-\xba])|\xf3\xa0[\x80-\xbf][\x80-\xbf])"
)
"""Characters that some file system passes over, as `repository.fold` does: more than those of
Git's own check (utf8.c, next_hfs_char)."""
_SUSPECT = re.compile(
    rb"[\0/](?:\.\.?)?(?=[/\0])|(?i:[\0/\\](?:\.git|git~1)[. ]*(?=[/\0\\:]))|" + _IGNORED
)
"""In names between NULs: what may be none that Git would add. One search for all of an index."""
_NEEDLES = (
    b"\0/", b"//", b"/\0", b"git~1",
    *(b"\xc2\xad \xcd\x8f \xd8\x9c \xe1\x85 \xe1\x9e \xe1\xa0 \xe2\x80 \xe2\x81 \xe3\x85\xa4 "
      b"\xef\xb8 \xef\xbb \xef\xbe \xef\xbf \xf0\x9b\xb2 \xf0\x9d\x85 \xf3\xa0").split(b" "),
)  # fmt: skip
_DOTTED = (b"/.", b"\0.", b"\\.")
_DOTS = re.compile(rb"\.(?:git[. ]*[/\0\\:]|\.?[/\0])")
"""The same for lower case, far faster: where nothing of it is found, need not be searched."""
_PART = re.compile(rb"[/\\]")
_DOT_GIT = re.compile(rb"(?i:\.git|git~1)[. ]*(?::.*)?", re.DOTALL)
_PASSED_OVER = re.compile(_IGNORED)


class NotAnIndex(Exception):  # noqa: N818 -- a verdict on a file
    """Git does not write such a file; why is its text."""


class Index(NamedTuple):
    """What matters of an index."""

    odd: tuple[bytes, ...]
    """Paths that no honest index has, some of them."""
    total: int
    """How many there are."""
    skipped: int
    """Entries that `git status` passes over (`git update-index --skip-worktree`), none of them a
    directory that is not there."""
    unchanged: int
    """The same by `--assume-unchanged`."""
    shared: str | None
    """Name of the file that has the rest of a split one (`core.splitIndex`)."""
    submodules: tuple[bytes, ...] = ()
    """Paths of repositories that Git goes into (gitsubmodules(7)), up to `MOST_INNER`; an empty one
    stands for others whose paths are not known, or are too many."""


def odd(path: bytes) -> bool:
    """Tell whether Git would not add such a path (read-cache.c, verify_path).

    That is whether it is absolute, has an empty part, `.`, `..`, or one that a file system takes
    for `.git`.

    >>> [odd(each) for each in (b"/etc/x", b"a/../b", b".GIT/config", b"git~1", b".gitignore")]
    [True, True, True, True, False]
    """
    return any(part in {b"", b".", b".."} for part in path.split(b"/")) or any(
        _DOT_GIT.fullmatch(_PASSED_OVER.sub(b"", part)) for part in _PART.split(path)
    )


def read(data: bytes, width: int = SHA1) -> Index:
    """Return what matters of an index, also of the shared part of a split one.

    Args:
        data: The file.
        width: Bytes of an object's name, by the repository's `extensions.objectFormat`.

    Raises:
        NotAnIndex: Git writes no such file, or more is in it than is read.
    """
    if len(data) > MOST_BYTES:
        raise NotAnIndex(f"it is larger than {MOST_BYTES >> 20} MiB")
    if len(data) < 12 + width or data[:4] != b"DIRC":
        raise NotAnIndex("it is none of Git's")
    version, count = unpack_from(">II", data, 4)
    if version not in {2, 3, 4}:
        raise NotAnIndex(f"it has version {version}")
    entries = _Entries(data, width, version, count)
    entries.walk()
    found: dict[bytes, bytes] = {}
    for name, text in _extensions(data, entries.end, len(data) - width):
        if name in found or len(found) >= MOST_EXTENSIONS:
            raise NotAnIndex("it has more extensions than Git writes")
        found[name] = text
    _same(entries, found)
    link = found.get(b"link")
    if link is not None and len(link) < width:
        raise NotAnIndex("an extension is cut off")
    if link is None and entries.nameless:
        entries.odd[b""] = None
    shared = link is not None and any(link[:width])
    return Index(
        odd=tuple(entries.odd)[:MOST_TOLD],
        total=len(entries.odd),
        skipped=entries.skipped,
        unchanged=entries.unchanged,
        shared=f"sharedindex.{link[:width].hex()}" if link and shared else None,
        submodules=tuple(entries.submodules),
    )


class _Entries:
    """The entries of an index, one after the other."""

    def __init__(self, data: bytes, width: int, version: int, count: int) -> None:
        self.data, self.packed, self.extensible = data, version == 4, version > 2
        self.count, self.width, self.last = count, width, len(data) - width
        self.fixed = _STAT + width + 2
        """Bytes before a path."""
        self.end = 12
        self.odd: dict[bytes, None] = {}
        self.submodules: list[bytes] = []
        self.nameless = self.skipped = self.unchanged = 0

    def walk(self) -> None:
        """Read them all."""
        data, last, packed, fixed = self.data, self.last, self.packed, self.fixed
        # A count that cannot be is not waited for.
        if self.count * (fixed + 1) > len(data):
            raise NotAnIndex("it is cut off")
        offset, previous, left = self.end, b"", MOST_TIMES * len(data)
        names: list[bytes] = []
        for _ in range(self.count):
            start = offset + fixed
            if start >= last:
                raise NotAnIndex("it is cut off")
            flags = data[start - 2] << 8 | data[start - 1]
            kind = data[offset + 26]
            directory = kind == _DIRECTORY
            if flags & (_EXTENDED | _ASSUME_VALID):
                start = self._marked(flags, start, directory=directory)
            kept = b""
            if packed:
                strip, start = _number(data, start, last)
                if strip > len(previous):
                    raise NotAnIndex("a path is shortened by more than it has")
                kept = previous[: len(previous) - strip]
            length = flags & _LENGTH
            end = data.find(b"\0", start, last)
            if end < 0 or (length != _LENGTH and end - start + len(kept) != length):
                raise NotAnIndex("a path has another length than it says")
            previous = kept + data[start:end]
            left -= len(previous)
            if end - start + len(kept) > MOST_NAME or left < 0:
                raise NotAnIndex("its paths are longer than Git opens any")
            # What a split index replaces has no path; a directory that is not there ends with `/`.
            if previous:
                names.append(previous[:-1] if directory and previous[-1:] == b"/" else previous)
            self.nameless += not previous
            if kind & _KIND == _SUBMODULE and len(self.submodules) <= MOST_INNER:
                self.submodules.append(previous if len(self.submodules) < MOST_INNER else b"")
            if len(names) >= _AT_ONCE:
                self._judge(names)
                names.clear()
            offset = end + 1 if packed else offset + ((end - offset + 8) & ~7)
        self._judge(names)
        if offset > last:
            raise NotAnIndex("it is cut off")
        self.end = offset

    def _marked(self, flags: int, start: int, *, directory: bool) -> int:
        """Count an entry with a mark; return where its path begins."""
        self.unchanged += bool(flags & _ASSUME_VALID)
        if not flags & _EXTENDED:
            return start
        if not self.extensible or start + 2 > self.last:
            raise NotAnIndex("an entry has marks that its version has not")
        self.skipped += bool(self.data[start] << 8 & _SKIP_WORKTREE) and not directory
        return start + 2

    def _judge(self, names: list[bytes]) -> None:
        """Keep those that no honest index has."""
        joined = b"\0" + b"\0".join(names) + b"\0" if names else b""
        lower = joined.lower()
        dotted = any(each in lower for each in _DOTTED) and _DOTS.search(lower)
        if not dotted and not any(each in lower for each in _NEEDLES):
            return
        at = 0
        while match := _SUSPECT.search(joined, at):
            start = joined.rfind(b"\0", 0, match.start() + 1) + 1
            at = joined.find(b"\0", start)
            if at < 0:
                break
            if odd(joined[start:at]):
                self.odd[joined[start:at]] = None

    def places(self, wanted: set[int]) -> dict[int, tuple[int, bool]]:
        """Return which entries begin at some places, and whether their paths are in full."""
        found, offset, length = {}, 12, 0
        for number in range(self.count):
            start, strip = offset + self.fixed, length
            start += 2 if self.data[start - 2] << 8 & _EXTENDED else 0
            if self.packed:
                strip, start = _number(self.data, start, self.last)
            if offset in wanted:
                found[offset] = number, strip == length
            end = self.data.index(b"\0", start)
            length += end - start - strip
            offset = end + 1 if self.packed else offset + ((end - offset + 8) & ~7)
        return found


def _number(data: bytes, start: int, last: int) -> tuple[int, int]:
    """Read a number of variable width (varint.c), and where it ends."""
    value, position = -1, start
    while True:
        if position >= last or position - start > 4:
            raise NotAnIndex("it is cut off")
        byte = data[position]
        position += 1
        value = (value + 1) << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, position


def _extensions(data: bytes, start: int, last: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the extensions with their names."""
    while start < last:
        if start + 8 > last:
            raise NotAnIndex("an extension is cut off")
        name, (size,) = data[start : start + 4], unpack_from(">I", data, start + 4)
        if start + 8 + size > last:
            raise NotAnIndex("an extension is cut off")
        yield name, data[start + 8 : start + 8 + size]
        start += 8 + size


def _same(entries: _Entries, extensions: dict[bytes, bytes]) -> None:
    """See that Git reads the same entries when it reads them with several threads.

    It then believes a table that says where they begin, and at each such place ignores the path
    before (read-cache.c, load_cache_entries_threaded).
    """
    end = extensions.get(b"EOIE")
    at_end = entries.last - 8 - 4 - entries.width
    if end is None and at_end >= 12 and entries.data[at_end : at_end + 4] == b"EOIE":
        raise NotAnIndex("two readings of it differ")
    if end is not None and end[:4] != entries.end.to_bytes(4, "big"):
        raise NotAnIndex("it says that it ends where it does not")
    table = extensions.get(b"IEOT")
    if table is None:
        return
    if len(table) < 4 or len(table) % 8 != 4 or len(table) > 8 * MOST_BLOCKS:
        raise NotAnIndex("its table of entries is none of Git's")
    blocks = [unpack_from(">II", table, at) for at in range(4, len(table), 8)]
    places, expected = entries.places({offset for offset, _ in blocks}), 0
    for offset, count in blocks:
        if places.get(offset) != (expected, True):
            raise NotAnIndex("its table of entries leads to other ones")
        expected += count
    if expected != entries.count:
        raise NotAnIndex("its table of entries leads to other ones")
