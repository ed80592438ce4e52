"""The references of a repository as a snapshot holds them.

They are what an agent has written: they are read by their form alone, and Git never runs on them.
"""

import io
import re

MOST = 1 << 20
"""Bytes of all references of a repository, as an archive or packed, that are read."""
_ID = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_LOOSE = re.compile(rf"({_ID})\n?")
_PACKED = re.compile(rf"({_ID}) (refs/[!-~]+)")

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
    import tarfile

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
