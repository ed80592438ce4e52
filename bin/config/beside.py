"""Texts that a configuration names and that are kept beside it: Dockerfiles and certificates.

A configuration for everybody names places such as `~/team/agent.Dockerfile`, which each user has
elsewhere. Where a directory of the same repository has a file that is called like the end of such a
place, that is the one that is reviewed; other texts are not known.
"""

import posixpath
from collections.abc import Callable
from pathlib import Path

from jailoc.bin.engine import git
from jailoc.bin.host import regular
from jailoc.generators.artefacts import portable
from jailoc.model.document import Document

Read = Callable[[str], bytes | None]
"""Reads a file by its path from the configuration's directory or one above it in the repository."""
MOST = 64
"""Files that are looked for; what a configuration names beyond has no text."""


_NOTHING: dict[str, bytes] = {}
nothing: Read = _NOTHING.get
"""Reads nothing."""


def texts(document: Document, read: Read) -> dict[str, str]:
    """Return the texts that are kept beside a configuration, by the places that it names."""
    found: dict[str, str] = {}
    for place in portable.steering(document)[:MOST]:
        data = next((text for end in portable.ends(place) if (text := read(end)) is not None), None)
        if data is not None:
            found[place] = data.decode("utf-8", errors="replace")
    return found


def directory(config: Path) -> Read:
    """Return what reads files of the directory of a configuration, and of its repository."""
    folder = config.absolute().parent
    top = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)

    def read(path: str) -> bytes | None:
        for above in dict.fromkeys((top, folder)):
            place = above / path
            # A link could lead anywhere.
            if any(each.is_symlink() for each in (place, *place.parents) if each != above
                   and above in each.parents):  # fmt: skip
                continue
            try:
                return regular.read(str(place))
            except (OSError, regular.NotRegular):
                continue
        return None

    return read


def revision(top: Path, place: str, commit: str) -> Read:
    """Return what reads files of a commit.

    Args:
        top: The directory of the working tree.
        place: The directory of the configuration, from there.
        commit: Its full name.
    """

    def read(path: str) -> bytes | None:
        for above in ("", place):
            inside = posixpath.normpath(posixpath.join(above, path))
            # A link is no text, in a directory neither.
            data = None if inside.startswith("../") else git.file_at(
                top, commit, inside, other=True
            )  # fmt: skip
            if data is not None:
                return data
        return None

    return read
