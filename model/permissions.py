"""Who may do what with a place of the host: its owner, its mode and its list (inode(7), acl(5))."""

from pydantic import Field

from jailoc.model.base import Model

READ, WRITE, ENTER = 4, 2, 1
"""Bits of a permission; ENTER is `x`."""


class Permissions(Model):
    """The permissions of a file or directory, symbolic links followed."""

    uid: int
    gid: int
    mode: int
    """The nine bits of rwx. With a list, the group's are its mask (acl(5))."""
    users: dict[int, int] = Field(default_factory=dict)
    """What the list gives to named users, by UID."""
    groups: dict[int, int] = Field(default_factory=dict)
    """What it gives to named groups, by GID."""
    group: int | None = None
    """What it gives to the owning group; None without a list."""
    read_only: bool = False
    """Whether it lies on a file system that nobody can write."""

    def allows(self, uid: int, gids: frozenset[int], wanted: int) -> bool:
        """Tell whether a user who is not root may do all that is wanted (acl(5))."""
        if wanted & WRITE and self.read_only:
            return False
        mask = (self.mode >> 3) & 7
        if uid == self.uid:
            return not wanted & ~(self.mode >> 6)
        if uid in self.users:
            return not wanted & ~(self.users[uid] & mask)
        owning = mask if self.group is None else self.group & mask
        entries = [(self.gid, owning), *((gid, bits & mask) for gid, bits in self.groups.items())]
        mine = [bits for gid, bits in entries if gid in gids]
        if mine:
            return any(not wanted & ~bits for bits in mine)
        return not wanted & ~self.mode & 7

    @property
    def text(self) -> str:
        """Return owner and mode as a message has them."""
        who = "root's" if self.uid == 0 else f"UID {self.uid}'s"
        return f"{who}, group {self.gid}, mode {self.mode:04o}"
