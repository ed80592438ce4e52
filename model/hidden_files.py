"""Where an agent would see files of the user's that are none of its business."""

from collections.abc import Iterable, Iterator

from jailoc.model.base import Model
from jailoc.model.host import Host
from jailoc.model.path import upwards, within
from jailoc.model.seen_root import Root


class Seen(Model):
    """A file of the host, and where a container shows it."""

    path: str
    """Its real place on the host."""
    place: str
    """In the container."""
    named: bool
    """Whether a mount names just this file, so that it is wanted there."""


def seen(files: Iterable[str], roots: Iterable[Root], host: Host) -> Iterator[Seen]:
    """Yield every place at which files are seen in a container.

    Args:
        files: Their real places.
        roots: All that the container sees of the host; of several at one place the last counts.
        host: The machine; it knows where the roots lead.
    """
    every = {each.container: each for each in roots}
    wanted = tuple(files)
    for root in every.values():
        real = host.real(root.path)
        for file in wanted:
            if not within(file, real):
                continue
            below = file[len(real.rstrip("/")) :]
            place = f"{root.container.rstrip('/')}{below}"
            # A mount further in shows something else there.
            if next(each for each in upwards(place) if each in every) == root.container:
                yield Seen(path=file, place=place, named=not below)
