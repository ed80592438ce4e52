"""What the host may execute, an agent can write, and cannot be covered."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.resolve import protection
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.exposed import Exposed
from jailoc.model.host import Host
from jailoc.model.path import within
from jailoc.model.text import number_of

MOST_TEXT = 1 << 20
"""Bytes of the paths of all covers of one workspace: the engine tells each about four times, and
writes some characters as six, where all of its answer is read."""


def exposures(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield such places of a workspace; those that stop a start come first."""
    if not (host.trees or host.links or host.unread or host.named):
        return  # nobody has looked: that is the machine that stands for all
    places = protection(config, name, host).exposed
    every = sorted(places, key=lambda each: (not each.stops, not each.certain, each.socket))
    for each in every:
        yield _told(document, config, name, each)


def stopping(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield those of them that keep a workspace from being started."""
    covers = protection(config, name, host)
    for each in covers.exposed:
        if each.stops:
            yield _told(document, config, name, each)
    size = sum(len(each.path.encode()) + len(each.target.encode()) for each in covers.covers)
    if size > MOST_TEXT:
        yield found(
            document,
            ("workspaces", name),
            "protect-many",
            f"{number_of(len(covers.covers), 'place')} would have to be covered, with paths of "
            f"{size >> 10:,} KiB in all; at most {MOST_TEXT >> 10:,} KiB can be",
            hint="remove what the agent has made, or give it a smaller directory",
        )


def _told(document: Document, config: Config, name: str, each: Exposed) -> Diagnostic:
    place: Path = ("workspaces", name)
    paths = config.workspaces[name].paths
    inside = [index for index, path in enumerate(paths) if within(each.path, path)]
    if inside:
        place = (*place, "paths", inside[-1])
    if each.socket:
        code = "socket-shown"
    elif each.believed:
        code = "git-forged" if each.stops else "git-hides"
    elif each.unread:
        code = "protect-unread"
    else:
        code = "git-link" if each.stops else "protect-link"
    shut = "" if each.socket or each.believed else " cannot be protected"
    executes = f"; the host would execute {', '.join(each.executes)}" if each.executes else ""
    return found(
        document,
        place,
        code,
        f"`{each.path}`{shut}: {each.reason}{executes}",
        hint=each.hint,
    )
