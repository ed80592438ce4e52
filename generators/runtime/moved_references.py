"""Which branches an undo moves: the references of a repository as two snapshots hold them.

Both are what an agent has written: they are read by their form alone, and Git never runs on them.
"""

import io
import re
import tarfile
from collections.abc import Iterator, Mapping

MOST = 1 << 20
"""Bytes of all references of a repository, as an archive or packed, that are read."""
SHOWN = 8
_ID = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_LOOSE = re.compile(rf"({_ID})\n?")
_PACKED = re.compile(rf"({_ID}) (refs/[!-~]+)")
_HEADS = "refs/heads/"

References = dict[str, str]
"""The commit of each, by its whole name; symbolic ones are not among them."""


def references(archive: bytes, packed: bytes, place: str) -> References | None:
    """Read the references of a repository.

    Args:
        archive: Its directory `refs`, as a tar file (pax(1)); nothing where there is none.
        packed: Its file `packed-refs`, which the others go before.
        place: The directory `refs`, which names in the archive may begin with.

    Returns:
        None where there are too many, or it is no archive.
    """
    if len(archive) >= MOST or len(packed) >= MOST:
        return None
    found: References = {}
    for line in packed.decode("ascii", "replace").split("\n"):
        if match := _PACKED.fullmatch(line):
            found[match[2]] = match[1]
    if not archive:
        return found
    prefix = f"{place.strip('/')}/"
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            for each in tar:
                held = tar.extractfile(each) if each.isreg() and each.size < 1 << 10 else None
                text = held.read().decode("ascii", "replace") if held else ""
                if match := _LOOSE.fullmatch(text):
                    found["refs/" + each.name.strip("/").removeprefix(prefix)] = match[1]
    except (tarfile.TarError, EOFError, ValueError):
        return None
    return found


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
