"""Who may write where a workspace may, and starts nothing while somebody works there."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from jailoc.bin.config import facts
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import halt, journal
from jailoc.bin.host import files
from jailoc.generators.config.resolve import names, roots
from jailoc.model.compose import Bind
from jailoc.model.deployed import Applied
from jailoc.model.diagnostic import Refused
from jailoc.model.mount import Mode
from jailoc.model.path import innermost
from jailoc.model.sandbox import AGENT


def writable(origin: LoadedConfig, name: str) -> tuple[str, ...]:
    """Return the places of this machine that a workspace's agent may write."""
    return tuple(each.path for each in roots(origin.config, name, origin.host) if each.writable)


def shut(applied: Applied | None, path: str) -> bool:
    """Tell whether the agent of the last start saw a place of this machine read-only."""
    service = applied.compose.services.get(AGENT) if applied else None
    modes: dict[str, Mode] = {}
    for each in service.mounts if service else ():
        if isinstance(each, Bind) and modes.get(each.source.text) is not Mode.READ_WRITE:
            modes[each.source.text] = each.mode
    place = innermost(path, modes)
    return place is not None and modes[place] is Mode.READ_ONLY


def check(origin: LoadedConfig, name: str) -> None:
    """Refuse to go on while an undo is not finished that restores where a workspace's agent writes.

    What restores outlives a jailoc that is killed, and follows what the agent puts in its way.

    Raises:
        Refused: its own is not, or that of another workspace, with what finishes it.
    """
    journal.check(name)
    mine: tuple[str, ...] | None = None
    for other in journal.workspaces():
        mine = writable(origin, name) if mine is None else mine
        try:
            note = journal.read(other)
        except Refused:
            # Of one that the configuration does not have, nobody knows where it was.
            if other in names(origin.config) and halt.shared(mine, writable(origin, other)):
                raise
            continue
        if note is not None and halt.shared(mine, note.targets) is not None:
            raise journal.unfinished(other, name)


@contextmanager
def kept_out(
    origin: LoadedConfig, places: Sequence[str], known: Iterable[str], but: str = ""
) -> Iterator[tuple[int, ...]]:
    """Let no agent start that may write in some places; those that run are another matter.

    Yields the descriptors of the locks for that.

    Args:
        origin: The configuration.
        places: The places.
        known: Workspaces of which that is known already.
        but: One whose lock is held.

    Raises:
        Refused: another jailoc works on one of them.
    """
    later = (each for each in names(origin.config) if halt.shared(writable(origin, each), places))
    places_of = (facts.cache_directory() / f"{each}.lock"
                 for each in sorted({*known, *later} - {but}))  # fmt: skip
    with ExitStack() as stack:
        held = [stack.enter_context(files.locked(each)) for each in places_of]
        yield tuple(each for each in held if each is not None)
