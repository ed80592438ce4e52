"""See what lies in a Git directory: what decides about it, and the repositories of submodules."""

import os
import posixpath
from collections.abc import Iterator

from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import children, is_text, text
from jailoc.model.repository import LISTED, OF_A_WORKTREE, fold

MOST_ENTRIES = 1_000_000
"""Of one directory."""


def deciding(directory: str, crowded: list[str]) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield what decides about a Git directory, with its path there; what is cut is `crowded`."""
    for entry in _listed(directory, crowded):
        name = fold(entry.name)
        if name in LISTED and is_text(entry.name):
            yield entry, entry.name
        elif name == "info":
            for inner in _listed(entry.path, crowded):
                if fold(inner.name) == "attributes" and is_text(inner.name):
                    yield inner, f"{entry.name}/{inner.name}"
        elif name == "worktrees" and not entry.is_symlink():
            for tree in _listed(entry.path, crowded):
                if is_text(tree.name) and tree.is_dir(follow_symlinks=False):
                    for inner in _listed(tree.path, crowded):
                        if fold(inner.name) in OF_A_WORKTREE and is_text(inner.name):
                            yield inner, f"{entry.name}/{tree.name}/{inner.name}"


def _listed(directory: str, crowded: list[str]) -> list[os.DirEntry[str]]:
    found = list(children(directory, MOST_ENTRIES))
    if len(found) > MOST_ENTRIES:
        crowded.append(directory)
    return found


def links(directory: str) -> Iterator[str]:
    """Yield the links in the place of what Git itself reads and writes: it follows them."""
    for entry in children(directory, MOST_ENTRIES):
        name = fold(entry.name)
        if entry.is_symlink() and name not in LISTED and is_text(entry.name):
            yield entry.path
        elif name in {"info", "logs", "remotes"} and entry.is_dir(follow_symlinks=False):
            yield from (each.path for each in children(entry.path, MOST_ENTRIES)
                        if each.is_symlink() and is_text(each.name))  # fmt: skip
        elif name == "worktrees" and entry.is_dir(follow_symlinks=False):
            for tree in children(entry.path, MOST_ENTRIES):
                if tree.is_dir(follow_symlinks=False):
                    yield from (each for each in links(tree.path) if fold(each) not in LISTED)


def modules(git: os.DirEntry[str]) -> Iterator[str]:
    """Yield the directories of submodules' repositories, also of those of linked working trees."""
    for entry in children(git.path, MOST_ENTRIES):
        name = fold(entry.name)
        if not entry.is_dir(follow_symlinks=False):
            continue
        if name == "modules":
            yield entry.path
        elif name == "worktrees":
            for tree in children(entry.path, MOST_ENTRIES):
                if tree.is_dir(follow_symlinks=False):
                    for each in children(tree.path, MOST_ENTRIES):
                        if fold(each.name) == "modules" and each.is_dir(follow_symlinks=False):
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
