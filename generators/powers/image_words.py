"""The powers of what images are made of, in words."""

from jailoc.generators.config.stated import BUILT_IN_IMAGE, UNREAD
from jailoc.generators.powers.path_words import path_words
from jailoc.model import image_reference
from jailoc.model.power import Power, Rank

Words = tuple[Rank, str, str]

DIGEST = 27
"""Characters of a digest that are told."""


def agent(power: Power, before: Power | None) -> Words:
    """Say which agent, at which version, runs."""
    was = f" (it was {before.subject})" if before is not None else ""
    return Rank.LOW, f"runs {power.subject}{was}", f"no longer runs {power.subject}"


def image(power: Power, before: Power | None) -> Words:
    """Say which image the agent runs, and what is different about it."""
    if power.subject == BUILT_IN_IMAGE:
        return Rank.MEDIUM, "runs jailoc's own image", "no longer runs jailoc's own image"
    registry, repository, tag, digest = image_reference.parts(power.subject)
    rank, notes = Rank.HIGH, []
    if before is None or before.subject == BUILT_IN_IMAGE:
        notes.append("instead of jailoc's own")
    else:
        old = image_reference.parts(before.subject)
        if old[0] != registry:
            notes.append(f"another registry, {registry}, it was {old[0]}")
        if old[1] != repository:
            notes.append(f"another repository, it was {old[1]}")
        if old[3] and not digest:
            notes.append("its digest is lost: whoever can move the tag decides what runs")
        if not notes:
            rank = Rank.MEDIUM
            changed = "another tag" if old[2] != tag else "another digest"
            was = old[2] if old[2] != tag else old[3]
            notes.append(f"{changed}, it was {was[:DIGEST] if was else 'none'}")
    if not digest and not any("digest" in each for each in notes):
        notes.append("no digest: whoever can move the tag decides what runs")
    text = f"runs the image {power.value}: {'; '.join(notes)}"
    now = ""
    if before is not None and before.value:
        held = image_reference.parts(before.subject)[3] and not digest
        now = f": it is held to a digest, {before.value}" if held else f": now {before.value}"
    return rank, text, f"no longer runs the image {power.value}{now}"


def dockerfile(power: Power, before: Power | None) -> Words:
    """Say what a Dockerfile lets in."""
    other = before is not None and before.subject == power.subject
    remote = "://" in power.subject
    note = ": whoever has that place decides what is built" if remote else ""
    if power.subject.startswith("http://"):
        note = ", over plain http: whoever is on the way decides what is built"
    text = "has another text" if other else "is built"
    return (
        Rank.CRITICAL if power.subject.startswith("http://") else Rank.HIGH,
        f"runs what a Dockerfile says: {power.subject} {text}{note}",
        f"no longer runs what the Dockerfile {power.subject} {'said' if other else 'says'}",
    )


def context(power: Power, before: Power | None) -> Words:
    """Say what a build may copy."""
    if before is not None and before.subject == power.subject:
        where = f"{power.subject} (build context)"
        change = "may have changed" if UNREAD in {power.value, before.value} else "has changed"
        return (
            Rank.HIGH,
            f"runs an image that is built of other files: what lies in {where} {change}",
            f"its image is no longer built of what lay in {where}",
        )
    rank, note = path_words(power.subject, writes=False)
    return (
        Rank.CRITICAL if rank is Rank.CRITICAL else Rank.HIGH,
        f"runs an image that may hold what lies in {power.subject} (build context)"
        + (f": {note}" if note else ""),
        f"its image no longer holds what lies in {power.subject}",
    )
