"""Which branches an undo moves: the references of a repository in two snapshots, compared."""

from collections.abc import Iterator, Mapping

SHOWN = 8
_HEADS = "refs/heads/"


def moves(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Yield in words what happens to each reference that is to be again what it was.

    >>> list(moves({"refs/heads/a": "1" * 40}, {"refs/heads/a": "2" * 40}))
    ['branch a returns from 22222222 to 11111111']
    """
    differ = sorted(each for each in {*old, *new} if old.get(each) != new.get(each))
    for name in differ[:SHOWN]:
        head = f"branch {name.removeprefix(_HEADS)}" if name.startswith(_HEADS) else name
        before, after = old.get(name, "")[:8], new.get(name, "")[:8]
        if not after:
            yield f"{head} comes back, at {before}"
        elif not before:
            yield f"{head} goes, which is at {after}"
        else:
            yield f"{head} returns from {after} to {before}"
    if len(differ) > SHOWN:
        yield f"... and {len(differ) - SHOWN} more branches or references"
