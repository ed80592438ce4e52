"""Follow files called `.git` to their repositories (gitrepository-layout(5)), wherever they lie."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import children, is_directory, readable, text
from jailoc.bin.host.links import PROCESSES, real_for_others
from jailoc.model.path import clean, within
from jailoc.model.repository import fold

PREFIX = "gitdir: "
MOST = 100_000
"""Entries of a directory that may be a repository."""


@dataclass(frozen=True)
class NamedByFile:
    """A directory in a writable path that Git takes configuration or hooks from."""

    root: str
    path: str
    trouble: str | None = None
    """Why it cannot be covered."""


def read(file: str) -> tuple[str, str] | None:
    """Return the Git directory that a file names and its common directory, as they are written."""
    found = text(file) or ""
    if not found.startswith(PREFIX):
        return None
    directory = posixpath.join(posixpath.dirname(file), _path(found.removeprefix(PREFIX)))
    return directory, posixpath.join(directory, _path(text(f"{directory}/commondir") or "."))


def targets(file: str, roots: Mapping[str, str]) -> Iterator[NamedByFile]:
    """Yield what of a file's repository lies in writable paths.

    Args:
        file: A regular file.
        roots: The writable paths with their real places.
    """
    mine = next((root for root in roots if within(file, root)), "")
    for path in dict.fromkeys(read(file) or ()):
        place = readable(real_for_others(path))
        if "\ufffd" in path or within(place, PROCESSES):
            why = f"it names a place that is another for each program, or no text: `{path[:WIDTH]}`"
            yield NamedByFile(mine, file, why)
            continue
        written = clean(path)
        lies = next(
            ((root, root.rstrip("/") + place[len(at.rstrip("/")) :])
             for root, at in roots.items() if within(place, at)), None,
        )  # fmt: skip
        linked = next((root for root in roots if within(written, root)), None)
        if linked is not None and (lies is None or lies[1] != written):
            yield NamedByFile(
                linked, written, f"a symbolic link leads from it, and `{file}` names it"
            )
        if lies is not None:
            trouble = f"`{file}` names it, and it is no repository yet"
            yield NamedByFile(*lies, None if _is_repository(place) else trouble)


def _path(text_: str) -> str:
    # As Git ends it, which holds it as a string of C.
    return text_.rstrip("\r\n").partition("\0")[0]


def _is_repository(directory: str) -> bool:
    if not is_directory(directory):
        return False
    names = {fold(each.name) for each in children(directory, MOST)}
    return {"objects", "refs"} <= names or {"head", "commondir"} <= names
