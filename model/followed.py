"""Links in Git directories, and where they have Git on the host write."""

from collections.abc import Iterable

from jailoc.model.exposed import Exposed, troubled
from jailoc.model.host import Host, Tree
from jailoc.model.path import first_within, innermost, within
from jailoc.model.repository import Wanted, moved
from jailoc.model.seen_root import Root

_NO_TREE = Tree()
_READ = ("info/exclude", "description")
"""What Git reads in a Git directory and never writes."""
_FOLLOWED = "it is a symbolic link, and Git follows it when it writes there"


def followed(
    writable: Iterable[Root], shut: Iterable[str], whole: Iterable[str], git: str, host: Host
) -> Iterable[Exposed]:
    """Yield the links in the place of what Git writes that lead out of their Git directory.

    Git on the host writes there, and the agent says what. Of a way outside each step can be another
    one by then: a checkout puts there what a commit has, links among it. And those that lead into
    what is covered. In a Git directory that the agent cannot write these are told, too: the agent
    may write what Git reads there.
    """
    real = {each.path: host.real(each.path) for each in writable}
    trees = [host.trees.get(root, _NO_TREE) for root in real]
    known = {each.path for tree in trees for each in tree.believed if each.stops}
    links = [link for tree in trees for link in sorted(tree.followed.items())
             if link[0] not in known]  # fmt: skip
    if not links:
        return

    def led(place: str) -> str:
        """Return where a place below a writable path is in truth."""
        root = innermost(place, real)
        return moved(place, root, real[root]) if root is not None else ""

    closed = tuple(filter(None, map(led, shut)))
    every = {each.directory for tree in trees for each in tree.repositories}
    tops = [each.rpartition("/")[0] for tree in trees for each in tree.places
            if each.endswith("/.git")]  # fmt: skip
    tops += (each.top for tree in trees for each in tree.repositories if each.top)
    only_read = {f"{each}/{name}" for each in every for name in _READ}
    for path, place in links:
        if holder := first_within(path, whole):
            leads = not within(place, led(holder))
        elif path in only_read:
            leads = not first_within(place, real.values())
        else:
            own = innermost(path, every)
            # What a bare repository has in it may be a working tree.
            inner = (led(each) for each in tops if own is not None and within(each, own))
            leads = (
                own is None
                or not within(place, led(own))
                or first_within(place, (*inner, *closed)) is not None
            )
        if leads:
            reason = f"{_FOLLOWED}, to `{place}`"
            yield troubled(Wanted(path=path, trouble=reason, stops=True), git)
