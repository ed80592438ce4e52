"""What the host would execute and a running agent can write all the same."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from jailoc.generators.runtime.obeyed import protected_name, turns
from jailoc.model.base import Model
from jailoc.model.compose import Bind, Compose
from jailoc.model.deployed import Applied
from jailoc.model.mount import Mode
from jailoc.model.path import first_within, innermost, within
from jailoc.model.protect import Cover
from jailoc.model.sandbox import AGENT
from jailoc.model.text import some
from jailoc.model.workspace import Workspace

GONE = "its cover is gone: what lay below it was replaced, by this machine or from another sandbox"
KNOWN = "if it is yours, name it in `trust`"
UNMOUNTED = "what is mounted there is gone: the agent sees what lies below (jailoc up)"
SECRET = "lets one into a server of the user's own"  # noqa: S105 -- words about one

MOST_SHOWN = 8
"""Words about one place that are shown; all are compared."""


class Uncovered(Model):
    """A place that an agent has its hands on, whatever the workspace should be."""

    path: str
    executes: tuple[str, ...] = ()
    """What the host would execute by it, in words that an agent may have written."""
    why: str = ""
    """Empty where it came after the start."""
    grave: bool = False
    """Whether it keeps the workspace from being started."""
    certain: bool = False
    """Whether no honest file is like it."""
    socket: bool = False


def uncovered(
    workspace: Workspace, running: Compose | None, lapsed: Collection[str] = ()
) -> tuple[Uncovered, ...]:
    """Return what should be covered and is not in the sandbox that runs; a start covers it.

    Args:
        workspace: As it would be started now.
        running: As it was started; None if nobody knows.
        lapsed: Where something should be mounted in it and is not any more.
    """
    if running is None or AGENT not in running.services:
        return ()
    modes = _modes(running)
    found = []
    for each in _read_only(workspace):
        if _cover(each, modes) is None:
            found.append(Uncovered(path=each.path, executes=each.executes))
        elif each.target in lapsed:
            found.append(Uncovered(path=each.path, executes=each.executes, why=GONE))
    for place in workspace.hidden:
        shut = modes.get(place) is Mode.READ_ONLY
        if not shut or place in lapsed:
            why = GONE if shut else ""
            found.append(Uncovered(path=place, executes=(SECRET,), why=why))
    return tuple(found)


def told_open(
    workspace: Workspace, running: Compose | None, lapsed: Collection[str]
) -> tuple[str, ...]:
    """Write the same, and the mounts of the user's own that lapsed, as `told` does.

    A mount goes with the file that it lies over, when the host replaces that.
    """
    gone = (
        Uncovered(path=each.container, why=UNMOUNTED)
        for each in workspace.mounts
        if each.container in lapsed
    )
    return told((*uncovered(workspace, running, lapsed), *gone))


def beyond(
    workspace: Workspace, *, stopping: bool = False, sockets: bool = True
) -> tuple[Uncovered, ...]:
    """Return what cannot be covered; if `stopping`, what keeps it from being started."""
    return tuple(
        Uncovered(
            path=each.path,
            executes=each.executes,
            why=each.reason,
            grave=each.stops,
            certain=each.certain,
            socket=each.socket,
        )
        for each in workspace.exposed
        if (each.stops or not stopping) and (sockets or not each.socket)
    )


def led(workspace: Workspace, trust: Collection[str]) -> tuple[Uncovered, ...]:
    """Return what the host executes or obeys by a link, or a second name, that no cover can hold.

    Args:
        workspace: As it would be started now.
        trust: Places that the user knows of.
    """
    return tuple(
        Uncovered(path=each.path, executes=each.executes, why=f"{each.reason} ({KNOWN})")
        for each in workspace.exposed
        if not (each.stops or each.socket or each.believed)
        and first_within(each.path, trust) is None
    )


def poisoned(
    workspace: Workspace, applied: Applied | None, lapsed: Collection[str]
) -> tuple[Uncovered, ...]:
    """Return what a start would cover and an agent may have written before.

    It is what lies in a path that the agent could write, and was not covered, or is not any more,
    or executes more than when it was covered.

    Args:
        workspace: As it is to be started.
        applied: How it was started last.
        lapsed: Where something should be mounted in what runs and is not any more.
    """
    if applied is None or AGENT not in applied.compose.services:
        return ()
    writable, modes = applied.writable, _modes(applied.compose)
    found = []
    for each in _read_only(workspace):
        if not any(within(each.path, path) for path in writable):
            continue
        cover = _cover(each, modes)
        known = None if applied.executes is None else applied.executes.get(cover or "", ())
        new = [word for word in each.executes if known is not None and word not in known]
        if cover is None or each.target in lapsed or new:
            why = GONE if each.target in lapsed else ""
            executes = tuple(dict.fromkeys((*new, *each.executes)))
            found.append(Uncovered(path=each.path, executes=executes, why=why))
    return tuple(found)


def executed(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Return what the host would execute by each cover, by its place in the container."""
    return {each.target: each.executes for each in _read_only(workspace) if each.executes}


def _read_only(workspace: Workspace) -> tuple[Cover, ...]:
    return tuple(each for each in workspace.covers if each.mode is Mode.READ_ONLY)


def _cover(wanted: Cover, modes: Mapping[str, Mode]) -> str | None:
    """Return what is mounted read-only and holds a place, or is it, with no other mount between."""
    place = innermost(wanted.target, modes)
    return place if place is not None and modes[place] is Mode.READ_ONLY else None


def _modes(running: Compose) -> dict[str, Mode]:
    return {
        mount.target.text: mount.mode
        for mount in running.services[AGENT].mounts
        if isinstance(mount, Bind)
    }


def told(places: Iterable[Uncovered]) -> tuple[str, ...]:
    """Write such places, a line each; they and what they say may be an agent's words.

    The gravest come first, and of what is as grave kinds take turns: no crowd of one hides another.
    """
    ranks = defaultdict[tuple[bool, ...], dict[tuple[str, str], list[Uncovered]]](
        lambda: defaultdict(list)
    )
    for each in sorted(places, key=lambda each: (each.path.count("/"), each.path)):
        kind = (protected_name(each.path) or each.path.rpartition("/")[2], _key(each.executes))
        ranks[not each.grave, not each.certain, each.socket][kind].append(each)
    return tuple(
        _line(each)
        for _, kinds in sorted(ranks.items())
        for each in turns(kinds[kind] for kind in sorted(kinds, key=_dull))
    )


def _key(executes: Iterable[str]) -> str:
    """Return the setting that a place is told for first, without what its author named in it."""
    first = next(iter(executes), "").partition(" = ")[0].split(".")
    return ".".join(dict.fromkeys((first[0], first[-1])))


def _dull(kind: tuple[str, str]) -> tuple[bool, tuple[str, str]]:
    """Order kinds: first what executes something by what is said of it."""
    return not kind[1], kind


def _line(each: Uncovered) -> str:
    words = some(each.executes, MOST_SHOWN)
    executes = f" ({'; '.join(words)})" if words else ""
    return f"{each.path}{executes}{f': {each.why}' if each.why else ''}"
