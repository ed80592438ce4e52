"""What an agent sees of the host, and the ways in it that have to stay where they are."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jailoc.model.base import Model
from jailoc.model.host import FileKind, Host
from jailoc.model.path import within
from jailoc.model.protect_entry import between
from jailoc.model.repository import moved


class Root(Model):
    """A path that an agent sees."""

    path: str
    container: str
    writable: bool
    project: bool = False
    """Whether it is a workspace path; entries without `**/` are for those alone."""


class HeldWay(NamedTuple):
    """A directory that has to stay where it is, for what is mounted below it to stay in its place.

    Whoever renames one has the next start mount that over something else.
    """

    root: Root
    path: str
    """On the host."""
    trouble: str | None = None


def ways(every: tuple[Root, ...], hidden: Iterable[str], host: Host) -> Iterator[HeldWay]:
    """Yield the ways to what is mounted in writable paths, and paths that lie in another one.

    Such a path is there already, and has no mount of its own.
    """
    inner = {each.container for each in every if each.project}
    for place in dict.fromkeys((*(each.container for each in every), *hidden)):
        holders = [each for each in every if each.container != place
                   and within(place, each.container)]  # fmt: skip
        root = max(holders, key=lambda each: len(each.container), default=None)
        if root is None or not root.writable:
            continue
        real, steps = host.real(root.path), between(root.container, place)
        for step in (*steps, *([place] if place in inner else ())):
            path = moved(step, root.container, root.path)
            kind = host.kinds.get(path, FileKind.DIRECTORY if host.portable else None)
            if host.real(path) != moved(path, root.path, real):
                yield HeldWay(root, path, "a symbolic link leads to it")
                break
            if kind not in {FileKind.DIRECTORY, None} or path in host.unread:
                break
            yield HeldWay(root, path)
