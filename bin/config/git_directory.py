"""See what lies in a Git directory: what decides about it, and the repositories of submodules."""

import os
import posixpath
import re
from collections import deque
from collections.abc import Collection, Iterator
from enum import Enum, auto
from typing import NamedTuple

from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import (
    children,
    holds_directory,
    is_endless,
    is_text,
    kind_of,
    text,
)
from jailoc.bin.host.links import real_for_others
from jailoc.model.host import FileKind
from jailoc.model.path import within
from jailoc.model.repository import DEEPER, LISTED, OF_A_WORKTREE, fold

MOST_ENTRIES = 1_000_000
"""Of one directory."""
MOST_WALKED = 50_000
"""Entries of one Git directory among which links are looked for, without its single objects."""
_HOOKS = "hooks/"
"""Looked at for themselves, but for repositories in there."""
_WORKTREE = re.compile(r"worktrees/[^/]+/")
"""The Git directory of a linked working tree, which has no objects of its own."""
_MODULES = re.compile(r"(worktrees/[^/]+/)?modules/.+")
"""Where repositories of submodules are, which are looked at for themselves, too."""
_OBJECTS = re.compile(r"objects/[0-9a-f]{2}")
"""Directories in one that hold no file which Git writes over: each has the name of its content."""
_MONITOR = "fsmonitor--daemon.ipc"
"""The socket of Git's own monitor of files (git-fsmonitor--daemon(1))."""


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


class StrangeKind(Enum):
    """What there may be in a Git directory beside its files and directories."""

    LINK = auto()
    """A symbolic link in the place of what Git reads and writes: it follows it."""
    REPOSITORY = auto()
    """A repository within what is Git's own."""
    OTHER = auto()
    """A pipe, device or socket, or what leads to one in the place of an object."""


class Strange(NamedTuple):
    """What lies in a Git directory and is neither a file nor a directory of Git's."""

    path: str
    kind: StrangeKind
    endless: bool
    """Whether it is, or leads to, a pipe or a device: Git waits for it, or reads without an end."""


def strange(directory: str, crowded: list[str], only: Collection[str] = ()) -> Iterator[Strange]:
    """Yield links, pipes, devices, sockets and repositories of a Git directory, or of some in it.

    What is cut is `crowded`. Of links in the place of single objects only those are told that lead
    to a pipe or a device: no object is written over. Of repositories only those that nobody
    has reason to put there: submodules' and what lies beside Git's own are found by whoever walks.
    """
    waiting, left, most = deque([(directory, "")]), MOST_WALKED, MOST_ENTRIES
    bare = posixpath.basename(directory) != ".git"
    while waiting:
        folder, below = waiting.popleft()
        objects = _OBJECTS.fullmatch(below.removesuffix("/")) is not None
        here = [*children(folder, most if objects else left)]
        names = {fold(each.name) for each in here} if below else set[str]()
        if bare and ".git" in names and below.partition("/")[0] not in WRITTEN:
            continue  # a working tree: whoever walks looks through it
        if is_repository(names):
            if _MODULES.fullmatch(below):
                left -= 1
                continue
            linked = _WORKTREE.fullmatch(below) and not {"objects", "refs"} <= names
            cloned = below == f"{_HOOKS}.git/"  # read-only with all hooks
            if below.partition("/")[0] in GITS_OWN and not (linked or cloned):
                yield Strange(folder, StrangeKind.REPOSITORY, False)
        for entry in here:
            if objects:
                most -= 1
            else:
                left -= 1
            if left < 0 or most < 0:
                crowded.append(directory)
                return
            name = f"{below}{fold(entry.name)}"
            if only and not below and name not in only:
                continue
            if kind_of(entry) is FileKind.DIRECTORY and not entry.is_symlink():
                waiting.append((entry.path, f"{name}/"))
            elif not name.startswith(_HOOKS):
                yield from _beside_files(entry, below, objects=objects)


def _beside_files(entry: os.DirEntry[str], below: str, *, objects: bool) -> Iterator[Strange]:
    """Yield an entry of a Git directory if it is no file."""
    if entry.is_symlink():
        endless = is_endless(entry)
        if endless or not objects:
            kind = StrangeKind.OTHER if objects else StrangeKind.LINK
            yield Strange(entry.path, kind, endless)
    elif kind_of(entry) is FileKind.OTHER:
        endless = is_endless(entry)
        if endless or below or entry.name != _MONITOR:
            yield Strange(entry.path, StrangeKind.OTHER, endless)


def is_repository(names: Collection[str]) -> bool:
    """Tell whether a directory that has such names, folded, is one for Git (setup.c)."""
    return "head" in names and ({"objects", "refs"} <= {*names} or "commondir" in names)


def modules(git: os.DirEntry[str]) -> Iterator[str]:
    """Yield the directories of submodules' repositories, also of those of linked working trees."""
    trees = (each.path for each in worktrees(git.path) if holds_directory(each))
    for directory in (git.path, *trees):
        for entry in children(directory, MOST_ENTRIES):
            if fold(entry.name) == "modules" and holds_directory(entry):
                yield entry.path


def worktrees(directory: str) -> Iterator[os.DirEntry[str]]:
    """Yield what should be Git directories of linked working trees, or a link in their place."""
    for entry in children(directory, MOST_ENTRIES):
        if fold(entry.name) == "worktrees":
            if entry.is_symlink():
                yield entry
            elif kind_of(entry) is FileKind.DIRECTORY:
                yield from children(entry.path, MOST_ENTRIES)


GITS_OWN = {"objects", "refs", "logs", "hooks", "info", "modules", "worktrees", "lfs", "annex"}
"""Directories there that hold what is known (gitrepository-layout(5)), or very much."""
WRITTEN = GITS_OWN | {"branches", "remotes", "rebase-merge", "rebase-apply", "sequencer",
                      "rr-cache", "svn", "lost-found", "notes_merge_worktree",
                      "reftable", "fsmonitor--daemon", "subtree-cache"}  # fmt: skip
"""These, and all others that Git itself writes in."""


def is_own(place: str, directory: str) -> bool:
    """Tell whether a place is a Git directory's own: a working tree may lie in there, too."""
    first, _, rest = place.removeprefix(f"{directory}/").partition("/")
    return within(place, directory) and (not rest or fold(first) in WRITTEN)


def beside(git: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    """Yield what somebody has put into a Git directory beside what is Git's own.

    Other programs keep repositories and working trees there, as git-remote-hg(1) does. In other
    letters a name is Git's own on some file systems alone.
    """
    for entry in children(git.path, MOST_ENTRIES):
        if entry.name not in GITS_OWN:
            yield entry


def elsewhere(directory: str, file: str, name: str) -> dict[str, str]:
    """Return where a `commondir` leads if that is not the repository that it is in."""
    where = (text(file) or ".").rstrip("\r\n")
    place = posixpath.join(posixpath.dirname(file), where)
    same = "\0" not in place and real_for_others(place) == real_for_others(directory)
    return {} if same else {name: where[:WIDTH]}
