"""Halt the agents that can write in some directories, for as long as something works there.

They are let go by a process of its own once this one has ended, however it ends, and what works
there, too.
"""

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from jailoc.bin.config import facts
from jailoc.bin.deploy import observe
from jailoc.bin.engine import containers, docker, door, halting, ownership, tools
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.door import ExitCode
from jailoc.bin.host import bind_mounts, files, links
from jailoc.model.compose import Bind, Mount, Volume
from jailoc.model.diagnostic import Refused
from jailoc.model.forbidden_paths import folded
from jailoc.model.mount import Mode
from jailoc.model.path import NO_PROJECT, outermost, within
from jailoc.model.sandbox import AGENT, SIDECAR, project, workspace_of


class Done(NamedTuple):
    """How something ended that is no program, or is one."""

    code: int = 0


Outcome = TypeVar("Outcome", bound=ExitCode)
_HELD: ContextVar[Mapping[str, tuple[int, ...]]] = ContextVar("halt", default=MappingProxyType({}))
"""Workspaces whose agents this run halts, with the descriptors of the locks."""
LONG = 600.0
"""Seconds to wait for another jailoc that has halted an agent, where nothing is asked meanwhile."""

# A line is whom the engine is asked to halt, the process that works there, or says that all has
# ended in order. The end of the input is that of jailoc, and of what it has asked the engine
# meanwhile.
LET_GO = f"""
trap '' HUP INT QUIT TERM
left=$1 works='' ended='' halted=''
shift
while read -r word; do
    case $word in
        halts:*) halted="$halted ${{word#halts:}}" ;;
        ended) ended=yes && break ;;
        cut) break ;;
        *) works=$word ;;
    esac
done
# Of a process that has become another user's (sudo) kill tells nothing.
works() {{
    [ -d "/proc/$works" ] || kill -0 "$works" 2>/dev/null || ps -p "$works" >/dev/null 2>&1
}}
while [ "$works" ] && works; do sleep 0.2; done
if [ -z "$ended" ] && [ "$left" ]; then
    named='name={tools.NAMED}'
    for each in $("$1" ps --all --quiet --filter "label=$left" --filter "$named"); do
        "$1" rm --force "$each"
    done
fi
for each in $halted; do
    tries=30
    # An engine takes note of a halt late, and of one that has ended there is nothing to let go.
    until "$@" "$each"; do
        tries=$((tries - 1))
        there=$("$1" inspect --format '{{{{.State.Running}}}}' "$each")
        [ "$tries" -gt 0 ] && [ "$there" = true ] || break
        sleep 0.5
    done
done
"""


def agents(name: str) -> tuple[Container, ...]:
    """Return what may write in a workspace's files, running or halted.

    Raises:
        DockerError: the engine did not answer.
    """
    return tuple(
        each
        for each in containers.containers(project(name))
        if each.service in {AGENT, SIDECAR} and each.state in {"running", "paused", "restarting"}
    )


def sharing(name: str, roots: Sequence[str]) -> dict[str, str]:
    """Return the other workspaces whose agent can write in some directories, and in which one.

    They are those that are written down, and those that the engine has: what is written down can
    be lost, or lie where other variables of the environment say.

    Args:
        name: The workspace whose directories they are.
        roots: The directories.

    Raises:
        DockerError: the engine did not answer, and something was started.
        Refused: there is no `docker` command, and something was.
    """
    given = {
        other: [each.source.text for each in mounts if each.mode is Mode.READ_WRITE]
        for other, mounts in observe.mounted().items()
    }
    try:
        there = containers.containers()
    except (docker.DockerError, Refused):
        if given:
            raise
        there = ()  # nothing was ever started here
    for each in there:
        other = workspace_of(each.project)
        if other and each.service in {AGENT, SIDECAR} and ownership.mine(
            each.project, each.directory
        ):  # fmt: skip
            given.setdefault(other, []).extend(each.writable)
    found = {other: shared(places, roots) for other, places in given.items() if other != name}
    return {other: root for other, root in found.items() if root is not None}


class _Common(NamedTuple):
    """Where an agent can meet another one."""

    written: frozenset[str]
    seen: frozenset[str]
    """Also what is read-only: a socket there can be connected to (unix(7))."""
    volumes: frozenset[str]

    @classmethod
    def of(cls, mounts: Iterable[Mount]) -> "_Common":
        """Return it of all that is mounted."""
        every = tuple(mounts)
        binds = [each for each in every if isinstance(each, Bind)]
        written, seen = (
            outermost(each.source.text for each in binds if each.mode in modes)
            for modes in ({Mode.READ_WRITE}, {*Mode})
        )
        volumes = (each.name for each in every if isinstance(each, Volume) and each.shared)
        return cls(
            frozenset(name for each in written for name in called(each)),
            frozenset(name for each in seen for name in called(each)),
            frozenset(volumes),
        )

    def meets(self, other: "_Common") -> bool:
        """Tell whether what one writes the other sees."""
        return bool(self.volumes & other.volumes) or any(
            within(one, place) or within(place, one)
            for mine, theirs in ((self.written, other.seen), (self.seen, other.written))
            for one in mine
            for place in theirs
        )


