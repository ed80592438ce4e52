"""What a link of a project leads to where no name is looked for.

That is what a package manager has installed, and what is Git's own: nobody opens them as a project;
by a link somebody does.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jailoc.bin.host.entries import children, is_directory, kind_of
from jailoc.bin.host.links import real
from jailoc.model.host import FileKind
from jailoc.model.path import first_within
from jailoc.model.protect_entry import INSTALLED
from jailoc.model.repository import fold

MOST = 1_000_000
"""Entries that are looked at, of all links of one path."""


_UNSEARCHED = frozenset({*INSTALLED, ".git"})


def leads_there(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a link that leads there by its text."""
    if not entry.is_symlink() or entry.name in _UNSEARCHED:
        return False
    try:
        parts = Path(entry.path).readlink().parts
    except OSError:
        return False
    return not {*map(fold, parts)}.isdisjoint(_UNSEARCHED)


def names(
    links: Sequence[str], wanted: Mapping[str, Sequence[tuple[str, ...]]], roots: Sequence[str]
) -> Iterator[str | None]:
    """Yield the names below links, where an agent can write; None where there is more to look at.

    Args:
        links: The links.
        wanted: Names, folded, each with what else there has to be below it.
        roots: What agents can write, links resolved.
    """
    left = MOST
    waiting = [each for each in links if first_within(real(each), roots) and is_directory(each)]
    while waiting:
        here = list(children(waiting.pop(), left))
        left -= len(here)
        if left < 0:
            yield None
            return
        for entry in here:
            for rest in wanted.get(fold(entry.name), ()):
                place = "/".join((entry.path, *rest))
                if os.path.lexists(place):
                    yield place
            if kind_of(entry) is FileKind.DIRECTORY and entry.name not in _UNSEARCHED:
                waiting.append(entry.path)
