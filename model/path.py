"""Absolute paths as text: cleaning, containment, and the places no sandbox may touch."""

import posixpath
from collections.abc import Container, Iterable, Iterator

CONTAINER_SYSTEM = (
    "/usr", "/etc", "/var", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/root", "/proc", "/sys",
    "/dev", "/run", "/tmp", "/certs",
)  # fmt: skip
"""Directories of the container that a mount must not replace."""


NO_PROJECT = "/"
"""Where a program of this machine starts: what it loads from its current directory is nobody's."""


def expand(text: str, home: str) -> str:
    """Replace a leading `~` by the home directory; `~name` is no user lookup."""
    return home + text[1:] if text.startswith("~") else text


def clean(path: str) -> str:
    """Remove `.`, `..`, doubled and trailing slashes, without asking the file system.

    >>> clean("//data/../etc/")
    '/etc'
    """
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def within(path: str, directory: str) -> bool:
    """Tell whether `path` is `directory` or lies below it, by whole segments."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def tilde(path: str, home: str) -> str:
    """Write a path in a home directory as `~`; where there is no home, as it is.

    >>> tilde("/home/alice/src", "/home/alice")
    '~/src'
    """
    return "~" + path.removeprefix(home) if home and within(path, home) else path


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths that lie in no other of them.

    >>> outermost(["/a/b", "/a", "/ab"])
    ('/a', '/ab')
    """
    every = dict.fromkeys(paths)
    return tuple(
        path for path in every if not any(each in every for each in upwards(path) if each != path)
    )


def upwards(path: str) -> Iterator[str]:
    """Yield a clean absolute path and every directory above it, the innermost first.

    >>> list(upwards("/a/b"))
    ['/a/b', '/a', '/']
    """
    yield path
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def innermost(path: str, places: Container[str]) -> str | None:
    """Return the place that holds a clean absolute path, or is it, and no other one within does.

    >>> innermost("/a/b/c", {"/a", "/a/b"})
    '/a/b'
    """
    return next((each for each in upwards(path) if each in places), None)


def first_within(path: str, directories: Iterable[str]) -> str | None:
    """Return the first of the directories that holds `path`."""
    return next((each for each in directories if within(path, each)), None)


def trusting(path: str) -> str:
    r"""Return the line of a configuration that allows a place, whoever has named that, by its name.

    >>> print(trusting('/src/a", "/'))
    trust = ["/src/a\", \"/"]
    """
    return f'trust = ["{"".join(map(_of_toml, path))}"]'


def _of_toml(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08X}"
