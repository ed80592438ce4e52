"""Links in what is covered: a cover shuts the link, not what it leads to."""

import os
import stat
from collections.abc import Iterator

from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import children, kind_at, readable
from jailoc.bin.host.links import Links, real
from jailoc.model.host import Named
from jailoc.model.path import within


def inner(directory: str, ways: Links, most: int) -> Iterator[Named]:
    """Yield what links below a directory lead to out of it, as if a configuration named that.

    None is followed to look further.

    Args:
        directory: The directory, or anything else, which has none.
        ways: Follows links.
        most: Entries that are looked at.
    """
    top, waiting, left = real(directory), [directory], most
    while waiting:
        place = waiting.pop()
        try:
            mode = os.lstat(place).st_mode
        except (OSError, ValueError):  # who looks for other names notes it
            continue
        if stat.S_ISDIR(mode):
            inside = [each.path for each in children(place, left)]
            left -= len(inside)
            waiting += inside if left >= 0 else ()
        elif stat.S_ISLNK(mode) and place != directory:
            target, hops = ways.trace(place)
            if not within(target, top):
                yield Named(
                    key=readable(place),
                    text=readable(_said(place) or target)[:WIDTH],
                    path=readable(target),
                    real=readable(target),
                    hops=tuple(readable(each) for each in hops if not within(each, top)),
                    kind=kind_at(place),
                    sure=True,
                    followed=True,
                )


def _said(link: str) -> str | None:
    """Return the text of a link; None if somebody has put something else there since."""
    try:
        return os.readlink(link)  # noqa: PTH115 -- text
    except OSError:
        return None
