"""What Git on the host believes of its own files, whoever wrote them: which paths it writes.

No program is run, and every look is bounded: an agent may have made all of it.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jailoc.bin.host import regular, unseen
from jailoc.bin.host.entries import children, holds_directory, readable
from jailoc.model import git_index
from jailoc.model.text import visible

MOST_INDEX, MOST_BYTES = 128 << 20, 512 << 20
"""Bytes of an index, and of all of one look."""
MOST_RERERE = 1 << 20
"""Bytes of a list of conflicts."""
MOST_TREES = 1_000
"""Linked working trees of one repository that are looked at."""
_SHA256 = re.compile(rb"(?im)^\s*objectformat\s*=\s*\"?sha256")


@dataclass
class Budget:
    """What one look may still read of indexes."""

    left: int = MOST_BYTES


def away(directory: str, top: str, budget: Budget) -> Iterator[tuple[str, str]]:
    """Yield files of a Git directory that lead Git out of the working tree, with the reason.

    Args:
        directory: The Git directory.
        top: Its working tree; empty if that is not known.
        budget: Of the look that it is a part of.
    """
    digest = 32 if _SHA256.search(_text(f"{directory}/config")) else 20
    yield from _index(directory, digest, budget)
    yield from _conflicts(f"{directory}/MERGE_RR", top)
    trees = f"{directory}/worktrees"
    if os.path.islink(trees) or not os.path.isdir(trees):  # noqa: PTH112, PTH114 -- text
        return
    for number, each in enumerate(children(trees, MOST_TREES)):
        if number == MOST_TREES:
            yield trees, f"it holds more than {MOST_TREES:,} working trees"
        elif holds_directory(each):
            yield from _index(each.path, digest, budget)
            yield from _conflicts(f"{each.path}/MERGE_RR", "")


def _text(place: str) -> bytes:
    try:
        return regular.read(place, cut=True)
    except (OSError, regular.NotRegular):
        return b""


def _read(place: str, most: int) -> bytes | str | None:
    """Return what is in a file, why it cannot be read, or nothing if there is none."""
    try:
        # A link is told as one.
        return None if os.path.islink(place) else regular.read(place, most)  # noqa: PTH114 -- text
    except OSError as error:
        unseen.note(place, error)
        return None
    except regular.NotRegular as error:
        return f"it {error}"


def _index(directory: str, digest: int, budget: Budget) -> Iterator[tuple[str, str]]:
    name = "index"
    while name:
        place, name = f"{directory}/{name}", ""
        data = _read(place, min(MOST_INDEX, budget.left))
        if data is None:
            continue
        if isinstance(data, str):
            yield place, f"{data}, so nobody knows which files Git writes by it"
            continue
        budget.left -= len(data)
        try:
            found = git_index.read(data, digest)
        except ValueError as error:
            yield place, f"it is not read as Git reads it ({error}), so nobody knows what it names"
            continue
        odd = git_index.odd(found.paths)
        if odd is not None:
            yield place, f"it names `{_shown(odd)}`, which Git reads and writes as it is told"
        # The other part of a split one has no third.
        if found.shared and place.endswith("/index"):
            name = f"sharedindex.{found.shared}"


def _conflicts(place: str, top: str) -> Iterator[tuple[str, str]]:
    data = _read(place, MOST_RERERE)
    if isinstance(data, str):
        yield place, f"{data}, so nobody knows which files Git copies by it"
    for each in data.split(b"\0") if isinstance(data, bytes) else ():
        path = each.partition(b"\t")[2]
        if path and (git_index.odd((path,)) is not None or _leads_away(path, top)):
            yield place, f"it names `{_shown(path)}`, which Git copies to where the agent reads it"
            return


def _leads_away(path: bytes, top: str) -> bool:
    if not top:
        return False
    here = os.fsencode(os.path.realpath(top))
    try:
        return os.path.realpath(here + b"/" + path) != os.path.normpath(here + b"/" + path)
    except (OSError, ValueError):
        return True


def _shown(path: bytes) -> str:
    return visible(readable(os.fsdecode(path)))[:200]
