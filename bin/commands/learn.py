"""`learn`: turn what was seen into a change of the configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from publicsuffixlist import PublicSuffixList

from jailoc.bin.commands import refresh
from jailoc.bin.config import append, source
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import existence
from jailoc.bin.engine import containers
from jailoc.bin.host import folders, programs, regular
from jailoc.bin.terminal import prompt
from jailoc.generators.artefacts import portable
from jailoc.generators.artefacts.compile import bundle as compiled
from jailoc.generators.config.host_sets import known as known_sets
from jailoc.generators.config.learned import Line, extend, patch, without
from jailoc.generators.config.resolve import resolve
from jailoc.generators.powers.difference import changes
from jailoc.generators.runtime.blocked import closed
from jailoc.generators.runtime.learning import Proposal, Proposed, propose, still_refused
from jailoc.generators.runtime.unused import Use, uses
from jailoc.model.diagnostic import refuse
from jailoc.model.egress import Egress
from jailoc.model.evidence import PASSED, Evidence, merged, read
from jailoc.model.palette import Meaning
from jailoc.model.power import Direction
from jailoc.model.quantity import duration_text
from jailoc.model.sandbox import WALL
from jailoc.model.text import number_of, visible

LARGEST = 8 << 20
"""Bytes of a file of evidence; one of a wall has less than two."""
SHOWN = 30
"""Lines of what is not proposed."""


@dataclass(frozen=True)
class LearnOptions:
    """What was asked for."""

    start: bool
    unused: bool
    days: float
    exact: bool
    addresses: bool
    apply: bool
    yes: bool
    out: Path | None
    export: Path | None
    evidence: tuple[Path, ...]
    as_json: bool


@dataclass(frozen=True)
class Known:
    """What is known of a workspace."""

    name: str
    evidence: Evidence
    machine: frozenset[str]
    resolved: dict[str, tuple[str, ...]]
    running: bool


def run(session: Session, wanted: LearnOptions) -> int:
    """Read what was seen, and show, write or apply what follows from it."""
    origin = session.source(expectations=False)
    name = session.chosen(origin)
    if wanted.start:
        return _start(session, name)
    known = _known(session, name, wanted.evidence)
    if wanted.export is not None:
        text = known.evidence.model_copy(update={"workspace": name}).model_dump_json()
        folders.write(wanted.export, text + "\n", 0o600)
        session.terminal.say(f"{wanted.export}: written", Meaning.DONE)
        return 0
    if not wanted.as_json:
        _span(session, known, wanted)
    if wanted.unused:
        return _unused(session, origin, known, wanted)
    return _learn(session, origin, known, wanted)


def _start(session: Session, name: str) -> int:
    if resolve(session.source().config, name, session.source().host).observe:
        session.terminal.say(f"{name}: `observe = true` is there already", Meaning.DONE)
        return 0
    append.rewritten(session, lambda text: _observing(text, name))
    refresh.written(session, name)
    session.terminal.told(f"observe = true: written for workspace {name}")
    return 0


def _observing(text: str, name: str) -> str:
    return extend(text, name, {}, {"observe": True})


def _known(session: Session, name: str, given: tuple[Path, ...]) -> Known:
    """Return what was seen, from files or from the running wall.

    Raises:
        Refused: there is none, or it is none of this workspace.
    """
    if given:
        every = tuple(_file(each, name) for each in given)
        return Known(name, merged(every), frozenset(), {}, running=False)
    existence.running(session, name)
    project = resolve(session.source(expectations=False).config, name,
                      session.source(expectations=False).host).project  # fmt: skip
    wall = next((each for each in containers.containers(project) if each.service == WALL), None)
    if wall is None or wall.state != "running":
        raise existence.not_running(name)
    texts = containers.refusals(wall.id)
    found = read(texts.get("evidence", ""))
    if found is None:
        raise refuse(
            "evidence", f"the wall of `{name}` has kept nothing that this jailoc can read",
            hint=f"if an earlier jailoc has started it: `jailoc restart {name}`",
        )  # fmt: skip
    if not found.heard:
        raise refuse("evidence", "the engine's kernel does not tell of connections (xt_NFLOG)")
    resolved = dict(containers.names(wall.id).names)
    return Known(name, found, closed(texts), resolved, running=True)


def _file(place: Path, name: str) -> Evidence:
    try:
        data = regular.read(str(place), LARGEST)
    except OSError as error:
        raise refuse("evidence", f"`{place}` cannot be read: {error.strerror}") from None
    except regular.NotRegular as error:
        raise refuse("evidence", f"`{place}` cannot be read: {error}") from None
    found = read(data)
    if found is None:
        raise refuse(
            "evidence", f"`{place}` is no evidence that this jailoc can read",
            allowed="a whole file that `jailoc learn --export FILE` of this version wrote",
        )  # fmt: skip
    if found.workspace != name:
        raise refuse(
            "evidence", f"`{place}` is evidence of workspace `{visible(found.workspace)}`",
            allowed=f"evidence of `{name}`",
        )  # fmt: skip
    return found


def _span(session: Session, known: Known, wanted: LearnOptions) -> None:
    """Say for how long it was looked, and what is missing."""
    say, seen = session.terminal.say, known.evidence
    if seen.spans:
        first, last = seen.spans[0][0], seen.spans[-1][1]
        say(f"{known.name}: seen from {_moment(first)} to {_moment(last)} UTC, "
            f"{duration_text(seen.seconds)} of it up")  # fmt: skip
        if (since := seen.watched.get(PASSED, 0)) > first:
            say(f"what passes was written down from {_moment(since)} UTC on")
    if seen.lost:
        say(f"at least {seen.lost:,} connections were not seen", Meaning.WARNS)
    for kind, what in (("named", "names"), ("bare", "addresses without a name"),
                       ("unresolved", "names that were not resolved"),
                       ("refused", "refused places")):  # fmt: skip
        if seen.others.get(kind):
            say(f"{seen.others[kind]:,} connections to further {what} were not kept: there was "
                "no room", Meaning.WARNS)  # fmt: skip
    if seen.others.get("forgotten"):
        say(f"the names of {seen.others['forgotten']:,} addresses had to make room for others: "
            "connections there count as those without a name", Meaning.WARNS)  # fmt: skip
    if seen.torn:
        say("an earlier file of the wall could not be read: what was in it is gone", Meaning.WARNS)
    if PASSED not in seen.watched and not wanted.unused:
        say("only what is refused is written down now: `jailoc learn --start` has what passes "
            "written down, too", Meaning.WARNS)  # fmt: skip


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


@cache
def _registrable() -> Callable[[str], str | None]:
    known = PublicSuffixList(accept_unknown=False)
    return lambda name: known.privatesuffix(name) or None


def _learn(session: Session, origin: LoadedConfig, known: Known, wanted: LearnOptions) -> int:
    name = known.name
    workspace = resolve(origin.config, name, origin.host)
    rules = compiled(workspace, origin.host).firewall.facing(known.machine)
    found = propose(
        known.evidence, rules, known_sets(origin.config), _registrable(),
        exact=wanted.exact, addresses=wanted.addresses,
    )  # fmt: skip
    text = session.text()
    changed = text
    if any(each.live for each in found.entries):
        egress = {} if workspace.egress is Egress.ALLOWLIST else {"egress": "allowlist"}
        changed = extend(text, name, _lists(found), egress)
    left: tuple[str, ...] = ()
    if changed != text:
        after = source.check(changed, session.path)
        then = compiled(resolve(after.config, name, after.host), after.host).firewall
        left = still_refused(known.evidence, then.facing(known.machine))
    if not wanted.as_json:
        _show(session, found)
    return _finish(session, origin, known, wanted, changed, left,
                   {"entries": [_data(each) for each in found.entries],
                    "apart": [each.model_dump() for each in found.apart],
                    "open_already": found.known})  # fmt: skip


def _data(each: Proposed) -> dict[str, Any]:
    return {**each.model_dump(), "why": each.why}


def _lists(found: Proposal) -> dict[str, tuple[Line, ...]]:
    lists: dict[str, list[Line]] = {"allow": [], "allowed_hosts": []}
    for each in found.entries:
        if not each.live:
            line = Line(comment=f"{each.door}: {each.why}; {each.note}")
        elif each.key == "allow":
            line = Line(value=each.to, comment=f"{each.why}{f'; {each.note}' if each.note else ''}")
        else:
            table: dict[str, Any] = {"to": each.door if len(each.ports) == 1 else each.to}
            if len(each.ports) > 1:
                table["ports"] = list(each.ports)
            line = Line(value={**table, "why": each.why})
        lists[each.key].append(line)
    return {key: tuple(lines) for key, lines in lists.items() if lines}


def _show(session: Session, found: Proposal) -> None:
    terminal = session.terminal
    for each in found.entries:
        if each.live and each.note:
            terminal.say(f"{each.door}: {each.note}", Meaning.WARNS)
    bare = [each for each in found.entries if not each.live and each.ports]
    for each in bare[:SHOWN]:
        doors = ", ".join(map(str, each.ports))
        terminal.say(f"{each.to} port {doors}: {each.why}; {each.note}: --addresses makes an entry "
                     "of it")  # fmt: skip
    if len(bare) > SHOWN:
        terminal.say(f"and {len(bare) - SHOWN:,} more addresses without a name; --json has all")
    for apart in found.apart[:SHOWN]:
        terminal.say(f"not proposed: {visible(apart.what)}, {number_of(apart.count, 'time')}: "
                     f"{apart.reason}")  # fmt: skip
    if len(found.apart) > SHOWN:
        terminal.say(f"and {len(found.apart) - SHOWN:,} more that are not proposed; --json has all")


def _finish(
    session: Session,
    origin: LoadedConfig,
    known: Known,
    wanted: LearnOptions,
    changed: str,
    left: tuple[str, ...],
    data: dict[str, Any],
) -> int:
    """Show a change with what it does, and write it where that is wanted."""
    terminal, text, name = session.terminal, session.text(), known.name
    difference = patch(text, changed, session.path.name)
    told = _powers(session, origin, name, changed) if changed != text else []
    if wanted.as_json:
        terminal.data(
            {
                "workspace": name,
                "spans": [list(each) for each in known.evidence.spans],
                "lost": known.evidence.lost,
                "not_kept": {key: each for key, each in known.evidence.others.items() if each},
                **data,
                "patch": difference,
                "opens": [words for way, words in told if way is Direction.WIDENS],
                "closes": [words for way, words in told if way is Direction.NARROWS],
                "still_refused": list(left),
            }
        )
    elif changed == text:
        terminal.say(f"{name}: nothing to change", Meaning.DONE)
    else:
        for line in difference.splitlines():
            meaning = {"+": Meaning.DONE, "-": Meaning.FAILS}.get(line[:1])  # as diff(1) does
            terminal.colored(line, meaning)
        for way, words in told:
            sign = "opens" if way is Direction.WIDENS else "closes"
            terminal.colored(
                f"{sign}: {words}", Meaning.OPENS if sign == "opens" else Meaning.CLOSES
            )
        if not wanted.unused:
            refused = "; ".join(left[:SHOWN]) or "nothing"
            terminal.told(f"of what was seen, this would refuse: {refused}")
    if changed == text:
        return 0
    if wanted.out is not None:
        folders.write(wanted.out, difference, 0o644)
        terminal.say(f"{wanted.out}: written; `git apply` takes it in {session.path.parent}",
                     Meaning.DONE)  # fmt: skip
        if programs.changeable(str(folders.resolved(wanted.out))):
            terminal.say("an agent can write there: look at it again before that", Meaning.WARNS)
    return _apply(session, name, wanted, text, changed) if wanted.apply else 0


def _apply(session: Session, name: str, wanted: LearnOptions, text: str, changed: str) -> int:
    if not wanted.yes and not prompt.agreed(
        session.terminal, f"write it into {session.path}?", "that", "give --yes"
    ):
        return 0

    def same(now: str) -> str:
        if now != text:
            raise refuse("moved", f"`{session.path}` has changed meanwhile", hint="look again")
        return changed

    append.rewritten(session, same)
    refresh.written(session, name)
    session.terminal.told(f"written into {session.path}")
    return 0


def _powers(
    session: Session, origin: LoadedConfig, name: str, changed: str
) -> list[tuple[Direction, str]]:
    """Return what a change opens and closes, in the words of `plan`.

    Raises:
        Refused: the changed file would not be valid.
    """
    after = source.check(changed, session.path)
    found = changes(
        portable.sides(origin.config, name, origin.host),
        portable.sides(after.config, name, after.host),
        origin.host.home,
        origin.host.networks,
    )
    return [(each.way, each.text) for each in found if each.way is not Direction.SAME]


def _unused(session: Session, origin: LoadedConfig, known: Known, wanted: LearnOptions) -> int:
    now = int(session.clock())
    found = uses(
        origin.config, known.name, origin.host, known.evidence, known.resolved, now, wanted.days
    )
    if not wanted.as_json:
        for each in found:
            session.terminal.colored(_use(each, wanted.days, known),
                                     Meaning.WARNS if each.goes else None)  # fmt: skip
    going = tuple(each.place for each in found if each.goes)
    text = session.text()
    changed = without(text, going) if going else text
    rows = [{**each.model_dump(exclude={"place"}), "origin": each.origin, "goes": each.goes}
            for each in found]  # fmt: skip
    return _finish(session, origin, known, wanted, changed, (), {"entries": rows})


def _use(each: Use, days: float, known: Known) -> str:
    notes = []
    if each.watched is None:
        used = "not looked at: `jailoc learn --start` begins it"
    elif each.count:
        used = f"{number_of(each.count, 'connection')}, last {_moment(each.last or 0)} UTC"
    elif known.evidence.lost:
        used = (
            f"not seen in {each.watched / 86400:.1f} days, but {known.evidence.lost:,} were missed"
        )
    else:
        used = f"never used in {each.watched / 86400:.1f} days"
        if not each.idle:
            notes.append(f"less than {days:g} days: not proposed")
    if each.addresses is not None:
        notes.append(f"{len(each.addresses)} addresses known now")
    if each.swallowed:
        notes.append(f"{each.swallowed} opens all of it")
    if each.ended:
        notes.append("its last day is over")
    if each.shared:
        notes.append("of all workspaces: not proposed")
    more = f" ({'; '.join(notes)})" if notes else ""
    return f"{each.origin}  {each.text}: {used}{more}"
