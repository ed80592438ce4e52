"""See what lies in a Git directory: what decides about it, and the repositories of submodules."""

import os
import posixpath
import re
from collections import deque
from collections.abc import Iterator

from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import children, holds_directory, is_text, text
from jailoc.model.repository import DEEPER, LISTED, OF_A_WORKTREE, fold

MOST_ENTRIES = 1_000_000
"""Of one directory."""
MOST_WALKED = 50_000
"""Entries of one Git directory among which links are looked for."""
_OTHERS = re.compile(r"hooks|objects/[0-9a-f]{2}|(worktrees/[^/]+/)?modules")
"""Directories in one that hold no file which Git itself writes under a name of its own."""


def deciding(directory: str, crowded: list[str]) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield what decides about a Git directory, with its path there; what is cut is `crowded`."""
    for entry in _listed(directory, crowded):
        name = fold(entry.name)
        if name in LISTED and is_text(entry.name):
            yield entry, entry.name
        elif name in DEEPER:
            yield from _deeper(entry, DEEPER[name], entry.name, crowded)
        elif name == "worktrees" and not entry.is_symlink():
            for tree in _listed(entry.path, crowded):
                if is_text(tree.name) and holds_directory(tree):
                    for inner in _listed(tree.path, crowded):
                        if fold(inner.name) in OF_A_WORKTREE and is_text(inner.name):
                            yield inner, f"{entry.name}/{tree.name}/{inner.name}"


def _deeper(
    directory: os.DirEntry[str], way: tuple[str, ...], below: str, crowded: list[str]
) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield what lies at the end of a way through directories, in whatever letters."""
    if directory.is_symlink():
        return
    first, *rest = way
    for entry in _listed(directory.path, crowded):
        if fold(entry.name) == first and is_text(entry.name):
            place = f"{below}/{entry.name}"
            if rest:
                yield from _deeper(entry, tuple(rest), place, crowded)
            else:
                yield entry, place


def _listed(directory: str, crowded: list[str]) -> list[os.DirEntry[str]]:
    found = list(children(directory, MOST_ENTRIES))
    if len(found) > MOST_ENTRIES:
        crowded.append(directory)
    return found


def links(directory: str, crowded: list[str]) -> Iterator[str]:
    """Yield the links in the place of what Git itself reads and writes: it follows them.

    What is cut is `crowded`. The files of single objects are not looked at: each has the name of
    its content, and none is written over.
    """
    waiting, left = deque([(directory, "")]), MOST_WALKED
    while waiting:
        folder, below = waiting.popleft()
        for entry in children(folder, left):
            left -= 1
            if left < 0:
                crowded.append(directory)
                return
            name = f"{below}{fold(entry.name)}"
            if entry.is_symlink():
                yield entry.path
            elif not _OTHERS.fullmatch(name) and holds_directory(entry):
                waiting.append((entry.path, f"{name}/"))


def modules(git: os.DirEntry[str]) -> Iterator[str]:
    """Yield the directories of submodules' repositories, also of those of linked working trees."""
    for entry in children(git.path, MOST_ENTRIES):
        name = fold(entry.name)
        if not holds_directory(entry):
            continue
        if name == "modules":
            yield entry.path
        elif name == "worktrees":
            for tree in children(entry.path, MOST_ENTRIES):
                if holds_directory(tree):
                    for each in children(tree.path, MOST_ENTRIES):
                        if fold(each.name) == "modules" and holds_directory(each):
                            yield each.path


def elsewhere(directory: str, file: str, name: str) -> dict[str, str]:
    """Return where a `commondir` leads if that is not the repository that it is in."""
    where = (text(file) or ".").rstrip("\r\n")
    place = posixpath.join(posixpath.dirname(file), where)
    try:
        same = os.path.realpath(place) == os.path.realpath(directory)
    except (OSError, ValueError):
        same = False
    return {} if same else {name: where[:WIDTH]}
