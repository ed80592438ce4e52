"""Find the submodules of a working tree that are not there (gitsubmodules(7)): no link is followed.

Git goes into whatever repository comes in the place of one, and executes what that says.
"""

import os
import stat
from collections.abc import Iterable, Iterator

from jailoc.bin.host import unseen
from jailoc.bin.host.entries import is_text
from jailoc.model import git_index

_NO_TEXT = "its name is not UTF-8, so nothing can be mounted there"
_NO_DIRECTORY = "Git has a submodule there or below it, and it is no directory"


def missing(top: str, submodules: Iterable[bytes]) -> Iterator[tuple[str, str | None]]:
    """Yield the submodules of a working tree that hold no repository, as `Tree.empty` has them."""
    for path in submodules:
        place, name = top, os.fsdecode(path)
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
