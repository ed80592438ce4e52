"""Find the submodules of a working tree that are not there (gitsubmodules(7)): no link is followed.

Git goes into whatever repository comes in the place of one, and executes what that says.
"""

import os
import stat
from collections.abc import Callable, Container, Iterable, Iterator

from jailoc.bin.config import git_links
from jailoc.bin.host import unseen
from jailoc.bin.host.entries import is_text
from jailoc.model import git_index
from jailoc.model.host import GitLink

_NO_TEXT = "its name is not UTF-8, so nothing can be mounted there"
_UNKNOWN = (
    "it is split, or has very many submodules: not of all that are not there is known where they "
    "are (`git update-index --no-split-index` joins its parts)"
)
_NO_DIRECTORY = "Git has a submodule there or below it, and it is no directory"


def beside(
    read: Callable[[str, str], Iterator[git_index.Index]],
    roots: Iterable[str],
    links: Iterable[GitLink],
    known: Container[tuple[str, str]],
) -> Iterator[tuple[str, str | None]]:
    """Yield those of working trees whose repository lies elsewhere, or that hold a path.

    Args:
        read: Reads the index of a Git directory, with that of its objects.
        roots: What an agent can write.
        links: What files `.git` name.
        known: Git directories and working trees whose index was read already.
    """
    trees = {each.file.rpartition("/")[0]: (each.directory, each.common) for each in links}
    for top in filter(None, (git_links.top_of(root, "") for root in roots)):
        for each in git_links.gather((f"{top}/.git",)):
            trees[top] = each.directory, each.common
        trees.setdefault(top, (f"{top}/.git", f"{top}/.git"))
    for top, (directory, common) in trees.items():
        for index in read(directory, common) if (directory, top) not in known else ():
            yield from missing(top, index.submodules)


def missing(top: str, submodules: Iterable[bytes]) -> Iterator[tuple[str, str | None]]:
    """Yield the submodules of a working tree that hold no repository, as `Tree.empty` has them."""
    for path in submodules:
        place, name = top, os.fsdecode(path)
        if not path:
            yield f"{top}/.git/index", _UNKNOWN
        if git_index.odd(path):
            continue
        for part in name.split("/"):
            place = f"{place}/{part}"
            try:
                found = os.lstat(place)
            except FileNotFoundError:
                yield place, None if is_text(place) else _NO_TEXT
                break
            except OSError as error:
                unseen.note(place, error)
                break
            if not stat.S_ISDIR(found.st_mode):
                yield place, _NO_DIRECTORY
                break
        else:
            if not os.path.lexists(f"{place}/.git"):
                yield place, None if is_text(place) else _NO_TEXT
