"""Which images this user's jailoc has built: under a tag lies what anybody has put there.

Whoever builds, tags or loads an image gives it any name, and what goes into a tag of jailoc's is no
secret. An identity is a digest of the image itself (OCI Image Specification, descriptors): of its
configuration or of its index, as the engine keeps images.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from jailoc.bin.config import facts
from jailoc.bin.engine import containers, images
from jailoc.bin.engine.containers import Container
from jailoc.bin.host import files
from jailoc.model.diagnostic import refuse
from jailoc.model.image import BUILT

MOST = 8
"""Identities of one tag that are kept: each engine may have its own."""
_LINE = re.compile(rf"({BUILT})((?: (?:[a-z0-9]+:)?[0-9a-f]+)*)")


def _place() -> Path:
    return facts.state_directory() / "images.built"


def known() -> dict[str, tuple[str, ...]]:
    """Return the tags that were built and have not been removed since, with the images' identities.

    What cannot be read was not built.
    """
    with suppress(OSError, UnicodeDecodeError):
        lines = map(_LINE.fullmatch, _place().read_text(encoding="utf-8").splitlines())
        return {found[1]: tuple(found[2].split()) for found in lines if found}
    return {}


def built(tag: str, identity: str) -> bool:
    """Tell whether an image that lies under a tag was built here."""
    return identity in known().get(tag, ())


def exact(reference: str) -> str:
    """Return what a container or an image is to be made of: something may take a tag meanwhile.

    Args:
        reference: Of an image; one that is none of jailoc's own is what the user names, as it is.

    Raises:
        Refused: what lies under a tag of jailoc's was not built here.
    """
    if re.fullmatch(BUILT, reference) is None:
        return reference
    there, ours = images.identity(reference), known().get(reference)
    # Of one that an earlier version has built nothing is known.
    if there is None:
        raise refuse(
            "proof",
            f"the engine does not have `{reference}` any more",
            hint="end what removes images meanwhile, then run this again",
        )
    if ours and there not in ours:
        raise refuse(
            "proof",
            f"`{reference}` is another image than the one that was built: something has taken the "
            "tag since",
            hint="end what builds or loads images under that name, then run this again",
        )
    return there


def check(made: Iterable[Container]) -> None:
    """Remove containers that were made of what somebody has put under a tag of jailoc's meanwhile.

    Compose takes an image by its tag, whatever was there a moment before.

    Raises:
        Refused: there were some.
        DockerError: the engine did not remove one.
    """
    ours = known()
    others = [
        each
        for each in made
        # Of one that an earlier version has built nothing is known; it is built again before.
        if (mine := ours.get(each.image)) and each.image_id not in mine
    ]
    for each in others:
        containers.remove(each.id)
    if others:
        names = ", ".join(f"`{each.image}`" for each in others)
        raise refuse(
            "proof",
            f"{names} is another image than the one that was built: something has taken the tag "
            "since, and a container was made of that",
            hint="end what builds or loads images under that name, then `jailoc up`",
        )


def note(tag: str, identity: str) -> None:
    """Write down that an image was built; the caller holds the lock of all builds."""
    now = known()
    before = [each for each in now.get(tag, ()) if each != identity]
    _write(now | {tag: (*before, identity)[-MOST:]})


def forget(tags: Collection[str]) -> None:
    """Write down that images are there no more."""
    now = known()
    if left := {tag: each for tag, each in now.items() if tag not in tags}:
        if left != now:
            _write(left)
    else:
        _place().unlink(missing_ok=True)


def _write(tags: Mapping[str, Collection[str]]) -> None:
    files.make_private(_place().parent)
    text = "".join(f"{' '.join((tag, *tags[tag]))}\n" for tag in sorted(tags))
    files.write(_place(), text, 0o600)
