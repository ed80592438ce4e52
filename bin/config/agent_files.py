"""Find files that agents of the user's own keep at home, by pattern."""

import os
import re
from collections.abc import Container, Iterable
from fnmatch import fnmatchcase

from jailoc.bin.host.entries import beginning, children, is_text, kind_at
from jailoc.bin.host.paths import base, home
from jailoc.model.host import FileKind
from jailoc.model.repository import fold

MOST = 10_000
"""Entries of a directory that are looked at."""
PLACES = {
    ".config/": "XDG_CONFIG_HOME",
    ".local/share/": "XDG_DATA_HOME",
    ".local/state/": "XDG_STATE_HOME",
}
"""Directories at home that may be elsewhere (XDG Base Directory Specification 0.8)."""


def find(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the real places of the regular files that are there.

    Args:
        patterns: Of their names, each in a directory at home.
    """
    found = set[str]()
    for pattern in patterns:
        folder, _, name = pattern.rpartition("/")
        for directory in _directories(f"{folder}/"):
            for entry in children(directory, MOST):
                if fnmatchcase(fold(entry.name), name) and kind_at(entry.path) is FileKind.FILE:
                    found.add(os.path.realpath(entry.path))
    return tuple(sorted(filter(is_text, found)))


_KEY = re.compile(
    r'"[\w.-]{0,64}(?:(?:api|access|private)[-_]?key|_key|token|secret|password|authorization)"'
    r"\s*:\s*"
    # Not what stands for a file or a variable, which lie elsewhere, and no word.
    r'"(?:Bearer |Basic )?[^"\n{}]{12,}"',
    re.IGNORECASE,
)
"""A setting of JSON that holds a key by its name, in clear."""


def holding_keys(patterns: Iterable[str], hidden: Container[str]) -> tuple[str, ...]:
    """Return those of the files in which a key stands, as far as their beginning tells.

    Args:
        patterns: Of the files, as for `find`.
        hidden: Places that nobody sees.
    """
    return tuple(
        each
        for each in find(patterns)
        if each not in hidden and _KEY.search((beginning(each) or ("", True))[0])
    )


def _directories(folder: str) -> tuple[str, ...]:
    """Return where a directory at home may be."""
    places = [f"{home()}/{folder}"]
    for prefix, variable in PLACES.items():
        if folder.startswith(prefix):
            moved = base(variable, prefix.rstrip("/"))
            places.append(f"{moved}/{folder.removeprefix(prefix)}")
    return tuple(dict.fromkeys(places))
