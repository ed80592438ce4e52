"""Which files a snapshot leaves out by their size, as find(1) tells them where restic runs."""

import base64
import binascii
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from jailoc.generators.runtime.snapshots import SHOWN
from jailoc.model.quantity import size_text
from jailoc.model.text import number_of, telling

MOST = 1 << 15
"""Bytes of names that are told; the line stays below what is read of one."""
_BEGIN = b"large files: "
# By a path of PATH_MAX or more (limits.h) no snapshot holds anything.
_SEARCH = r"""
find %s -regextype posix-extended -regex '.{4096,}' -prune -o %s \
    -type f -size +%dc -print0 2>/dev/null | head -c %d | base64 -w 0 | sed 's/^/%s/'; echo
"""


class LargeFiles(NamedTuple):
    """Files that are too large for a snapshot."""

    size: int
    """What they are larger than, in bytes."""
    names: tuple[str, ...]
    more: bool
    """Whether there are others, whose names were too many to be told."""

    def told(self) -> str:
        """Return them in words, as they may be shown."""
        count = f"more than {len(self.names)} files" if self.more \
            else number_of(len(self.names), "file")  # fmt: skip
        shown = ", ".join(map(telling, self.names[:SHOWN]))
        rest = ", ..." if self.more or len(self.names) > SHOWN else ""
        return f"{count} larger than {size_text(self.size)}: {shown}{rest}"


def search(roots: Iterable[str], passed_over: str, size: int) -> str:
    """Return a shell's command that writes one line, which `read` understands.

    Args:
        roots: The directories that are looked through.
        passed_over: What find(1) stays out of, as its own words.
        size: What a file may have, in bytes.
    """
    places = " ".join(map(shlex.quote, roots))
    return _SEARCH % (places, passed_over, size, MOST, _BEGIN.decode())


def read(line: bytes, size: int) -> LargeFiles | None:
    """Return what a line tells; nothing of another line.

    >>> read(b"large files: L2EAL2IA", 1024)
    LargeFiles(size=1024, names=('/a', '/b'), more=False)
    """
    if not line.startswith(_BEGIN):
        return None
    try:
        whole = base64.b64decode(line.removeprefix(_BEGIN), validate=True)
    except binascii.Error:
        return None
    *names, rest = whole.decode(errors="surrogateescape").split("\0")
    # A cut at the end of a name looks like an end.
    return LargeFiles(size, tuple(names), bool(rest) or len(whole) == MOST)