def joined(name: str, roots: Sequence[str]) -> tuple[str, ...]:
    """Return the other workspaces whose agent can write in some directories, or may come to.

    Over a socket in what two agents have in common one hands the other a directory that it has
    open, and that one a third.

    Args:
        name: The workspace whose directories they are.
        roots: The directories.

    Raises:
        DockerError: the engine did not answer, and something was started.
        Refused: there is no `docker` command, and something was.
    """
    found = {name, *sharing(name, roots)}
    places = {other: _Common.of(mounts) for other, mounts in observe.mounts().items()}
    waiting = [each for each in found if each in places]
    while waiting:
        mine = places[waiting.pop()]
        more = [each for each in places if each not in found and mine.meets(places[each])]
        found.update(more)
        waiting += more
    return tuple(sorted(found - {name}))


def shared(places: Iterable[str], roots: Sequence[str]) -> str | None:
    """Return the first of some directories that is, holds or lies in one of some places."""
    named = {name for each in dict.fromkeys(places) for name in called(each)}
    for root in roots:
        mine = called(root)
        if any(within(one, other) or within(other, one) for one in named for other in mine):
            return root
    return None


def called(place: str) -> frozenset[str]:
    """Return the names of a place: a link of the user's, or a bind mount, may give it others."""
    real = links.real(place)
    return frozenset(folded(each) for each in (place, *bind_mounts.called(real)))


def lock(name: str) -> Path:
    """Return the lock of who halts a workspace's agent."""
    return facts.cache_directory() / f"{name}.halt.lock"


@contextmanager
def alone(names: Iterable[str], patience: float = 0) -> Iterator[tuple[int, ...]]:
    """Be the only jailoc that halts the agents of workspaces, or builds on that they are halted.

    Another one would let them go on when it has done its work. Yields descriptors of the locks;
    what this run holds already it holds on.

    Args:
        names: The workspaces.
        patience: Seconds to wait for each that another jailoc has halted.

    Raises:
        Refused: another one works there.
    """
    held = _HELD.get()
    with ExitStack() as stack:
        mine = dict(held)
        for each in sorted({*names} - held.keys()):
            found = stack.enter_context(files.locked(lock(each), patience))
            mine[each] = () if found is None else (found,)
        token = _HELD.set(mine)
        try:
            yield tuple(number for each in mine.values() for number in each)
        finally:
            _HELD.reset(token)


def during(
    names: Callable[[], Iterable[str]],
    work: Callable[[Callable[[int], None]], Outcome],
    locks: Sequence[int] = (),
    *,
    by: str = "",
    patience: float = 0,
) -> Outcome:
    """Do something while the agents of workspaces are halted.

    Who is halted already, and by no other jailoc, stays so.

    Args:
        names: Tells the workspaces; asked anew when their locks are held, for another one may have
            started while they were waited for.
        work: Does it; it is given what it tells the number of a process that must end, too, before
            they go on.
        locks: Descriptors of those that hold until then, also if this process is killed.
        by: The label of containers that work there: they go before anybody goes on if this process
            is killed.
        patience: Seconds to wait for another jailoc that has halted one.

    Raises:
        DockerError: one could not be halted.
        Refused: there is no `docker` command, or another jailoc has halted one.
    """
    with ExitStack() as stack:
        every, more = _alone_with_all(stack, names, patience)
        going = [each.id for name in every for each in agents(name) if not halting.halted(each)]
        return _halted(going, work, (*locks, *more), by=by)


def _alone_with_all(
    stack: ExitStack, names: Callable[[], Iterable[str]], patience: float
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Be alone with all workspaces that there are once it is so: tell them, and the locks."""
    every = {*names()}
    while True:
        # All are let go before there is one more: who waits for another one holds nothing.
        with ExitStack() as tried:
            locks = tried.enter_context(alone(every, patience))
            if every >= (now := {*names()}):
                stack.push(tried.pop_all())
                return tuple(sorted(every)), locks
            every |= now


def _halted(
    going: Sequence[str],
    work: Callable[[Callable[[int], None]], Outcome],
    locks: Sequence[int] = (),
    *,
    by: str = "",
) -> Outcome:
    """Do something while containers that run are halted."""
    if not going:
        return work(lambda _: None)

    def attended(command: list[str], environment: dict[str, str]) -> Outcome:
        # What it reads is in a file that only we, and what is asked meanwhile, have open to write.
        reading, writing = os.pipe()
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", LET_GO, "jailoc", by, *command], env=environment, cwd=NO_PROJECT,
            stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, pass_fds=locks,
        )  # fmt: skip
        os.close(reading)
        ends = "cut"  # what works there may have outlived it
        try:
            with door.held(writing):
                for each in going:
                    _tell(writing, f"halts:{each}")
                    halting.pause(each)
                found = work(lambda process: _tell(writing, str(process)))
            ends = "ended"
        finally:
            with suppress(BrokenPipeError):  # somebody has ended it
                _tell(writing, ends)
            os.close(writing)
            keeper.wait()
        return found

    return docker.attend(["unpause"], attended)


def _tell(writing: int, word: str) -> None:
    os.write(writing, f"{word}\n".encode())
