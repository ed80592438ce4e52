"""Gather what files called `.git` say: which repository each names, and whether that agrees."""

import os
from collections.abc import Iterable
from pathlib import Path

from jailoc.bin.config import git_file
from jailoc.bin.config.changeable import could_make
from jailoc.bin.host.entries import is_directory, is_text, kind_at, readable, text
from jailoc.bin.host.links import real_for_others
from jailoc.model.host import FileKind, GitLink
from jailoc.model.path import clean, within
from jailoc.model.worktree import SHARED


def gather(files: Iterable[str]) -> tuple[GitLink, ...]:
    """Return what regular files called `.git` name, as far as they name anything.

    A link in such a place is none: it could lead to the file of another working tree, which its
    repository knows. None is left out: whoever looks for such files bounds them, and says so.
    """
    plain = (each for each in set(files) if _is_file(each))
    every = sorted(plain, key=lambda each: (each.count("/"), each))
    return tuple(found for each in every if (found := _link(each)) is not None)


def top_of(path: str, home: str) -> str | None:
    """Return the working tree that a path lies in, if it is no working tree itself.

    A repository of the home directory, if one is given, or of the whole machine is none of a
    project's.
    """
    if kind_at(f"{path}/.git") is not None:
        return None
    for above in map(str, Path(path).parents):
        if above == "/" or within(home, above):
            return None
        if kind_at(f"{above}/.git") is not None:
            return above
    return None


def _link(file: str) -> GitLink | None:
    names = git_file.read(file)
    if names is None or not all(map(is_text, names)) or any("\0" in each for each in names):
        return None
    directory, common = map(clean, names)
    worktree = directory != common and _named_back(file, directory)
    return GitLink(
        file=file,
        directory=directory,
        common=common,
        worktree=worktree,
        late=worktree and could_make(file),
        shared=tuple(name for name in SHARED if _is_directory(f"{common}/{name}")),
        trouble=_trouble(directory, common, names),
    )


def _named_back(file: str, directory: str) -> bool:
    """Tell whether a repository knows a working tree by this file (gitrepository-layout(5))."""
    place = (text(f"{directory}/gitdir") or "").rstrip("\r\n")
    if not place or "\0" in place:
        return False
    return real_for_others(f"{Path(directory) / place}") == real_for_others(file)


def _trouble(directory: str, common: str, written: tuple[str, str]) -> str | None:
    for path, words in zip((directory, common), written, strict=True):
        if not is_directory(path):
            return f"`{readable(path)}` does not exist"
        if real_for_others(path) != real_for_others(words):
            return f"`{readable(words)}` leads over a symbolic link"
        if not path.isprintable():
            return "its name holds control characters"
    if not all(map(_is_directory, (f"{common}/objects", f"{common}/refs"))):
        return f"`{readable(common)}` is no repository"
    if linked := [each for each in SHARED if Path(common, each).is_symlink()]:
        return f"`{readable(common)}/{linked[0]}` is a symbolic link"
    return None if directory == common or within(directory, f"{common}/worktrees") else (
        f"`{readable(directory)}` lies outside of its repository"
    )  # fmt: skip


def _is_file(path: str) -> bool:
    return kind_at(path) is FileKind.FILE and not os.path.islink(path)  # noqa: PTH114 -- text


def _is_directory(path: str) -> bool:
    return is_directory(path) and not os.path.islink(path)  # noqa: PTH114 -- text
