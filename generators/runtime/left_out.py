"""What a snapshot leaves out beside what is named, as find(1) tells it where restic runs."""

import base64
import binascii
import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jailoc.generators.runtime.snapshots import SHOWN
from jailoc.model.quantity import size_text
from jailoc.model.text import number_of, telling

MOST = 1 << 15
"""Bytes of names that are told; the line stays below what is read of one."""
_BEGIN = b"left out: "
# By a path of PATH_MAX or more (limits.h) no program opens anything, so restic holds nothing of it.
_SEARCH = r"""
find %s -regextype posix-extended -regex '.{4096,}' -prune -printf 'D\0' -o %s \
    -type f -size +%dc -printf 'L%%p\0' 2>/dev/null | head -c %d | base64 -w 0 | sed 's/^/%s/'; echo
"""


class LeftOut(NamedTuple):
    """What a snapshot does not hold."""

    size: int
    """Bytes that a file may have."""
    large: tuple[str, ...]
    """Files that have more."""
    more: bool
    """Whether there is more than these, and all together was too much to be told."""
    deep: bool
    """Whether something lies so deep that no path can name it; an undo has to remove it."""

    def told(self) -> Iterator[str]:
        """Yield in words what is lacking, and what an undo does with it."""
        if self.large:
            count = f"more than {len(self.large)} files" if self.more \
                else number_of(len(self.large), "file")  # fmt: skip
            shown = ", ".join(map(telling, self.large[:SHOWN]))
            rest = ", ..." if self.more or len(self.large) > SHOWN else ""
            size = size_text(self.size)
            yield f"{count} larger than {size}: {shown}{rest}; an undo leaves such files alone"
        if self.deep:
            yield (
                "what lies deeper than a path can say (4,095 bytes): an undo that removes a "
                "directory on the way there removes it for good"
            )


def search(roots: Iterable[str], passed_over: str, size: int) -> str:
    """Return a shell's command that writes one line, which `read` understands.

    Args:
        roots: The directories that are looked through.
        passed_over: What find(1) stays out of, as its own words.
        size: What a file may have, in bytes.
    """
    places = " ".join(map(shlex.quote, roots))
    return _SEARCH % (places, passed_over, size, MOST, _BEGIN.decode())


def read(line: bytes, size: int) -> LeftOut | None:
    """Return what a line tells; nothing of another line.

    >>> read(b"left out: TC9hAEwvYgA=", 1024)
    LeftOut(size=1024, large=('/a', '/b'), more=False, deep=False)
    """
    if not line.startswith(_BEGIN):
        return None
    try:
        whole = base64.b64decode(line.removeprefix(_BEGIN), validate=True)
    except binascii.Error:
        return None
    *entries, rest = whole.decode(errors="surrogateescape").split("\0")
    large = tuple(each.removeprefix("L") for each in entries if each.startswith("L"))
    # A cut at the end of an entry looks like an end.
    return LeftOut(size, large, bool(rest) or len(whole) == MOST, "D" in entries)
