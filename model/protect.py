"""What the host itself executes inside a project, and how an agent is kept from changing it.

A read-only mount on a file or directory cannot be removed, renamed or replaced from inside. Its
parents could be, so each is made a mount of itself: the kernel refuses to rename a mount point
(rename(2), EBUSY).
"""

import posixpath
from collections.abc import Iterable

from jailoc.model.agents.known import PROTECTED
from jailoc.model.base import Model
from jailoc.model.host import Host, Kind
from jailoc.model.mount import Mode

DEFAULT = (
    ".git/hooks", ".git/config", ".git/config.worktree", ".git/modules",
    ".envrc", ".direnv", "mise.toml", ".mise.toml",
    ".vscode", ".idea", ".zed", ".fleet", ".exrc", ".nvim.lua", ".nvimrc", ".vimrc",
    ".dir-locals.el", ".devcontainer",
    ".husky", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml", "lefthook.yml", ".lefthook.yml",
    *PROTECTED, ".mcp.json", ".claude", ".cursor",
)  # fmt: skip
"""Git's own hooks and configuration, environments that load on entering a directory, editors' tasks
and launch files, hook managers, and the configuration of agents that run on the host."""


class Cover(Model):
    """A path of a project with the mode it is mounted with over the project's own mount."""

    path: str
    mode: Mode
    origin: str


class Exposed(Model):
    """A path that should be covered and cannot be."""

    path: str
    reason: str
    origin: str


def covers(
    root: str, entries: Iterable[tuple[str, str]], host: Host
) -> tuple[tuple[Cover, ...], tuple[Exposed, ...]]:
    """Return the mounts that protect one workspace path, outermost first.

    What does not exist has no mount: the engine would have to create it in the project.

    Args:
        root: The workspace path, absolute.
        entries: Relative paths with the configuration entry each comes from.
        host: The machine; it knows what there is.
    """
    found: dict[str, Cover] = {}
    exposed: list[Exposed] = []
    for entry, origin in entries:
        path = f"{root}/{entry}"
        place = _first_file(root, entry, host)
        if place is None:
            continue
        if host.real(place) != f"{host.real(root).rstrip('/')}/{place[len(root) + 1 :]}":
            exposed.append(Exposed(path=path, reason="a symbolic link leads to it", origin=origin))
            continue
        for parent in _between(root, place):
            found.setdefault(parent, Cover(path=parent, mode=Mode.READ_WRITE, origin=origin))
        found[place] = Cover(path=place, mode=Mode.READ_ONLY, origin=origin)
    return tuple(found[path] for path in sorted(found)), tuple(exposed)


def candidates(root: str, entry: str) -> tuple[str, ...]:
    """Return the paths whose kind decides how an entry is covered."""
    path = f"{root.rstrip('/')}/{entry}"
    return (*_between(root, path), path)


def _first_file(root: str, entry: str, host: Host) -> str | None:
    """Return the entry, or the file that stands where one of its parents should.

    In a linked worktree `.git` is a file that says where the repository is.
    """
    for place in candidates(root, entry):
        kind = host.kinds.get(place)
        if kind is None:
            return None
        if kind is not Kind.DIRECTORY:
            return place
    return f"{root}/{entry}"


def _between(root: str, path: str) -> tuple[str, ...]:
    """Return the directories below `root` that hold `path`, outermost first."""
    parents: list[str] = []
    above = posixpath.dirname(path)
    while len(above) > len(root):
        parents.append(above)
        above = posixpath.dirname(above)
    return tuple(reversed(parents))
