"""What a linked working tree needs of its repository, where the agent sees none of that repository.

The repository itself stays unwritable: its own index, its HEAD, what a rebase in its checkout goes
on with. So the sandbox has in its place a directory in memory that ends with the container. It
holds, writable, the directories that every working tree writes to; the rest leads to a read-only
view of the repository, by links that `agent.sh` makes, so that what the host replaces is seen.
Deleting any reference, as every commit may, begins with a lock beside `packed-refs`. Git follows
five links to find where that belongs (lockfile.c, MAXDEPTH), so six lead there, and the lock is in
memory.
"""

import posixpath

from jailoc.model.base import Model
from jailoc.model.host import GitLink

SHARED = ("lfs", "logs", "objects", "refs", "reftable")
"""Directories of a repository that its working trees write."""

VIEW = ".host"
"""The read-only view, in the directory in memory."""

SIZE = 1 << 20
"""Bytes of the directory in memory; it holds links and locks."""


class Worktree(Model):
    """A linked working tree, and the directories that it is given."""

    directory: str
    """Its own Git directory, `worktrees/NAME` of the repository."""
    common: str
    """The repository."""
    shared: tuple[str, ...]
    origin: str
    """The configuration entry of the path that it is in."""
    writable: bool = True
    """Whether the agent commits; else it is given the repository as it is, read-only."""


def needed(link: GitLink, origin: str, *, writable: bool) -> Worktree:
    """Return what a working tree is given."""
    return Worktree(
        directory=link.directory, common=link.common, shared=link.shared, origin=origin,
        writable=writable,
    )  # fmt: skip


def above(worktree: Worktree) -> str:
    """Return the directory that holds those of all working trees; it is read-only."""
    return posixpath.dirname(worktree.directory)
