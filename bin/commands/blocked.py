"""`blocked`: show what the wall has refused a running sandbox."""

import time
from typing import Any

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import existence
from jailoc.bin.engine import containers, credentials, task_limit
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import bundle as compiled
from jailoc.generators.config.resolve import resolve
from jailoc.generators.powers.entries import position
from jailoc.generators.runtime import proxy_log
from jailoc.generators.runtime.blocked import (
    Blocked,
    closed,
    explained,
    full,
    kept,
    latest,
    machine,
    names_refused,
    news,
    protocol_name,
    unresolved,
)
from jailoc.generators.runtime.proxy_log import PROXIED
from jailoc.model.address import written
from jailoc.model.evidence import Evidence
from jailoc.model.palette import Meaning
from jailoc.model.rule_match import MOST_COUNTED, MOST_PLACES
from jailoc.model.sandbox import AGENT, MACHINE, PROXY, WALL, typed
from jailoc.model.text import number_of

MOST_SHOWN = 500
"""Places that are told of, and explained, at once; only JSON without --follow has all."""
REFUSALS = ("refused", "unresolved")
"""What of the evidence this command shows."""
HEADS = f"{'last':19}  times  to, by protocol and port"
Place = tuple[str, str, int | None]
"""Target, protocol and port of a row."""
PAUSE = 1.0
"""Seconds between two looks while following."""


def run(session: Session, follow: bool, as_json: bool) -> int:
    """Show what a running workspace tried to reach and was refused."""
    try:
        return _run(session, follow, as_json)
    except KeyboardInterrupt:
        if follow:
            session.terminal.end_line()
            return 0
        raise


def _run(session: Session, follow: bool, as_json: bool) -> int:
    terminal = session.terminal
    shown: dict[Place, tuple[int, int]] = {}
    most = None if as_json and not follow else MOST_SHOWN
    name, rows, filled, tasks, evidence, earlier = _look(session, most)
    for protocol in filled:
        terminal.say(
            f"{name}: the table for {protocol} is full ({MOST_PLACES:,} places): later ones are "
            "dropped, and not here; places are forgotten after a day, or with `jailoc restart`",
            Meaning.WARNS,
        )
    if as_json and not follow:
        terminal.data(
            {
                "workspace": name,
                "blocked": [_data(each, evidence) for each in rows],
                "full": list(filled),
                "pids_refused": tasks,
                "not_kept": _not_kept(evidence),
                "lost": evidence.lost if evidence else 0,
            }
        )
        return 0
    _say_gaps(terminal, name, evidence)
    _tell_tasks(terminal, name, tasks)
    _say_earlier(terminal, name, len(earlier))
    passed_over = set(earlier)
    if not rows and not follow:
        terminal.say(f"{typed(name)}: nothing has been refused", Meaning.DONE)
    elif not as_json:
        terminal.heading(HEADS)
    while True:
        now = int(session.clock())
        for row in rows:
            key = (row["target"], row["protocol"], row["port"])
            before = shown.get(key)
            # The kernel tells whole seconds: the same attempt may seem a second older or younger.
            if before and before[0] == row["times"] and now - row["ago"] <= before[1] + 1:
                continue
            shown[key] = row["times"], now - row["ago"]
            if as_json:
                terminal.line({"workspace": name, **_data(row, evidence)})
            else:
                _show(terminal, name, _data(row, evidence), now)
        if not follow:
            return 0
        time.sleep(PAUSE)
        gaps, told = _gaps(evidence), passed_over | shown.keys()
        name, rows, _, _, evidence, earlier = _look(session.of(name), most)
        if sum(_gaps(evidence)) > sum(gaps):
            _say_gaps(terminal, name, evidence)
        # More new places at once than are shown: the others are at least counted.
        _say_earlier(terminal, name, len(earlier - told))
        passed_over |= earlier


def _gaps(evidence: Evidence | None) -> tuple[int, int]:
    """Return how many refusals were not kept, and how many connections were not seen."""
    return _not_kept(evidence), evidence.lost if evidence else 0


def _say_gaps(terminal: Terminal, name: str, evidence: Evidence | None) -> None:
    left_out, lost = _gaps(evidence)
    if left_out or lost:
        terminal.say(
            f"{name}: {left_out:,} refusals at further places were not kept, for want of room, and "
            f"at least {lost:,} connections were not seen; places that nobody tried for a day "
            "make room",
            Meaning.WARNS,
        )


def _say_earlier(terminal: Terminal, name: str, count: int) -> None:
    if count:
        terminal.say(f"{name}: {number_of(count, 'earlier place')} not shown (--json has them)",
                     Meaning.WARNS)  # fmt: skip


