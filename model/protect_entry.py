"""One entry of `protect`, and the paths that it is about."""

from functools import cache, lru_cache

from jailoc.model.path import clean
from jailoc.model.protected_names import DEFAULT

ANYWHERE = "**/"
"""Before an entry: at every level. `**/.git/...` stands for all of what Git executes."""

WHOLE = f"{ANYWHERE}.git"
"""Every Git directory as a whole, so that the agent cannot commit."""
INSTALLED = ("node_modules", "site-packages")
"""Directories that package managers fill and rename: nobody opens them as a project, and a mount
would break each installation. No entry is looked for below one; repositories in them count all the
same."""

READ_ONLY = (WHOLE, f"{ANYWHERE}.gitmodules")
"""What an agent that is to write no Git directory cannot change: that file says what Git on the
host fetches into one."""

EVERYWHERE = tuple(f"{ANYWHERE}{each}" for each in DEFAULT)


def plain(entry: str) -> str:
    """Return an entry as it is at the top of a path."""
    return entry.removeprefix(ANYWHERE)


def is_git(entry: str) -> bool:
    """Tell whether an entry stands for all of what Git executes, or more."""
    return entry == WHOLE or entry.startswith(f"{WHOLE}/")


def in_git(path: str) -> bool:
    """Tell whether a path lies in a Git directory, by its name."""
    return ".git" in path.split("/")[:-1]


def finds(entry: str, path: str) -> bool:
    """Tell whether an entry at every level finds a path, told from where the looking begins.

    Nobody looks for other entries in a Git directory: `**/hooks` finds none of Git's.

    >>> finds("**/.bin", "tools/.bin"), finds("**/.bin", "node_modules/.bin")
    (True, False)
    """
    name = plain(entry)
    if name == entry or not f"/{path}".endswith(f"/{name}"):
        return False
    if is_git(entry):
        return True
    above = path[: -len(name)].casefold().split("/")
    return not in_git(path) and not {*above} & {*INSTALLED}


def candidates(root: str, entry: str) -> tuple[str, ...]:
    """Return the paths whose kind decides how an entry is covered."""
    return tuple(f"{root.rstrip('/')}/{each}" for each in beginnings(plain(entry)))


@lru_cache(maxsize=64)
def steps(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Return the same of several entries, relative to any root; what can be no entry has none."""
    every = (each for each in map(plain, entries) if "\0" not in each and clean(each) == f"/{each}")
    return tuple(dict.fromkeys(step for each in every for step in beginnings(each)))


@cache
def beginnings(entry: str) -> tuple[str, ...]:
    """Return the beginnings of a relative path, and itself.

    >>> beginnings(".git/hooks")
    ('.git', '.git/hooks')
    """
    parts = entry.split("/")
    return tuple("/".join(parts[: index + 1]) for index in range(len(parts)))


def between(root: str, path: str) -> tuple[str, ...]:
    """Return the directories below `root` that hold `path`, outermost first."""
    parents: list[str] = []
    above = path.rpartition("/")[0]
    while len(above) > len(root):
        parents.append(above)
        above = above.rpartition("/")[0]
    return tuple(reversed(parents))
