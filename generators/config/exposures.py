"""What the host may execute, an agent can write, and cannot be covered."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.resolve import protection
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.host import Host
from jailoc.model.path import within
from jailoc.model.protect import Exposed
from jailoc.model.text import number_of

MOST = 10
"""Places of one workspace that are told."""
MOST_TEXT = 1 << 20
"""Bytes of the paths of all covers of one workspace: the engine tells each about four times, and
writes some characters as six, where all of its answer is read."""


def exposures(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield such places of a workspace, some of them; those that stop a start come first."""
    places = protection(config, name, host).exposed
    every = sorted(places, key=lambda each: (not each.stops, not each.certain, each.socket))
    for each in every[:MOST]:
        yield _told(document, config, name, each)
    if len(every) > MOST:
        yield found(
            document,
            ("workspaces", name),
            "protect-link",
            f"{number_of(len(every) - MOST, 'more place')} cannot be protected",
            hint="look at them before you run anything",
        )


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