def _tell_tasks(terminal: Terminal, name: str, refused: int | None) -> None:
    if refused:
        terminal.say(
            f"{name}: the agent was refused a process or thread {number_of(refused, 'time')}, "
            "because it had as many as it may; `pids` raises the limit",
            Meaning.WARNS,
        )


def _not_kept(evidence: Evidence | None) -> int:
    return 0 if evidence is None else sum(evidence.others.get(each, 0) for each in REFUSALS)


def _look(
    session: Session, most: int | None
) -> tuple[
    str, list[dict[str, Any]], tuple[str, ...], int | None, Evidence | None, frozenset[Place]
]:
    """Return what a workspace was refused: its name, rows, full tables, tasks, evidence, the rest.

    Args:
        session: Whose workspace it is.
        most: How many places are explained, the last ones; None for all.

    Returns:
        The last are the places that are left out.
    """
    origin = session.reread(expectations=False)
    name = session.chosen(origin)
    workspace = resolve(origin.config, name, origin.host)
    existence.running(session, name)
    there = {each.service: each for each in containers.containers(workspace.project)}
    wall, agent = there.get(WALL), there.get(AGENT)
    if wall is None or wall.state != "running":
        raise existence.not_running(name)
    rules = compiled(workspace, origin.host).firewall
    texts = containers.refusals(wall.id)
    state = containers.names(wall.id)
    evidence = kept(texts)
    refused = evidence.refused if evidence else ()
    known = {address: each.also[-1] for address, _, _, each in refused if each.also} | state.seen
    every = news(texts)
    tried = latest(every, most)
    found: list[Blocked] = list(
        explained(tried, rules.facing(closed(texts)), known, machine(texts))
    )
    names = unresolved(
        names_refused(state.refused, evidence), int(session.clock()), workspace.egress_origin, rules
    )
    names.sort(key=lambda each: each.ago)
    found += names[:most]
    earlier = frozenset(
        (written(each.address), protocol_name(each.protocol), each.port) for each in every
    ) - {(each.target, each.protocol, each.port) for each in found}
    if most is not None:
        earlier |= {(each.target, each.protocol, None) for each in names[most:]}
    # The way to these is through the proxy; an allow would lead past it.
    own = {each.key for each in rules.credentials}
    found = [
        each.model_copy(update={"allow": None, "closed": None if each.open_now else PROXIED})
        if {each.name, each.target} & own
        else each
        for each in found
    ]
    proxy = there.get(PROXY)
    if proxy is not None and proxy.state == "running":
        log = proxy_log.refused(credentials.log(proxy.id))
        found += proxy_log.by_proxy(log, workspace.credentials, int(session.clock()))
    rows: list[dict[str, Any]] = [
        each.model_dump() | {"place": position(origin.document, each.reason)} for each in found
    ]
    tasks = task_limit.refused(agent.process, agent.id) if agent else None
    rows.sort(key=lambda row: (-row["ago"], row["target"]))
    return name, rows, full(texts), tasks, evidence, earlier


def _data(row: dict[str, Any], evidence: Evidence | None) -> dict[str, Any]:
    """Return a row; without evidence the kernel counts only so far."""
    counted = (
        evidence is None and row["protocol"] not in {"dns", "http"} and row["times"] >= MOST_COUNTED
    )
    return {**row, "at_least": counted}


def _show(terminal: Terminal, workspace: str, row: dict[str, Any], now: int) -> None:
    door = row["protocol"] if row["port"] is None else f"{row['protocol']} {row['port']}"
    door = f"protocol {door}" if door.isdecimal() else door
    name = f" ({row['name']})" if row["name"] and row["name"] != row["target"] else ""
    more = "+" if row["at_least"] else ""
    last = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now - row["ago"]))
    where = f" ({row['place']})" if row["place"] else ""
    because = f"because of {row['reason']}{where}"
    # Names are the words of whoever asked for them. The rules of now say nothing of what closed it
    # before they opened it.
    closed = "" if row["open_now"] else f"  {because}"
    terminal.colored(
        f"{last}  {row['times']:>4}{more:1}  {row['target']}{name}  {door}{closed}", None
    )
    if row["open_now"]:
        terminal.result(f"    open now, {because}")
    elif row["allow"] is not None and row["allow"].startswith("host_ports"):
        terminal.told(f"    to open it: {row['allow']} in [workspaces.{workspace}]; the agent has "
                      f"it as {MACHINE} then")  # fmt: skip
    elif row["allow"] is not None:
        terminal.colored(f"    to open it: jailoc allow {row['allow']} -w {workspace}", None)
    elif row["closed"] is not None:
        terminal.told(f"    no entry is offered: {row['closed']}")
