"""What of this machine a clone is made from: a repository, and what Git reads for it elsewhere."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.config.changeable import could_make, starter
from jailoc.bin.config.git_directory import strange
from jailoc.bin.host import regular
from jailoc.bin.host.links import Links
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.forbidden_paths import trespass
from jailoc.model.host import GitLink, Host
from jailoc.model.path import CONTAINER_SYSTEM, clean, first_within, outermost, within
from jailoc.model.text import visible

MOST_ALTERNATES = 20
DEEPEST = 5
"""How many steps Git follows from alternates to alternates (alternates are read to this depth)."""


class CloneSource(NamedTuple):
    """What Git reads to make a clone."""

    git: tuple[str, ...]
    """`.git`, or a bare repository; where `.git` is a file, then what it names. Nothing of a
    working tree: what an agent puts there, or is not to see there, is out of reach of links."""
    borrowed: tuple[str, ...]
    """Directories of objects that lie elsewhere."""
    late: bool = False
    """Whether `.git` is a file that an agent could have made."""

    @property
    def every(self) -> tuple[str, ...]:
        """All of it, what lies in another one left out."""
        return outermost((*self.git, *self.borrowed))


def source(repository: str, host: Host) -> CloneSource:
    """Return what a clone of a repository is made from.

    Raises:
        Refused: it is none, or Git would read for it what no sandbox may have.
    """
    git = Path(repository, ".git")
    if not Path(repository).is_dir():
        raise _unfit(repository, "it is not there", "make it, or correct `paths`")
    for hop in Links().trace(repository)[1]:
        if (name := starter(hop.rpartition("/")[0] or "/")) is not None:
            raise _unfit(
                repository,
                f"a link on the way, `{visible(hop)}`, lies where the agent of workspace `{name}` "
                "could put it",
                "name where it leads in `paths`, if that is meant",
            )
    if git.is_symlink():
        # Commits would come home to wherever an agent lets it lead.
        raise _unfit(repository, "its `.git` is a symbolic link",
                     "put the directory itself there, or name its repository")  # fmt: skip
    late = False
    found: tuple[str, ...] = (str(git) if git.exists() else repository,)
    if git.is_file():
        link = _link(repository, host)
        found, late = (*found, link.directory, link.common), link.late
    elif not git.is_dir() and not Path(repository, "objects").is_dir():
        top = host.git.enclosing.get(repository)
        hint = f"it is a part of the one in `{top}`: name that in `paths`" if top else None
        raise _unfit(repository, "it is no repository", hint or "`git init` makes one")
    for directory in found[1:] or found:
        _no_pipe(repository, directory)
    borrowed = tuple(_alternates(repository, f"{found[-1]}/objects", host))
    return CloneSource(found, borrowed, late)


def _no_pipe(repository: str, directory: str) -> None:
    """Refuse a repository in which Git would wait for ever."""
    for each in strange(directory, []):
        if each.endless:
            place = visible(each.path)
            reason = f"Git would wait for ever at `{place}`: it is a pipe or a device"
            raise _unfit(repository, reason, "remove it")


def git_directory(repository: str, host: Host) -> str:
    """Return where the objects and references of a repository are.

    Raises:
        Refused: it is none.
    """
    return source(repository, host).git[-1]


def own(repository: str, host: Host) -> tuple[str, ...]:
    """Return a repository and what of Git's is its own elsewhere, without what it borrows.

    Raises:
        Refused: it is none.
    """
    if not Path(repository, ".git").is_file():
        return (repository,)
    link = _link(repository, host)
    elsewhere = (link.directory, link.common)
    return (repository, *(each for each in elsewhere if not within(each, repository)))


def _link(repository: str, host: Host) -> GitLink:
    """Return what a file `.git` says, if what it names knows of it."""
    file = f"{repository}/.git"
    link = next((each for each in host.git.links if each.file == file), None)
    if link is None or link.trouble is not None or not link.worktree:
        named = f"its `.git` names `{link.directory}`" if link else "its `.git` names nothing"
        reason = (link and link.trouble) or "that does not name it back"
        raise _unfit(repository, f"{named}, and {reason}", "mend the file, or the repository")
    for place in (link.directory, link.common):
        needed(repository, place, host)
    return link


def needed(repository: str, place: str, host: Host) -> str:
    """Return where a place that Git reads for a repository really is.

    Raises:
        Refused: an agent leads there, or no sandbox may have it.
    """
    real, hops = Links().trace(place)
    if any(map(starter, hops)):
        raise _unfit(repository, f"an agent decides where a link on the way of `{visible(place)}` "
                     "leads", "`git repack -a -d` takes in what it needs")  # fmt: skip
    for path in (place, real):
        if reason := trespass(path, host):
            raise _unfit(repository, f"it needs `{visible(place)}`, and {reason}", "move that")
        if (system := first_within(path, CONTAINER_SYSTEM)) is not None:
            raise _unfit(
                repository,
                f"it needs `{visible(place)}`, and `{system}` is the container's own",
                "move that",
            )
    return real


def _alternates(repository: str, objects: str, host: Host) -> list[str]:
    found: dict[str, None] = {}
    waiting = [(objects, 0)]
    while waiting:
        directory, depth = waiting.pop()
        for line in _lines(repository, directory):
            place = clean(line if line.startswith("/") else f"{directory}/{line}")
            if place in found or place == objects:
                continue
            needed(repository, place, host)
            found[place] = None
            if len(found) > MOST_ALTERNATES or depth >= DEEPEST:
                raise _unfit(repository, "it takes objects from too many other places",
                             "`git repack -a -d` takes them in")  # fmt: skip
            waiting.append((place, depth + 1))
    return [each for each in found if Path(each).is_dir()]


def _lines(repository: str, directory: str) -> Iterator[str]:
    """Yield the entries of `info/alternates` (gitrepository-layout(5))."""
    try:
        data = regular.read(f"{directory}/info/alternates")
    except FileNotFoundError:
        return
    except (OSError, regular.NotRegular) as error:
        raise _unfit(repository, f"`objects/info/alternates` cannot be read: {error}",
                     "mend it") from None  # fmt: skip
    if data.strip() and could_make(f"{directory}/info/alternates"):
        raise _unfit(
            repository,
            "`objects/info/alternates` came while an agent could write it, and may name another "
            "repository of yours",
            "remove it if it is none of yours",
        )
    for raw in data.split(b"\n"):
        line = os.fsdecode(raw)
        if line and not line.startswith("#"):
            if line.startswith('"') or not line.isprintable():
                raise _unfit(repository, f"it takes objects from `{visible(line)}`",
                             "`git repack -a -d` takes them in")  # fmt: skip
            yield line


def _unfit(repository: str, what: str, hint: str) -> Refused:
    return refuse("task-repository", f"`{repository}` cannot be cloned: {what}", hint=hint)
