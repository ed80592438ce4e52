"""Look for references of Git that a prompt would show and run, or a terminal obey.

Whatever HEAD says, a branch may be a reference to another one, in words or by a link
(git-symbolic-ref(1)), and then that one is shown.
"""

import os
from collections import deque
from collections.abc import Iterator

from jailoc.bin.host import regular
from jailoc.bin.host.entries import children, kind_of, readable
from jailoc.model import git_state
from jailoc.model.git_state import Believed
from jailoc.model.host import FileKind
from jailoc.model.repository import fold

MOST_REFERENCES = 50_000
"""Files in which a reference to another one is looked for, in one repository."""
MOST_WAY = 4096
"""Bytes of the path of one, PATH_MAX of Linux; Git opens none that is longer."""


def aliases(*directories: str) -> Iterator[Believed]:
    """Yield what there is to say of references to others, and of the names of tags.

    Args:
        directories: Git directories of one repository.
    """
    left = MOST_REFERENCES
    for each in dict.fromkeys(directories):
        waiting = deque([(each, False)])
        while waiting:
            folder, below = waiting.popleft()
            for entry in children(folder, left):
                left -= 1
                if left < 0:
                    yield git_state.unread(readable(each), "it holds very many references")
                    return
                if kind_of(entry) is FileKind.DIRECTORY and not entry.is_symlink():
                    if below or fold(entry.name) == "refs":
                        waiting.append((entry.path, True))
                elif below or entry.name != "HEAD" or entry.is_symlink():
                    yield from git_state.of_head(readable(entry.path), _named(entry))
                    if (name := _tag(each, entry.path)) is not None:
                        yield from git_state.of_tags(readable(entry.path), [name])


def _named(entry: os.DirEntry[str]) -> bytes:
    """Return what of a file or link Git would take for a reference to another one."""
    try:
        if entry.is_symlink():
            named = os.readlink(os.fsencode(entry.path))  # noqa: PTH115 -- bytes
            if named.startswith(b"refs/"):
                return named
        data = regular.read(entry.path, MOST_WAY, cut=True)
    except (OSError, regular.NotRegular, ValueError):
        return b""
    return data if data.startswith(b"ref:") else b""


def _tag(directory: str, path: str) -> bytes | None:
    """Return the name of a tag, of a file in a Git directory; None of any other file."""
    refs, _, name = path.removeprefix(f"{directory}/").partition("/")
    tags, _, name = name.partition("/")
    return os.fsencode(name) if (fold(refs), fold(tags)) == ("refs", "tags") and name else None
