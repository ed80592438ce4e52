"""See what lies in a Git directory: what decides about it, and the repositories of submodules."""

import os
import posixpath
import re
from collections import deque
from collections.abc import Collection, Iterator
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
from jailoc.model.host import FileKind
from jailoc.model.repository import DEEPER, LISTED, OF_A_WORKTREE, fold

MOST_ENTRIES = 1_000_000
"""Of one directory."""
MOST_WALKED = 50_000
"""Entries of one Git directory among which links are looked for, without its single objects."""
_OTHERS = re.compile(r"hooks")
"""Directories in one that are looked at for themselves."""
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


class Strange(NamedTuple):
    """What lies in a Git directory and is neither a file nor a directory."""

    path: str
    linked: bool
    """Whether it is a symbolic link in the place of what Git reads and writes: it follows it."""
    endless: bool
    """Whether it is, or leads to, a pipe or a device: Git waits for it, or reads without an end."""


def strange(directory: str, crowded: list[str], only: Collection[str] = ()) -> Iterator[Strange]:
    """Yield the links, pipes, devices and sockets of a Git directory, or of some directories in it.

    What is cut is `crowded`. Of links in the place of single objects only those are told that lead
    to a pipe or a device: no object is written over.
    """
    waiting, left, most = deque([(directory, "")]), MOST_WALKED, MOST_ENTRIES
    while waiting:
        folder, below = waiting.popleft()
        objects = _OBJECTS.fullmatch(below.removesuffix("/")) is not None
        here = [*children(folder, most if objects else left)]
        if _MODULES.fullmatch(below) and is_repository({fold(each.name) for each in here}):
            left -= 1
            continue
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
            if entry.is_symlink():
                endless = is_endless(entry)
                if endless or not objects:
                    yield Strange(entry.path, not objects, endless)
                continue
            kind = kind_of(entry)
            if kind is FileKind.OTHER:
                endless = is_endless(entry)
                if endless or name != _MONITOR:
                    yield Strange(entry.path, False, endless)
            elif kind is FileKind.DIRECTORY and not _OTHERS.fullmatch(name):
                waiting.append((entry.path, f"{name}/"))


def is_repository(names: Collection[str]) -> bool:
    """Tell whether a directory that has such names, folded, is one for Git (setup.c)."""
    return "head" in names and ({"objects", "refs"} <= {*names} or "commondir" in names)


def is_whole(directory: str) -> bool:
    """Tell whether Git takes such a directory for a repository by its HEAD (setup.c).

    In what it does not, one more may lie anywhere (`submodule.c`, validate_submodule_git_dir).
    """
    path = f"{directory}/HEAD"
    if os.path.islink(path):  # noqa: PTH114 -- text
        return False  # of today's Git no HEAD is one; so more is looked through
    head = (text(path) or "").strip()
    return head.removeprefix("ref:").strip().startswith("refs/") if head[:4] == "ref:" else (
        re.fullmatch(r"[0-9a-fA-F]{40,64}", head) is not None
    )  # fmt: skip


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


GITS_OWN = {"objects", "refs", "logs", "hooks", "info", "modules", "worktrees", "lfs", "annex"}
"""Directories there that hold what is known (gitrepository-layout(5)), or very much."""


def beside(git: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    """Yield what somebody has put into a Git directory beside what is Git's own.

    Other programs keep repositories and working trees there, as git-remote-hg(1) does.
    """
    for entry in children(git.path, MOST_ENTRIES):
        if fold(entry.name) not in GITS_OWN:
            yield entry


def elsewhere(directory: str, file: str, name: str) -> dict[str, str]:
    """Return where a `commondir` leads if that is not the repository that it is in."""
    where = (text(file) or ".").rstrip("\r\n")
    place = posixpath.join(posixpath.dirname(file), where)
    try:
        same = os.path.realpath(place) == os.path.realpath(directory)
    except (OSError, ValueError):
        same = False
    return {} if same else {name: where[:WIDTH]}
