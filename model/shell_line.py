"""What may be a path in a line for a shell (sh(1)), without running it.

It is a guess that rather finds too much: what is no file is none. Variables of another meaning than
the usual one, and what programs print, cannot be known.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator

LONGEST = 4096
"""Characters of a directory (PATH_MAX)."""
_TOP = re.compile(
    r"\$\(\s*git rev-parse --show-toplevel\s*\)|`\s*git rev-parse --show-toplevel\s*`"
    r"|\$\(\s*pwd\s*\)|`\s*pwd\s*`|\$\{?(?:PWD|GIT_WORK_TREE)\b\}?"
)
"""The top of the working tree, where Git runs what its configuration names (githooks(5))."""
_GIT = re.compile(
    r"\$\(\s*git rev-parse --(?:absolute-)?git-dir\s*\)|`\s*git rev-parse --git-dir\s*`"
    r"|\$\{?GIT_(?:COMMON_)?DIR\b\}?"
)
_HOME = re.compile(r"\"?\$\{?HOME\b\}?\"?")
_UNKNOWN = re.compile(r"\$\([^()]*\)|`[^`]*`|\$\{?\w+\}?")
_BETWEEN = re.compile(r"[\s;&|()<>\"'`$={},]+")
_WITHIN = re.compile(r"[\s;&|()<>\"'`${}]")


def words(line: str) -> Iterator[str]:
    """Yield what may be a path in a line, each once: as it is, or from the top of the working tree.

    The first word comes first, as it is: it is looked up in PATH if it holds no slash.

    >>> list(words('cd tools && ./fmt $HOME/x'))[4:]
    ['$HOME/x', 'tools/fmt', '~/x', 'tools/~/x']
    >>> list(words('sh -c "${X:-f2/g}"'))[3:]
    ['f2/g']
    """
    seen: set[str] = set()
    for word in _every(line):
        if word not in seen:
            seen.add(word)
            yield word


def _every(line: str) -> Iterator[str]:
    try:
        plain = shlex.split(line)
    except ValueError:
        plain = line.split()
    # An option's value counts, too.
    for word in plain:
        yield word.rpartition("=")[2] if word.startswith("-") or "=" in word else word
    if not _WITHIN.search(line):
        return
    text = _UNKNOWN.sub("", _HOME.sub("~", _GIT.sub(".git", _TOP.sub(".", line))))
    before, folder = "", ""
    for word in filter(None, _BETWEEN.split(text)):
        found = word.rpartition(":-")[2] if ":-" in word else word
        changes, before = before == "cd", word
        if changes:
            folder = posixpath.join(folder, found)[:LONGEST]
        if not ("/" in found or "." in found or folder):
            continue
        # What stood before it, and is not known, may have been the top.
        for each in (found, found.lstrip("/")):
            yield each
            if folder and each and not changes:
                yield posixpath.normpath(posixpath.join(folder, each))
