"""Which workspace is meant, also where the configuration cannot be used: what runs goes on.

Then only those count that were started here, with the directories that are written down of them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig, current_directory
from jailoc.bin.deploy import existence, observe
from jailoc.model.compose import Bind
from jailoc.model.diagnostic import Refused
from jailoc.model.mount import Mode
from jailoc.model.palette import Meaning
from jailoc.model.path import within
from jailoc.model.sandbox import typed


class Meant(NamedTuple):
    """A workspace that is to run."""

    name: str
    origin: LoadedConfig | None
    """None where the configuration cannot be used."""


def running(session: Session) -> Meant:
    """Return the workspace that is meant by a command that works in what runs.

    Raises:
        Refused: there is none; or the configuration cannot be used, and nothing was started here
            that is named, or has the current directory.
    """
    try:
        origin = session.source()
    except Refused as refused:
        name = session.workspace or _of_this_directory()
        if name is None or not existence.started(name):
            raise
        session.terminal.say(
            f"the configuration cannot be used ({refused.diagnostics[0].message}; `jailoc "
            f"validate` says where): {typed(name)} is taken as it was started",
            Meaning.WARNS,
        )
        return Meant(name, None)
    return Meant(session.chosen(origin), origin)


def directories(name: str) -> tuple[str, ...]:
    """Return what a workspace was started with at places that are this machine's, too."""
    return _same(observe.mounted().get(name, ()))


def _of_this_directory() -> str | None:
    """Return the workspace that has the current directory, the deepest one; else the only one.

    What one can only read is a mount or a cover, and no path of its own: there it is a guest.
    """
    here, every = current_directory(), observe.mounted()
    found = [
        (-place.count("/"), name)
        for name in sorted(every)
        for place in _same(each for each in every[name] if each.mode is Mode.READ_WRITE)
        if within(here, place)
    ]
    if found:
        return min(found)[1]
    return next(iter(every)) if len(every) == 1 else None


def _same(binds: Iterable[Bind]) -> tuple[str, ...]:
    return tuple(each.target.text for each in binds if each.source.text == each.target.text)
