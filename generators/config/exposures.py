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


def exposures(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield such places of a workspace, some of them; those that stop a start come first."""
    every = sorted(protection(config, name, host).exposed, key=lambda each: not each.stops)
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
    for each in protection(config, name, host).exposed:
        if each.stops:
            yield _told(document, config, name, each)


def _told(document: Document, config: Config, name: str, each: Exposed) -> Diagnostic:
    place: Path = ("workspaces", name)
    paths = config.workspaces[name].paths
    inside = [index for index, path in enumerate(paths) if within(each.path, path)]
    if inside:
        place = (*place, "paths", inside[-1])
    code = "protect-unread" if each.unread else "git-link" if each.stops else "protect-link"
    executes = f"; the host would execute {', '.join(each.executes)}" if each.executes else ""
    return found(
        document,
        place,
        code,
        f"`{each.path}` cannot be protected: {each.reason}{executes}",
        hint=each.hint,
    )
