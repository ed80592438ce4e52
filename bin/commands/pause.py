"""`pause`: run a program of the host's in a project while no agent can change what is there.

What it looks at is what it then uses: a directory cannot become a link in between. What an agent
has put there before is looked for while it is halted, so nothing can come after that look.
"""

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from jailoc.bin.attach import readiness
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import committed, elsewhere, existence, halt, observe, sharing, uncovered
from jailoc.bin.engine import containers, docker, halting, mapped, witness
from jailoc.bin.host import bind_mounts, foreground, links, programs
from jailoc.bin.terminal import prompt
from jailoc.bin.terminal.exit_status import NOT_EXECUTED, NOT_FOUND, NOT_RUN, SIGNALLED
from jailoc.generators.config.exposures import stopping
from jailoc.generators.config.resolve import names, resolve
from jailoc.generators.runtime.committed import WORDS
from jailoc.generators.runtime.uncovered import led, told
from jailoc.model.diagnostic import Refused
from jailoc.model.mount import Mode
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within, within
from jailoc.model.repository import moved
from jailoc.model.sandbox import AGENT, typed
from jailoc.model.text import some

_DETACHES = ("gc.autoDetach", "maintenance.autoDetach")


def run(session: Session, command: Sequence[str]) -> int:
    """Run a program of the host's while a workspace's agent, and who shares its paths, is halted.

    Returns:
        The program's exit status; 127 if there is none, 126 if it cannot be run, 128 and the number
        of the signal that ended it.

    Raises:
        DockerError: an agent could not be halted.
        Refused: something is there that the program might execute or follow, and nobody agreed; or
            an agent runs on another engine.
    """
    origin, terminal = session.source(expectations=False), session.terminal
    name = session.chosen(origin)
    # Where an agent writes no program is looked for.
    program = shutil.which(command[0], path=programs.search_path())
    if program is None:
        return _lacking(session, command[0])
    mine = sharing.writable(origin, name)
    own = existence.started(name) or containers.running(name)

    def there() -> list[str]:
        return [*([name] if own else []), *halt.joined(name, mine)]

    known = there()
    for each in known:
        elsewhere.check(each)
    # Nor may one begin meanwhile that does not run now.
    with sharing.kept_out(origin, mine, (name, *known)) as locks:

        def work(begun: Callable[[int], None]) -> halt.Done:
            among = there()
            fine = not among or _looked(session, name, [each for each in among if each != name])
            return halt.Done(_ran(session, [program, *command[1:]], begun) if fine else NOT_RUN)

        try:
            code = halt.during(there, work, locks).code
            return code if code >= 0 else SIGNALLED - code
        finally:
            for each in filter(_halted, known):
                terminal.say(
                    f"{typed(each)} is halted; `jailoc up {typed(each)}` starts it", Meaning.FAILS
                )


def _lacking(session: Session, name: str) -> int:
    """Say why there is no such program, as a shell would (POSIX, 2.8.2), and return the status."""
    there = shutil.which(name, os.F_OK, programs.search_path()) or (
        name if "/" in name and os.path.lexists(name) else None
    )
    what = "no such command" if there is None else f"no program: `{there}` cannot be executed"
    session.terminal.say(f"`{name}`: there is {what}", Meaning.FAILS)
    return NOT_FOUND if there is None else NOT_EXECUTED


def _ran(session: Session, command: Sequence[str], begun: Callable[[int], None]) -> int:
    try:
        return foreground.run(command, begun, waiting(os.environ))
    except OSError as error:
        if error.filename != command[0]:
            raise  # it is not the program that was refused
        session.terminal.say(f"`{command[0]}` cannot be executed: {error.strerror}", Meaning.FAILS)
        return NOT_EXECUTED


