"""Texts that a configuration names and that are kept beside it: Dockerfiles and certificates.

A configuration for everybody names places such as `~/team/agent.Dockerfile`, which each user has
elsewhere. Whatever in the same repository is called like the end of such a place may be the one
that is meant, and all of it together is what is compared: one more, one less, or a link in the
place of a file is another text. Outside of a repository only what is there is known.
"""

import posixpath
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.engine import git
from jailoc.bin.host import regular
from jailoc.generators.artefacts import portable
from jailoc.generators.config.stated import ABSENT
from jailoc.model.document import Document


class TextReader(NamedTuple):
    """Reads what a path may be from the configuration's directory, or one above it."""

    read: Callable[[str], tuple[str, ...]]
    """All that there is of that name."""
    whole: bool = True
    """Whether all is seen that may be meant: then what is not there is known not to be."""


MOST = 64
"""Files that are looked for; what a configuration names beyond is told to be so."""
_SEPARATOR = "\0"
_LINK, _OTHER, _BEYOND = (f"{_SEPARATOR}{each} " for each in ("link", "other", "beyond"))
"""Stand for what has no text; no text of a file that is read begins so."""
NOTHING = TextReader(lambda _: (), whole=False)


def texts(document: Document, reader: TextReader) -> dict[str, str]:
    """Return the texts that are kept beside a configuration, by the places that it names."""
    found: dict[str, str] = {}
    for number, place in enumerate(portable.steering(document)):
        every = [_BEYOND]
        if number < MOST:
            every = [text for end in portable.ends(place) for text in reader.read(end)]
        plain = len(every) == 1 and bool(every[0])  # no text stands for what is not known
        if every or reader.whole:
            found[place] = every[0] if plain else ABSENT + _SEPARATOR.join(every)
    return found


def directory(config: Path) -> TextReader:
    """Return what reads files of the directory of a configuration, and of its repository."""
    folder = config.absolute().parent
    top = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)

    def read(path: str) -> tuple[str, ...]:
        places = dict.fromkeys(above / path for above in (top or folder, folder))
        return tuple(text for each in places for text in _at(each, top or folder))

    return TextReader(read, whole=top is not None)


def _at(place: Path, top: Path) -> Iterator[str]:
    """Yield the text of a place, or what stands for it; nothing beyond a link."""
    try:
        if any(each.is_symlink() for each in place.parents if top in each.parents):
            return
        if place.is_symlink():
            yield _LINK + bytes(place.readlink()).decode("utf-8", errors="replace")
        else:
            yield regular.read(str(place)).decode("utf-8", errors="replace")
    except regular.NotRegular:
        yield _OTHER
    except OSError:
        return


def revision(top: Path, place: str, commit: str) -> TextReader:
    """Return what reads files of a commit.

    Args:
        top: The directory of the working tree.
        place: The directory of the configuration, from there.
        commit: Its full name.
    """

    def read(path: str) -> tuple[str, ...]:
        places = dict.fromkeys(
            posixpath.normpath(posixpath.join(above, path)) for above in ("", place)
        )
        return tuple(text for each in places if not each.startswith("../") for text in entry(each))

    def entry(path: str) -> Iterator[str]:
        found = git.entry_at(top, commit, path)
        if found is None:
            return
        mode, data = found
        text = data.decode("utf-8", errors="replace")
        yield _LINK + text if mode == git.LINK else text if data or mode in git.FILES else _OTHER

    return TextReader(read)