def waiting(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that have Git wait for its own maintenance: it would outlive the halt.

    They are added to the settings that the user hands on in the same way (git-config(1),
    GIT_CONFIG_COUNT); a count that is none Git refuses by itself.

    >>> waiting({})["GIT_CONFIG_COUNT"]
    '2'
    """
    count = environment.get("GIT_CONFIG_COUNT") or "0"
    if re.fullmatch("[0-9]{1,6}", count) is None:
        return {}
    found = {"GIT_CONFIG_COUNT": str(int(count) + len(_DETACHES))}
    for number, key in enumerate(_DETACHES, int(count)):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": "false"}
    return found


def _looked(session: Session, name: str, others: Sequence[str]) -> bool:
    """Show what agents have put where the host executes or follows it, now that they are halted.

    Returns:
        Whether to go on.

    Raises:
        DockerError: nobody can tell what is mounted.
        Refused: it keeps a workspace from being started, too; or nobody is there to agree.
    """
    origin, terminal = session.reread(expectations=False), session.terminal
    if stops := tuple(stopping(origin.document, origin.config, name, origin.host)):
        raise Refused(stops)
    mine = sharing.writable(origin, name)
    found = {name: _uncovered(origin, name, None)}
    for each in others:
        if each in names(origin.config):
            found[each] = _uncovered(origin, each, mine)
    rows = tuple(dict.fromkeys(row for each in found.values() for row in (*each.open, *each.led)))
    for line in some(rows):
        terminal.say(f"the host may execute what the agent can write: {line}", Meaning.FAILS)
    written = dict.fromkeys(committed.rows(origin, name))
    for each in sorted(found.keys() - {name}):
        written |= dict.fromkeys(
            committed.rows(origin, each, lambda top: halt.shared((top,), mine) is not None)
        )
    for line in some([*written]):
        terminal.say(f"{WORDS}: {line}", Meaning.FAILS)
    late = _still_written((name, *others), mine)
    for line in some(late):
        terminal.say(f"a halted program may still change what it has mapped: {line}", Meaning.FAILS)
    ups = ", ".join(f"`jailoc up {typed(each)}`" for each, every in found.items() if every.open)
    return not (rows or written or late) or prompt.agreed(
        terminal,
        "Go on all the same?",
        "go on where the host may execute what an agent has written",
        f"look at it{f'; {ups} covers it' if ups else ''}",
    )


class _Found(NamedTuple):
    """What the host may execute of what an agent can write, as it is told."""

    open: tuple[str, ...]
    """A start covers it."""
    led: tuple[str, ...]
    """A link leads there, and nothing covers that."""


def _uncovered(origin: LoadedConfig, name: str, at: Sequence[str] | None) -> _Found:
    found = readiness.services(name)
    shut: frozenset[str] | None = None
    if found.agent is not None and found.agent.state in {"running", "paused"}:
        shut = witness.mounted(found.agent.id, (found.wall or found.agent).image_id)
    workspace = resolve(origin.config, name, origin.host)

    def matters(path: str) -> bool:
        return at is None or halt.shared((path,), at) is not None

    open_ = uncovered.rows(workspace, lambda place: shut is not None and place not in shut, matters)
    links_ = (each for each in led(workspace, origin.config.trust) if matters(each.path))
    return _Found(open_, told(links_))


def _still_written(among: Sequence[str], mine: Sequence[str]) -> tuple[str, ...]:
    """Return what agents that end while they are halted have the kernel write in directories.

    One may have it from another, by whose mount it is then called, or by none that is still there.
    """
    known = observe.mounted()
    given = [
        (each.target.text, each.source.text)
        for name in among
        for each in known.get(name, ())
        if each.mode is Mode.READ_WRITE and halt.shared((each.source.text,), mine) is not None
    ]
    devices = bind_mounts.devices(links.real(each) for each in mine)
    found: list[str] = []
    for name in among:
        for agent in (each for each in halt.agents(name) if each.service == AGENT):
            kept = mapped.mapped(agent.id, agent.process)
            for path, device, there in kept.files:
                places = [moved(path, *pair) for pair in given if within(path, pair[0])]
                # Where nothing is written down: a project has the same name on both sides.
                if name not in known and first_within(path, agent.writable) is not None:
                    places.append(path)
                if not there and device in devices:
                    places.append(f"what is no `{path}` there any more")
                found += [f"{each} ({typed(name)})" for each in places[:1]]
            if kept.hidden:
                found.append(f"{kept.hidden} programs of {typed(name)} let nobody look")
    return tuple(found)


def _halted(name: str) -> bool:
    try:
        return any(halting.halted(each) for each in halt.agents(name))
    except docker.DockerError:
        return False
